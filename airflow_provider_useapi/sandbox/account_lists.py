"""
What each service's ``/accounts`` says, shaped as the API's pages document it.

The lists hold what looks like passwords, cookies and tokens, as the real ones do; all of it is made
up, and begins with the same word, so that a test can look for it where it must not be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount

Accounts = Sequence[LinkedAccount]
SECRET = "made-up-by-the-sandbox"  # noqa: S105 - opens nothing
CREATED = "2026-11-02T09:15:00.000Z"
NONE = Answer(status=404, body="Configuration not found")


def acemusic(account: LinkedAccount) -> dict[str, Any]:
    """ACE Music: whether it is healthy in one field, and why not in another."""
    trouble = {} if account.is_healthy else {"error": account.health}
    health = "OK" if account.is_healthy else "error"
    return {"health": health, "maxJobs": account.max_jobs, "created": CREATED, **trouble}


def dreamina(account: LinkedAccount) -> dict[str, Any]:
    """Dreamina: accounts are named with their region."""
    about = {"account": account.id, "region": account.id.partition(":")[0]}
    return {**about, **_limit(account), "sessionExpires": account.expires, **_error(account)}


def flowmusic(account: LinkedAccount) -> dict[str, Any]:
    """Flow Music: heads and tails of its tokens."""
    names = ("access_token", "refresh_token", "session_id", "user_id")
    return {**_limit(account), **dict.fromkeys(names, SECRET), **_error(account)}


def gemini_notebook(account: LinkedAccount) -> dict[str, Any]:
    """Gemini Notebook: health in words, names of cookies."""
    running = {"runningJobs": account.running}
    return {"health": account.health, **_limit(account), **running, "cookies": [SECRET]}


def google_flow(account: LinkedAccount) -> dict[str, Any]:
    """Google Flow: why it is in trouble in two fields, and then without a next refresh."""
    refresh = {"nextRefresh": {"scheduledFor": CREATED}} if account.is_healthy else {}
    return {
        "health": account.health,
        "created": CREATED,
        "sessionData": {"expires": CREATED},
        "project": {"projectId": SECRET},
        **refresh,
        **_error(account),
    }


def google_vids(account: LinkedAccount) -> dict[str, Any]:
    """Google Vids: health in words, names of cookies."""
    return {"health": account.health, **_limit(account), "cookies": [SECRET], "vidsDocId": SECRET}


def kling(account: LinkedAccount) -> dict[str, Any]:
    """Kling: signed in with a password."""
    session = {"userId": SECRET, "ExpireTimeUTC": account.expires}
    return {"session": session, **_limit(account), "password": SECRET, **_error(account)}


def minimax(account: LinkedAccount) -> dict[str, Any]:
    """MiniMax: a token with an end, and what a browser tells of its owner."""
    jwt = {
        "token": SECRET,
        "user": {"deviceID": SECRET, "name": SECRET, "avatar": SECRET},
        "exp": datetime.fromisoformat(account.expires).timestamp() if account.expires else None,
        "searchParams": f"uuid={SECRET}",
        "exp_Expire": account.expires,
    }
    return {"account": account.id, "jwt": jwt, **_limit(account), **_error(account)}


def mureka(account: LinkedAccount) -> dict[str, Any]:
    """Mureka: a token, and the cookie that renews it."""
    cookie = {"name": "__Secure-3PSID", "value": SECRET, "expires": account.expires}
    about = {"account": account.id, "token": SECRET, "hasAutoRefresh": account.is_healthy}
    return {**about, "sessionCookie": cookie, **_error(account)}


def muse(account: LinkedAccount) -> dict[str, Any]:
    """Muse: health in words, and the weekly allowance."""
    quota = {"tier": account.plan or "HATCH_FREE", "percentUsed": 10, "resetsAt": account.expires}
    expires = {"sessionExpiresAt": account.expires}
    return {"health": account.health, **_limit(account), **expires, "quota": quota}


def pixverse(account: LinkedAccount) -> dict[str, Any]:
    """PixVerse: signed in with a password, for a token."""
    jwt = {"ExpireTimeUTC": account.expires, "Username": SECRET, "token": SECRET}
    return {"jwt": jwt, **_limit(account), "password": SECRET, **_error(account)}


def runwayml(account: LinkedAccount) -> dict[str, Any]:
    """Runway: a password and a token, shown as they are, and the paid workspace."""
    end = datetime.fromisoformat(account.expires).timestamp() if account.expires else None
    workspace = {"id": 7, "name": SECRET, "plan": account.plan or "pro"}
    jwt = {"token": SECRET, "exp": end}
    more = {"password": SECRET, "jwt": jwt, "workspace": workspace}
    return {**_limit(account), **more, **_error(account)}


def tempolor(account: LinkedAccount) -> dict[str, Any]:
    """TemPolor: the request of a session, and no word on trouble."""
    return {"user_id": account.id, **_limit(account), "requestParams": {"cookie": SECRET}}


def _limit(account: LinkedAccount) -> dict[str, Any]:
    return {"maxJobs": account.max_jobs}


def _error(account: LinkedAccount) -> dict[str, str]:
    return {} if account.is_healthy else {"error": account.health}


def listed(
    entry: Callable[[LinkedAccount], dict[str, Any]], none: Answer | None = None
) -> Callable[[Accounts], Any]:
    """
    The list of a service, by the ids of its accounts.

    :param entry: what it says of one account.
    :param none: what it answers without any; ``{}`` if not given.
    """

    def body(accounts: Accounts) -> Any:
        if not accounts and none:
            return none
        return {account.id: {"email": account.id, **entry(account)} for account in accounts}

    return body


LISTS: dict[str, tuple[str, Callable[[Accounts], Any]]] = {
    "/v1/acemusic/accounts": ("acemusic", listed(acemusic)),
    "/v1/dreamina/accounts": ("dreamina", listed(dreamina)),
    "/v1/flowmusic/accounts": ("flowmusic", listed(flowmusic)),
    "/v1/gemini-notebook/accounts": ("gemini-notebook", listed(gemini_notebook)),
    "/v1/google-flow/accounts": ("google-flow", listed(google_flow)),
    "/v1/google-vids/accounts": ("google-vids", listed(google_vids)),
    "/v1/kling/accounts": ("kling", listed(kling, NONE)),
    "/v1/minimax/accounts": ("minimax", listed(minimax, NONE)),
    "/v1/mureka/accounts": ("mureka", listed(mureka, NONE)),
    "/v1/muse/accounts": ("muse", listed(muse)),
    "/v2/pixverse/accounts": ("pixverse", listed(pixverse, NONE)),
    "/v1/runwayml/accounts": ("runwayml", listed(runwayml, NONE)),
    "/v1/tempolor/accounts": ("tempolor", listed(tempolor, NONE)),
}
"""The service of each path, and what renders its body."""
