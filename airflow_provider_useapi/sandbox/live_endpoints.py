"""
The live endpoints: which there are, and what each answers.

Lists of accounts hold fields that look like secrets, as on the API's pages; all of them are made
up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_useapi.sandbox import live_bodies as jobs
from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount
from airflow_provider_useapi.sandbox.live_bodies import STARTED, Accounts

_VIDEO = "user:12345-minimax:{id}-video:{number}"
_SECRET = "made-up-by-the-sandbox"  # noqa: S105
_NONE = Answer(status=404, body="Account not found")


def live_answer(path: str, accounts: Accounts) -> Answer:
    """
    The answer of a live endpoint; with status 200 unless its service says otherwise.

    :param path: one of ``LIVE``.
    :param accounts: the linked accounts of its service.
    :raises TypeError: if a test has put something else among them.
    """
    for account in accounts:
        if not isinstance(account, LinkedAccount):
            raise TypeError(f"write linked accounts as LinkedAccount(id, ...), not {account!r}")
    _, render = LIVE[path]
    answer = render(accounts)
    return answer if isinstance(answer, Answer) else Answer(body=answer)


def _error(account: LinkedAccount) -> dict[str, str]:
    return {} if account.is_healthy else {"error": account.health}


def _health(account: LinkedAccount) -> dict[str, str]:
    return {"health": account.health}


def _error_health(account: LinkedAccount) -> dict[str, str]:
    return {"health": "OK"} if account.is_healthy else {"health": "error", "error": account.health}


def _accounts(
    trouble: Callable[[LinkedAccount], dict[str, str]],
    secrets: dict[str, Any],
    none: Answer | None = None,
) -> Callable[[Accounts], Any]:
    def body(accounts: Accounts) -> Any:
        if not accounts and none:
            return none
        return {
            account.id: {
                "email": account.id,
                "created": STARTED,
                "maxJobs": account.max_jobs,
                **trouble(account),
                **secrets,
            }
            for account in accounts
        }

    return body


LIVE: dict[str, tuple[str, Callable[[Accounts], Any]]] = {
    "/v1/acemusic/jobs": ("acemusic", jobs.acemusic_jobs),
    "/v1/acemusic/accounts": ("acemusic", _accounts(_error_health, {})),
    "/v1/dreamina/scheduler": ("dreamina", jobs.dreamina_scheduler),
    "/v1/dreamina/accounts": ("dreamina", _accounts(_error, {"sessionExpires": STARTED})),
    "/v1/flowmusic/jobs": ("flowmusic", jobs.flowmusic_jobs),
    "/v1/flowmusic/accounts": (
        "flowmusic",
        _accounts(
            _error,
            {
                "access_token": _SECRET,
                "refresh_token": _SECRET,
                "session_id": _SECRET,
                "user_id": _SECRET,
            },
        ),
    ),
    "/v1/gemini-notebook/jobs": ("gemini-notebook", jobs.gemini_jobs),
    "/v1/google-flow/jobs/": ("google-flow", jobs.google_flow_jobs),
    "/v1/google-vids/jobs": ("google-vids", jobs.jobs_with_limits),
    "/v1/google-vids/accounts": (
        "google-vids",
        _accounts(_health, {"cookies": ["SID", "HSID"], "vidsDocId": _SECRET}),
    ),
    "/v1/kling/scheduler/available": ("kling", jobs.available("email", "id")),
    "/v1/minimax/scheduler/available": ("minimax", jobs.available("account", "videoId", _VIDEO)),
    "/v1/mureka/jobs": ("mureka", jobs.mureka_jobs),
    "/v1/muse/jobs": ("muse", jobs.jobs_with_limits),
    "/v1/muse/accounts": ("muse", _accounts(_health, {"sessionExpiresAt": STARTED})),
    "/v2/pixverse/scheduler/available": ("pixverse", jobs.available("email", "id")),
    "/v1/runwayml/scheduler/": ("runwayml", jobs.runwayml_scheduler),
    "/v1/runwayml/accounts": (
        "runwayml",
        _accounts(_error, {"password": _SECRET, "jwt": {"token": _SECRET}}, _NONE),
    ),
    "/v1/tempolor/scheduler/available": ("tempolor", jobs.available("user_id", "job_id")),
}
"""The service of each path, and what renders its body."""
