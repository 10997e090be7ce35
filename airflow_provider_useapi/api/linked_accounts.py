"""
The linked accounts of a service as useapi.net keeps them: which are in trouble, and why.

An answer of ``/accounts`` also holds passwords, cookies and tokens. Named fields get past the
reader, and nothing else: ids, health, limits, the expiry of a login and the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider_useapi.api.endpoints import Endpoint, Service
from airflow_provider_useapi.api.health import public_reason, trouble_of
from airflow_provider_useapi.api.hints import hint_of, ref_of, shown_names
from airflow_provider_useapi.api.json_values import at, count, moment, text
from airflow_provider_useapi.api.responses import (
    NOT_JSON,
    Answer,
    error_of,
    is_unknown_path,
    json_of,
    words_of,
)
from airflow_provider_useapi.api.service_names import service_of
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import public_text

_UNREADABLE = "its entry is not as documented"
_PLAN = 40


@dataclass(frozen=True)
class AccountStatus:
    """
    A linked account as useapi.net keeps it; ``None`` is not told.

    :param id: the account at its service, for most services an e-mail address: do not log it.
    :param hint: what may be shown of it, such as ``st***o1@gmail.com``.
    :param ref: six hex digits, the same from day to day, that tell accounts with one hint apart.
    :param healthy: whether it takes jobs.
    :param reason: why not, in the API's words without addresses.
    :param max_jobs: how many jobs it may run at a time.
    :param session_expires: when its login expires.
    :param plan: its plan at the service.
    """

    id: str = field(repr=False)
    hint: str
    ref: str
    healthy: bool
    reason: str | None = None
    max_jobs: int | None = None
    session_expires: datetime | None = None
    plan: str | None = None


def accounts_service(service: str) -> tuple[Service, Endpoint]:
    """
    The entry of a service that tells of its linked accounts, and what to ask for them.

    :param service: slug or key.
    :raises UseApiConfigError: if nothing tells of them.
    """
    entry = service_of(service) if isinstance(service, str) else None
    if entry is None or entry.accounts is None:
        why = entry.note if entry else "the service is not in the catalogue of this provider"
        told = ", ".join(each.slug for each in CATALOGUE if each.accounts)
        raise UseApiConfigError(
            f"Linked accounts of {public_text(repr(service), limit=40)} cannot be listed: {why}."
            f" These services can tell: {told}."
        )
    return entry, entry.accounts


def read_statuses(
    service: Service,
    endpoint: Endpoint,
    account_id: int | None,
    answer: Answer,
    *,
    conn_id: str,
    secrets: Collection[str] = (),
    now: datetime | None = None,
) -> tuple[AccountStatus, ...]:
    """
    What an answer of ``/accounts`` tells of the linked accounts, and nothing else of it.

    :param service: whose accounts.
    :param endpoint: what was asked.
    :param account_id: of the useapi.net account, which the refs are made with.
    :param answer: what the transport received.
    :param conn_id: the Airflow connection that was used, for messages.
    :param secrets: what must not stand in a message.
    :param now: the present, to count ``Retry-After`` from.
    :raises UseApiError: as :func:`airflow_provider_useapi.api.responses.read_account`; a 404 for a
        path that does not exist is a :class:`UseApiRequestError`, and never zero accounts.
    """
    body = json_of(answer)
    if answer.status in endpoint.none_on and not is_unknown_path(answer, body):
        return ()
    said = public_text(words_of(body), secrets)
    if answer.status != 200 or body is NOT_JSON or not isinstance(body, Mapping) or said:
        raise error_of(endpoint.path, answer, said, conn_id=conn_id, now=now)
    return tuple(
        _status(service, endpoint, account_id, text(name) or "", entry, secrets)
        for name, entry in body.items()
    )


def shown_statuses(statuses: Iterable[AccountStatus]) -> list[tuple[str, AccountStatus]]:
    """Each account with the name that it may be shown by."""
    every = list(statuses)
    names = shown_names([(each.hint, each.ref) for each in every])
    return list(zip(names, every, strict=True))


def _status(
    service: Service,
    endpoint: Endpoint,
    account_id: int | None,
    account: str,
    entry: Any,
    secrets: Collection[str],
) -> AccountStatus:
    trouble = _trouble(endpoint, entry)
    plan = text(at(entry, *service.plan)) if service.plan else None
    return AccountStatus(
        id=account,
        hint=hint_of(account),
        ref=ref_of(account_id, service.slug, account),
        healthy=trouble is None,
        reason=None if trouble is None else public_reason(trouble, account, secrets),
        max_jobs=count(at(entry, "maxJobs")),
        session_expires=next(
            (found for path in service.expiry if (found := moment(at(entry, *path)))), None
        ),
        plan=public_text(plan, secrets, _PLAN) if plan else None,
    )


def _trouble(endpoint: Endpoint, entry: Any) -> str | None:
    if not isinstance(entry, Mapping):
        return _UNREADABLE
    trouble = trouble_of(entry)
    if trouble is None and endpoint.dialect == "google_flow_accounts":
        # A login that is not going to be refreshed is lost, whatever its health says.
        return None if entry.get("nextRefresh") else "no refresh of its login is scheduled"
    return trouble
