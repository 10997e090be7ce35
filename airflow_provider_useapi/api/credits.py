"""
What a linked account has left to spend at its service.

The pages behind this go to the service with the user's own login: once before a pipeline starts,
or once a day, never as a poll. Their bodies hold invoices, payment links and other personal data,
so one reader for each dialect takes the named fields and nothing else. Credits may be pooled: three
accounts that share a pool each tell the same number, so nothing here is summed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from airflow_provider_useapi.api.endpoints import CreditsPage, Service
from airflow_provider_useapi.api.hints import hint_of
from airflow_provider_useapi.api.json_values import at, count, moment, text
from airflow_provider_useapi.api.responses import NOT_JSON, Answer, error_of, json_of, words_of
from airflow_provider_useapi.api.service_names import service_of
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import UseApiConfigError, UseApiResponseError
from airflow_provider_useapi.redaction import public_text

UNPAID = "PAYGATE_TIER_NOT_PAID"
"""The plan of a Google Flow account that has credits, and no model to spend them on."""

_PLAN = 40


@dataclass(frozen=True)
class Credits:
    """
    What a linked account has left; ``None`` is not told.

    :param hint: what may be shown of the account, with its mark where another one has the same.
    :param total: the credits, counted as the catalogue says; ``None`` also for quotas, which are
        not a number of credits.
    :param unit: what is counted.
    :param plan: its plan at the service.
    :param expires: when the first of them expire, or the quota begins anew.
    """

    hint: str
    total: int | None = None
    unit: str = "credits"
    plan: str | None = None
    expires: datetime | None = None

    @property
    def is_unpaid(self) -> bool:
        """Whether its plan gives no access to what the credits are for."""
        return self.plan == UNPAID

    def has(self, least: int) -> bool:
        """Whether at least that many can be spent; an unknown number is never enough."""
        return self.total is not None and self.total >= least and not self.is_unpaid


def credits_service(service: str, *, total_needed: bool = False) -> tuple[Service, CreditsPage]:
    """
    The entry of a service whose credits can be read without a side effect, and what to ask.

    :param service: slug or key.
    :param total_needed: whether to insist on a number of credits.
    :raises UseApiConfigError: if they cannot be read.
    """
    entry = service_of(service) if isinstance(service, str) else None
    page = entry.credits if entry else None
    if entry is not None and page is not None and (page.total or not total_needed):
        return entry, page
    if entry is None:
        why = "the service is not in the catalogue of this provider"
    elif page is None:
        why = entry.note if entry.retired else entry.no_credits
    else:
        why = f"it tells a quota ({page.unit}), which is no number of credits"
    told = ", ".join(
        each.slug for each in CATALOGUE if each.credits and (each.credits.total or not total_needed)
    )
    raise UseApiConfigError(
        f"Credits of {public_text(repr(service), limit=40)} cannot be read: {why}."
        f" These services can tell: {told}."
    )


def read_credits(
    page: CreditsPage,
    account: str,
    answer: Answer,
    *,
    conn_id: str,
    secrets: Collection[str] = (),
    now: datetime | None = None,
) -> Mapping[str, Credits]:
    """
    What an answer tells of the credits, by the id of the account, and nothing else of it.

    :param page: what was asked.
    :param account: the id of the account that was asked for; empty if the answer tells of all.
    :param answer: what the transport received.
    :param conn_id: the Airflow connection that was used, for messages.
    :param secrets: what must not stand in a message.
    :param now: the present, to count ``Retry-After`` from.
    :raises UseApiResponseError: also if the answer is that of another account.
    :raises UseApiError: as :func:`airflow_provider_useapi.api.responses.read_account`.
    """
    path = page.path.replace("{account}", hint_of(account))
    body = json_of(answer)
    said = public_text(words_of(body), secrets)
    if answer.status != 200 or body is NOT_JSON or not isinstance(body, Mapping):
        raise error_of(path, answer, said, conn_id=conn_id, now=now)
    if not page.is_per_account:
        entries = body if page.dialect == "muse" else at(body, "accounts")
        if said or not isinstance(entries, Mapping):
            raise error_of(path, answer, said, conn_id=conn_id, now=now)
        named = {text(name) or "": entry for name, entry in entries.items()}
    else:
        _check_name(page, path, account, body, conn_id)
        named = {account: body}
    read = _READERS[page.dialect]
    return {
        name: _public(replace(read(entry), hint=hint_of(name), unit=page.unit), secrets)
        for name, entry in named.items()
    }


def _check_name(
    page: CreditsPage, path: str, account: str, body: Mapping[str, Any], conn_id: str
) -> None:
    """The API ignores filters that it does not know, so believe the name in the answer."""
    names = {_id(found) for keys in page.named_by if (found := at(body, *keys)) is not None}
    if names and account.casefold() not in names:
        raise UseApiResponseError(
            f"Connection {conn_id!r}: GET {path} was answered with 200, but it tells of another"
            " account than was asked for.",
            status_code=200,
        )


def _id(value: object) -> str:
    return str(value).casefold()


def _public(found: Credits, secrets: Collection[str]) -> Credits:
    return replace(found, plan=public_text(found.plan, secrets, _PLAN) if found.plan else None)


# --- One reader a dialect -------------------------------------------------------------------------


def _kling(body: Any) -> Credits:
    points = _list(at(body, "balance", "points"))
    ends = (moment(at(each, "endTime")) for each in points if count(at(each, "balance")))
    return Credits("", count(at(body, "balance", "total")), expires=_first(ends))


def _google_flow(body: Any) -> Credits:
    held = at(body, "credits")
    return Credits("", count(at(held, "credits")), plan=text(at(held, "userPaygateTier")))


def _runwayml(body: Any) -> Credits:
    permitted = count(at(body, "permitted", "numPlanCredits"))
    used = count(at(body, "used", "numPlanCredits"))
    total = None if permitted is None or used is None else max(0, permitted - used)
    paid = [each for each in _list(at(body, "workspaces")) if at(each, "currentPlan")]
    plan = next((found for each in paid if (found := text(at(each, "currentPlan")))), None)
    return Credits(
        "", total, plan=plan, expires=_first(moment(at(each, "planExpiration")) for each in paid)
    )


def _pixverse(body: Any) -> Credits:
    parts = [count(at(body, key)) for key in _PIXVERSE]
    known = [part for part in parts if part is not None]
    total = sum(known) if len(known) == len(parts) else None
    expires = moment(at(body, "expired_date"))
    return Credits("", total, plan=text(at(body, "plan_name")), expires=expires)


def _minimax(body: Any) -> Credits:
    entries = _list(at(body, "creditExpireText"))
    ends = (moment(at(each, "endTime")) for each in entries if count(at(each, "credit")))
    total, plan = count(at(body, "totalCredits")), text(at(body, "memberName"))
    return Credits("", total, plan=plan, expires=_first(ends))


def _mureka(body: Any) -> Credits:
    plan, expires = text(at(body, "user", "vip_name")), moment(at(body, "user", "vip_end_UTC"))
    return Credits("", count(at(body, "credits")), plan=plan, expires=expires)


def _muse(entry: Any) -> Credits:
    quota = at(entry, "quota")
    return Credits("", plan=text(at(quota, "tier")), expires=moment(at(quota, "resetsAt")))


def _gemini_notebook(entry: Any) -> Credits:
    windows = _list(at(entry, "lastKnownQuota", "windows"))
    return Credits("", expires=_first(moment(at(each, "resetsAt")) for each in windows))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((each for each in moments if each), default=None)


_PIXVERSE = (
    "credit_daily",
    "credit_daily_gift",
    "credit_monthly",
    "credit_monthly_gift",
    "credit_package",
)
_READERS: Mapping[str, Callable[[Any], Credits]] = {
    "gemini_notebook": _gemini_notebook,
    "google_flow": _google_flow,
    "kling": _kling,
    "minimax": _minimax,
    "mureka": _mureka,
    "muse": _muse,
    "pixverse": _pixverse,
    "runwayml": _runwayml,
}
