"""
Which linked accounts of a service are free right now.

From the answers of its live endpoints to a :class:`Capacity`: :func:`live_service` says what to
ask, :func:`read_rows` takes what counts from each answer, :func:`capacity_of` adds it up. Pure, so
that workers and triggerers count alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_useapi.api.endpoints import Endpoint, Service
from airflow_provider_useapi.api.hints import hint_of, ref_of, shown_names
from airflow_provider_useapi.api.joined_rows import least, total_of, with_health, with_jobs
from airflow_provider_useapi.api.live_readers import Row, Rows
from airflow_provider_useapi.api.service_names import service_of
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import MASK, public_text
from airflow_provider_useapi.validation import check_jobs_per_account

_HINT = re.compile(r"(?:[A-Z]{2,3}:)?[A-Za-z0-9]{2}(?=.{4})")


@dataclass(frozen=True)
class AccountCapacity:
    """
    What one linked account can take right now; ``None`` is unknown, which is not 0.

    :param id: the account at its service, for most services an e-mail address.
    :param max_jobs: how many jobs it may run at a time.
    :param running: how many it runs now.
    :param free: how many more it takes now.
    :param healthy: whether it takes jobs at all.
    :param reason: why not, in the API's words without addresses.
    """

    id: str = field(repr=False)
    max_jobs: int | None
    running: int | None
    free: int | None
    healthy: bool
    reason: str | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain values to show: of the id no more than a hint."""
        hint = _HINT.match(self.id)
        return {
            "id": f"{hint[0] if hint else ''}{MASK}",
            "max_jobs": self.max_jobs,
            "running": self.running,
            "free": self.free,
            "healthy": self.healthy,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Trouble:
    """
    A linked account that takes no jobs.

    :param account: what may be shown of it.
    :param reason: why, in the API's words without addresses.
    """

    account: str
    reason: str


@dataclass(frozen=True)
class Capacity:
    """
    What the linked accounts of a service can take right now.

    A snapshot and no reservation: whoever submits first gets the slot.

    :param service: slug of the service.
    :param accounts: the linked accounts that the API lists. Some services leave out the busy ones.
    :param refused: why the API asked for payment instead of answering; then nothing is known.
    """

    service: str
    accounts: tuple[AccountCapacity, ...] = ()
    refused: str | None = None

    @property
    def free_job_slots(self) -> int | None:
        """Jobs that can start now; ``None`` if that is unknown for any account."""
        return None if self.refused else total_of(account.free for account in self.accounts)

    @property
    def free_accounts(self) -> int | None:
        """Healthy accounts with a free job slot; ``None`` if that is unknown for any account."""
        return sum(1 for account in self.accounts if account.free) if self.known else None

    def in_trouble(self, account_id: int | None = None) -> tuple[Trouble, ...]:
        """
        The accounts that take no jobs, and why.

        :param account_id: of the useapi.net account, which tells accounts with one hint apart.
        """
        ids = [account.id for account in self.accounts]
        marked = [(hint_of(each), ref_of(account_id, self.service, each)) for each in ids]
        return tuple(
            Trouble(name, account.reason or "")
            for name, account in zip(shown_names(marked), self.accounts, strict=True)
            if not account.healthy
        )

    @property
    def known(self) -> bool:
        """Whether the API told enough about every account to count what is free."""
        return self.free_job_slots is not None

    def to_dict(self) -> dict[str, Any]:
        """Plain values to show, with masked ids."""
        return {
            "service": self.service,
            "known": self.known,
            "free_accounts": self.free_accounts,
            "free_job_slots": self.free_job_slots,
            "refused": self.refused,
            "accounts": [account.to_dict() for account in self.accounts],
        }


def live_service(
    service: str, jobs_per_account: int | None = None, *, limit_needed: bool = True
) -> Service:
    """
    The entry of a service that tells what is free; its ``live`` endpoints are one request each.

    :param service: slug or key.
    :param jobs_per_account: the user's own limit of jobs that an account runs at a time.
    :param limit_needed: whether to insist on a limit, as a gate must: it would wait for ever for
        what nobody knows.
    :raises UseApiConfigError: if the service has no endpoint that tells, or needs a limit and has
        none.
    """
    check_jobs_per_account(jobs_per_account)
    entry = service_of(service) if isinstance(service, str) else None
    if entry is None or not entry.live:
        why = entry.note if entry else "the service is not in the catalogue of this provider"
        told = ", ".join(each.slug for each in CATALOGUE if each.live)
        raise UseApiConfigError(
            f"Free job slots of {public_text(repr(service), limit=40)} cannot be checked: {why}."
            f" Use min_active_accounts instead, or one of these services: {told}."
        )
    if limit_needed and not entry.publishes_limit and jobs_per_account is None:
        raise UseApiConfigError(
            f"{entry.slug} does not publish how many jobs an account may run at a time, so its free"
            " job slots are unknown; set jobs_per_account, for example jobs_per_account=1."
        )
    return entry


def capacity_of(
    slug: str, rows: Mapping[Endpoint, Rows], jobs_per_account: int | None = None
) -> Capacity:
    """
    Add up what the endpoints of a service told.

    :param slug: the service.
    :param rows: what each of its live endpoints told, in their order.
    :param jobs_per_account: the user's own limit. It stands in where the API publishes none;
        otherwise the smaller of the two counts.
    """
    for each in rows.values():
        if each.refused:
            return Capacity(slug, refused=each.refused)
    (endpoint, first), *others = rows.items()
    if not others:
        accounts: Iterable[Row] = first.accounts
    elif endpoint.missing == "full":
        accounts = with_health(first, others[0][1])
    elif any(each.none_configured for each in rows.values()):
        accounts = ()
    else:
        accounts = with_jobs(endpoint, first, others[0][1])
    return Capacity(slug, tuple(_account(row, jobs_per_account) for row in accounts))


def _account(row: Row, jobs_per_account: int | None) -> AccountCapacity:
    max_jobs = least((row.max_jobs, jobs_per_account))
    if row.free is None:
        free = _left(max_jobs, row.running)
    elif jobs_per_account is None or row.free == 0:
        free = row.free
    else:
        left = _left(jobs_per_account, row.running)
        free = None if left is None else min(row.free, left)
    healthy = row.trouble is None
    return AccountCapacity(
        row.id, max_jobs, row.running, free if healthy else 0, healthy, row.trouble
    )


def _left(limit: int | None, running: int | None) -> int | None:
    return None if limit is None or running is None else max(0, limit - running)
