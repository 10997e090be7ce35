"""
The pages that tell the credits of a linked account, as the services behind useapi.net say it.

Reading Dreamina's page claims the free daily credits, and Muse's may sign the account in again: the
sandbox does the one and counts the other, so that a test sees whoever asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from airflow_provider_useapi.sandbox.account_lists import LISTS, SECRET
from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount

CAPTCHA_PATH = "/v1/google-flow/accounts/captcha-providers"
_ONE = re.compile(r"(/v\d/([a-z-]+)/accounts)/([^/]+)")
_LINK = f"https://pay.example.com/{SECRET}"


def credit_page(
    path: str, query: str, linked: Mapping[str, Sequence[LinkedAccount]]
) -> Answer | None:
    """
    The answer of such a page; ``None`` if the path is none.

    :param path: the path that was asked for.
    :param query: its query, without the question mark.
    :param linked: the linked accounts of each service.
    """
    if match := _ONE.fullmatch(path):
        list_path, slug, name = match.groups()
        if slug not in _ENTRIES:
            return None
        account = _find(linked.get(slug, ()), unquote(name))
        if account is None:
            return Answer(status=404, body="Configuration not found")
        stored = LISTS[list_path][1]([account])[account.id]
        return Answer(body={**stored, **_ENTRIES[slug](account)})
    if path not in _FEATURES:
        return None
    slug, key, render = _FEATURES[path]
    accounts = linked.get(slug, ())
    wanted = parse_qs(query).get(key, [""])[0]
    if not wanted and len(accounts) > 1:
        return Answer(status=400, body={"error": f"Parameter {key} is required", "code": 400})
    account = _find(accounts, wanted) if wanted else next(iter(accounts), None)
    if account is None:
        return Answer(status=404, body="Configuration not found")
    return Answer(body=render(account))


def _find(accounts: Sequence[LinkedAccount], name: str) -> LinkedAccount | None:
    return next((each for each in accounts if each.id == name), None)


def _google_flow(account: LinkedAccount) -> dict[str, Any]:
    held = {
        "credits": account.credits,
        "userPaygateTier": account.plan or "PAYGATE_TIER_ONE",
        "sku": "G1_TIER1",
        "subscriptionCredits": 1000,
    }
    return {"access_token": SECRET, "cookies": [{"value": SECRET}], "credits": held}


def _kling(account: LinkedAccount) -> dict[str, Any]:
    point = {"orderId": SECRET, "balance": account.credits, "endTime": _milliseconds(account)}
    return {"balance": {"points": [point], "tickets": [], "total": account.credits}}


def _dreamina(account: LinkedAccount) -> dict[str, Any]:
    account.credits = (account.credits or 0) + (0 if account.has_claimed else 60)
    account.has_claimed = True
    return {"credits": {"total": account.credits, "dailyClaimed": True}}


def _muse(account: LinkedAccount) -> dict[str, Any]:
    account.codes_mailed += 1
    return {}


def _runwayml(account: LinkedAccount) -> dict[str, Any]:
    paid = {"currentPlan": account.plan or "pro", "planExpiration": account.expires}
    return {
        "permitted": {"storageGB": 500, "numPlanCredits": _plus(account, 1000)},
        "used": {"numPlanCredits": 1000},
        "workspaces": [{"name": SECRET, **paid}],
    }


def _pixverse(account: LinkedAccount) -> dict[str, Any]:
    return {
        "user_id": 1,
        "plan_name": account.plan or "Pro Plan",
        "credit_daily": 0,
        "credit_daily_gift": 0,
        "credit_monthly": account.credits,
        "credit_monthly_gift": 0,
        "credit_package": 0,
        "expired_date": account.expires,
        "invoice_url": _LINK,
        "stripe_bill_url": _LINK,
    }


def _minimax(account: LinkedAccount) -> dict[str, Any]:
    return {
        "totalCredits": account.credits,
        "memberName": account.plan or "Standard",
        "queueLength": 3,
        "creditExpireText": [{"credit": account.credits, "endTime": _milliseconds(account)}],
    }


def _mureka(account: LinkedAccount) -> dict[str, Any]:
    user = {"id": account.id, "stage_name": SECRET, "register_ip": SECRET}
    plan = {"vip_name": account.plan or "Monthly Pro", "vip_end_UTC": account.expires}
    return {"user": {**user, **plan}, "credits": account.credits}


def _milliseconds(account: LinkedAccount) -> int | None:
    if account.expires is None:
        return None
    return int(datetime.fromisoformat(account.expires).timestamp() * 1000)


def _plus(account: LinkedAccount, used: int) -> int | None:
    return None if account.credits is None else account.credits + used


_ENTRIES: Mapping[str, Callable[[LinkedAccount], dict[str, Any]]] = {
    "dreamina": _dreamina,
    "google-flow": _google_flow,
    "kling": _kling,
    "muse": _muse,
}
_FEATURES: Mapping[str, tuple[str, str, Callable[[LinkedAccount], dict[str, Any]]]] = {
    "/v1/minimax/features/": ("minimax", "account", _minimax),
    "/v1/mureka/profile/": ("mureka", "account", _mureka),
    "/v2/pixverse/features/": ("pixverse", "email", _pixverse),
    "/v1/runwayml/features/": ("runwayml", "email", _runwayml),
}
