"""
When a gate is open.

:func:`judge` is the whole rule, a pure function of an account. Worker and triggerer ask the same
one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_useapi.account import Account, ServiceAccounts
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import public_text
from airflow_provider_useapi.services import nearest_first, slug_of

NAMES_LISTED = 10
"""How many service names a message lists at most."""


@dataclass(frozen=True)
class Thresholds:
    """
    What a service must offer for its gate to be open; ``None`` is not stated.

    :param min_active_accounts: at least so many linked accounts are active (1 when not stated).
    :param max_error_accounts: at most so many are in error.
    :param min_allocations_left: the subscription allows at least so many more.
    :raises UseApiConfigError: if one is not a whole number from 0 up.
    """

    min_active_accounts: int | None = None
    max_error_accounts: int | None = None
    min_allocations_left: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.stated.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UseApiConfigError(f"{name} is a whole number from 0 up; it was {value!r}.")

    @property
    def stated(self) -> dict[str, int]:
        """The thresholds that were stated, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Verdict:
    """
    What one look at a gate found.

    :param reasons: why the gate is closed, every reason; empty when it is open.
    :param warnings: what the author of the DAG should look at, open or closed.
    :param subscription_is_active: whether the useapi.net subscription is active.
    :param slug: the service, ``None`` if only the subscription counts.
    :param found: the linked accounts of the service.
    """

    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    subscription_is_active: bool
    slug: str | None = None
    found: ServiceAccounts | None = None

    @property
    def open(self) -> bool:
        """Whether the pipeline may go on."""
        return not self.reasons

    def opening(self) -> str:
        """What an open gate says."""
        if not self.found:
            return "The gate is open: the subscription is active."
        slug = public_text(self.found.slug, limit=40)
        return (
            f"The gate is open: {slug}: {self.found.active} of {self.found.total} accounts active."
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
            "free_accounts": None,
            "free_job_slots": None,
            "checked_at": checked_at,
        }


def check_arguments(service: object, thresholds: Thresholds) -> None:
    """
    Refuse what can be seen to be wrong before a template is rendered.

    :raises UseApiConfigError: if thresholds are stated and no service is.
    """
    if service is None and thresholds.stated:
        stated = ", ".join(thresholds.stated)
        raise UseApiConfigError(
            f"{stated} needs a service to count accounts of: add for example service='kling', or"
            " leave the threshold out to wait for the subscription alone."
        )


def judge(account: Account, service: str | None, thresholds: Thresholds) -> Verdict:
    """
    Whether the gate is open, and if not, every reason why.

    :param account: what the API answered.
    :param service: slug or key of the service, already rendered; ``None`` to wait for the
        subscription alone.
    :param thresholds: what the service must offer.
    :raises UseApiConfigError: if ``service`` is an empty string.
    """
    reasons: list[str] = []
    if not account.subscription_is_active:
        said = f" ({public_text(account.error)})" if account.error else ""
        reasons.append(f"the subscription is not active{said}")
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
    return Verdict(
        tuple(reasons), warnings, account.subscription_is_active, slug=found.slug, found=found
    )


def _shortfalls(found: ServiceAccounts, thresholds: Thresholds) -> list[str]:
    """Each stated threshold that does not hold, as a reason."""
    slug = public_text(found.slug, limit=40)
    reasons = []
    wanted = thresholds.min_active_accounts
    wanted = 1 if wanted is None else wanted
    if found.active < wanted:
        reasons.append(f"{slug}: {found.active} of {found.total} accounts active, {wanted} needed")
    allowed = thresholds.max_error_accounts
    if allowed is not None and found.error > allowed:
        reasons.append(f"{slug}: {found.error} accounts in error, {allowed} allowed")
    left, wanted_left = found.allocations_left, thresholds.min_allocations_left
    if wanted_left is not None and left is None:
        reasons.append(f"{slug}: allocations left unknown, {wanted_left} needed")
    elif wanted_left is not None and left is not None and left < wanted_left:
        reasons.append(f"{slug}: {left} allocations left, {wanted_left} needed")
    return reasons


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
