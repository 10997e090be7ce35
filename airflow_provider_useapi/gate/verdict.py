"""
When a gate is open.

:func:`judge` is the whole rule, a pure function of an account and of what is free right now. Worker
and triggerer ask the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_useapi.api.account import Account, ServiceAccounts
from airflow_provider_useapi.api.services import nearest_first, slug_of
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.gate.condition import Thresholds
from airflow_provider_useapi.redaction import public_text

if TYPE_CHECKING:
    from airflow_provider_useapi.api.capacity import Capacity

NAMES_LISTED = 10
"""How many service names a message lists at most."""


@dataclass(frozen=True)
class Verdict:
    """
    What one look at a gate found.

    :param reasons: why the gate is closed, every reason; empty when it is open.
    :param warnings: what the author of the DAG should look at, open or closed.
    :param subscription_is_active: whether the useapi.net subscription is active.
    :param slug: the service, ``None`` if only the subscription counts.
    :param found: the linked accounts of the service.
    :param capacity_due: all that the account tells holds, and live thresholds are stated: whether
        the gate is open is for :func:`judge` to say once more, with the capacity.
    :param free_accounts: accounts with a free job slot; ``None`` if unknown or not asked for.
    :param free_job_slots: the same of job slots.
    """

    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    subscription_is_active: bool
    slug: str | None = None
    found: ServiceAccounts | None = None
    capacity_due: bool = False
    free_accounts: int | None = None
    free_job_slots: int | None = None

    @property
    def open(self) -> bool:
        """Whether the pipeline may go on."""
        return not self.reasons and not self.capacity_due

    def opening(self) -> str:
        """What an open gate says."""
        if not self.found:
            return "The gate is open: the subscription is active."
        slug = public_text(self.found.slug, limit=40)
        active = f"{slug}: {self.found.active} of {self.found.total} accounts active"
        if self.free_job_slots is None:
            return f"The gate is open: {active}."
        return (
            f"The gate is open: {active}, {self.free_accounts} free, with {self.free_job_slots}"
            " free job slots."
        )

    def to_xcom(self, checked_at: str) -> dict[str, Any]:
        """
        What an open gate tells the tasks behind it. Holds no personal data.

        :param checked_at: when the look was, ISO 8601.
        """
        found = self.found
        return {
            "service": found.name if found else self.slug,
            "slug": self.slug,
            "subscription_is_active": self.subscription_is_active,
            "total": found.total if found else None,
            "active": found.active if found else None,
            "error": found.error if found else None,
            "allocations_left": found.allocations_left if found else None,
            "free_accounts": self.free_accounts,
            "free_job_slots": self.free_job_slots,
            "checked_at": checked_at,
        }


def judge(
    account: Account,
    service: str | None,
    thresholds: Thresholds,
    capacity: Capacity | None = None,
) -> Verdict:
    """
    Whether the gate is open, and if not, every reason why.

    Live thresholds come last: while the account alone keeps the gate closed nobody needs to ask for
    the capacity, and when it is needed the verdict says so (``capacity_due``).

    :param account: what the API answered.
    :param service: slug or key of the service, already rendered; ``None`` to wait for the
        subscription alone.
    :param thresholds: what the service must offer.
    :param capacity: what is free at the service right now, if that was asked.
    :raises UseApiConfigError: if ``service`` is an empty string.
    """
    reasons: list[str] = []
    if not account.subscription_is_active:
        reasons.append(_lapsed(account.error))
    if service is None:
        return Verdict(tuple(reasons), (), account.subscription_is_active)
    if not isinstance(service, str) or not service.strip():
        raise UseApiConfigError(
            f"The service of this gate rendered to {public_text(repr(service), limit=40)}; write"
            " its slug, for example 'kling', or leave the argument out to wait for the subscription"
            " alone."
        )

    found = account.service(service)
    warnings = () if found else (_not_listed(account, service),)
    found = found or ServiceAccounts(
        service.strip(), slug_of(service), allocations_left=account.max_accounts_per_api
    )
    reasons += _shortfalls(found, thresholds)
    is_due = not reasons and thresholds.need_capacity and capacity is None
    verdict = Verdict(
        tuple(reasons),
        warnings,
        account.subscription_is_active,
        slug=found.slug,
        found=found,
        capacity_due=is_due,
    )
    return verdict if capacity is None else _with_capacity(verdict, thresholds, capacity)


def _lapsed(error: str | None) -> str:
    said = f" ({public_text(error)})" if error else ""
    return f"the subscription is not active{said}"


def _with_capacity(verdict: Verdict, thresholds: Thresholds, capacity: Capacity) -> Verdict:
    """The verdict of the account, with what is free right now."""
    reasons = list(verdict.reasons)
    if capacity.refused:
        if verdict.subscription_is_active:
            reasons.append(_lapsed(capacity.refused))
        return replace(verdict, reasons=tuple(reasons), subscription_is_active=False)
    slug = public_text(capacity.service, limit=40)
    accounts, slots = capacity.free_accounts, capacity.free_job_slots
    reasons += _lacks(slug, "free accounts", accounts, thresholds.min_free_accounts)
    reasons += _lacks(slug, "free job slots", slots, thresholds.min_free_job_slots)
    return replace(verdict, reasons=tuple(reasons), free_accounts=accounts, free_job_slots=slots)


def _shortfalls(found: ServiceAccounts, thresholds: Thresholds) -> list[str]:
    """Each stated threshold of the account that does not hold, as a reason."""
    slug = public_text(found.slug, limit=40)
    reasons = []
    wanted = thresholds.min_active_accounts
    wanted = 1 if wanted is None else wanted
    if found.active < wanted:
        reasons.append(f"{slug}: {found.active} of {found.total} accounts active, {wanted} needed")
    allowed = thresholds.max_error_accounts
    if allowed is not None and found.error > allowed:
        reasons.append(f"{slug}: {found.error} accounts in error, {allowed} allowed")
    reasons += _lacks(
        slug, "allocations left", found.allocations_left, thresholds.min_allocations_left
    )
    return reasons


def _lacks(slug: str, what: str, there: int | None, wanted: int | None) -> list[str]:
    """The reason, if something is wanted that is not there; unknown is not enough of anything."""
    if wanted is None or (there is not None and there >= wanted):
        return []
    if there is None:
        return [f"{slug}: {what} unknown, {wanted} needed"]
    return [f"{slug}: {there} {what}, {wanted} needed"]


def _not_listed(account: Account, service: str) -> str:
    """The warning for a service that the account does not list."""
    names = [s.name for s in account.services.values()]
    nearest = nearest_first(service, names)[:NAMES_LISTED]
    listed = ", ".join(public_text(repr(name), limit=40) for name in nearest) or "no service at all"
    more = f" and {len(names) - len(nearest)} more" if len(names) > len(nearest) else ""
    return (
        f"The account lists no service {public_text(repr(service), limit=40)}, which counts as zero"
        f" accounts; it lists {listed}{more}."
    )
