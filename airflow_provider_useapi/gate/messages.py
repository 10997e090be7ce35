"""Every sentence that a gate says, in logs and as the reason of a failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_useapi.api.service_names import nearest_first
from airflow_provider_useapi.redaction import public_text

if TYPE_CHECKING:
    from airflow_provider_useapi.api.account import Account, ServiceAccounts
    from airflow_provider_useapi.api.capacity import Trouble
    from airflow_provider_useapi.api.kept_credits import Kept

_NAMES_LISTED = 10
"""How many service names a message lists at most."""

_ACCOUNTS_TOLD = 5
"""How many linked accounts in trouble a message tells of at most."""

TOKEN_RENEWED = "The token was refused, but the connection has a new one: checking again."  # noqa: S105 - a sentence
OTHER_RELEASE = (
    "The trigger of this gate ended without saying how; do triggerer and workers run the same"
    " release of airflow-provider-useapi?"
)


# --- Reasons: why a gate is closed ----------------------------------------------------------------


def lapsed(error: str | None) -> str:
    """The subscription is not active, with what the API says of it."""
    said = f" ({public_text(error)})" if error else ""
    return f"the subscription is not active{said}"


def too_few_active(found: ServiceAccounts, wanted: int) -> str:
    """Fewer active linked accounts than wanted."""
    return (
        f"{name_of(found.slug)}: {found.active} of {found.total} accounts active, {wanted} needed"
    )


def too_many_in_error(found: ServiceAccounts, allowed: int) -> str:
    """More linked accounts in error than allowed."""
    return f"{name_of(found.slug)}: {found.error} accounts in error, {allowed} allowed"


def too_few(slug: str, what: str, there: int | None, wanted: int) -> str:
    """Fewer of something than wanted; an unknown number is never enough."""
    if there is None:
        return f"{name_of(slug)}: {what} unknown, {wanted} needed"
    return f"{name_of(slug)}: {there} {what}, {wanted} needed"


def just_taken(slug: str, what: str, there: int, taken: int, wanted: int) -> str:
    """Enough is free, but other gates have just opened on it."""
    found = f"{there} {what}, {taken} of them just taken by other gates"
    return f"{name_of(slug)}: {found}, {wanted} needed"


def unusable(slug: str, troubles: Sequence[Trouble]) -> Iterator[str]:
    """Which linked accounts cannot be used, and why: what a number does not tell."""
    for each in troubles[:_ACCOUNTS_TOLD]:
        yield f"{name_of(slug)}: {each.account} cannot be used ({each.reason})"
    if len(troubles) > _ACCOUNTS_TOLD:
        more = len(troubles) - _ACCOUNTS_TOLD
        yield f"{name_of(slug)}: {more} more accounts cannot be used"


def credits_of(account: str, kept: Kept | None) -> str:
    """What an account has, which is not enough."""
    if kept is None or kept.total is None:
        why = f" ({kept.failed})" if kept and kept.failed else ""
        return f"{account} unknown{why}"
    if kept.credits.is_unpaid:
        return f"{account} {kept.total}, no paid plan ({kept.plan})"
    return f"{account} {kept.total}"


def too_few_credits(slug: str, wanted: int, told: Sequence[str]) -> str:
    """No usable account has the credits that are wanted, with what each has."""
    if not told:
        return f"{name_of(slug)}: no account can be used, {wanted} credits needed on one"
    more = f" and {len(told) - _ACCOUNTS_TOLD} more" if len(told) > _ACCOUNTS_TOLD else ""
    return (
        f"{name_of(slug)}: {wanted} credits needed on one account:"
        f" {', '.join(told[:_ACCOUNTS_TOLD])}{more}"
    )


# --- Lines of the log -----------------------------------------------------------------------------


def opened(
    found: ServiceAccounts | None,
    free_accounts: int | None,
    free_job_slots: int | None,
    troubles: Sequence[Trouble],
) -> str:
    """The gate is open, with what was found at its service."""
    if not found:
        return "The gate is open: the subscription is active."
    active = f"{name_of(found.slug)}: {found.active} of {found.total} accounts active"
    if free_job_slots is None:
        return f"The gate is open: {active}."
    told = "".join(f"; {each}" for each in unusable(found.slug, troubles))
    return (
        f"The gate is open: {active}, {free_accounts} free, with {free_job_slots} free job"
        f" slots{told}."
    )


def closed(reasons: Iterable[str]) -> str:
    """The gate is closed, with every reason."""
    return f"The gate is closed: {_join(reasons)}."


def check_failed(error: str) -> str:
    """A look that got no answer."""
    return f"The check failed: {error}"


def token_refused(error: str) -> str:
    """A refused token that its owner may be renewing, and what to do about it."""
    return (
        "The API token was refused. Put a new one into the connection: this gate reads it at every"
        " interval, and goes on. The same token is tried once more after 5 minutes; if it is"
        f" refused again, the task fails. {error}"
    )


def not_checked(error: str, until: datetime | None) -> str:
    """No request was made, because an earlier answer forbids it."""
    when = f" before {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    return f"Not checked: no request{when}, because of the last answer: {error}"


def timed_out(timeout: float, reasons: tuple[str, ...], error: str) -> str:
    """The time is up, with the last reasons and the error of the last look."""
    told = f"Timed out after {timeout:g} s"
    if error and reasons:
        return f"{told}; last known to be closed: {_join(reasons)}; then: {error}"
    if error:
        return f"{told} without an answer: {error}"
    return f"{told}; the gate is closed: {_join(reasons)}."


def not_listed(account: Account, service: str) -> str:
    """The account does not list the service; the names it does have, nearest first."""
    names = [s.name for s in account.services.values()]
    nearest = nearest_first(service, names)[:_NAMES_LISTED]
    listed = ", ".join(public_text(repr(name), limit=40) for name in nearest) or "no service at all"
    more = f" and {len(names) - len(nearest)} more" if len(names) > len(nearest) else ""
    return (
        f"The account lists no service {public_text(repr(service), limit=40)}, which counts as zero"
        f" accounts; it lists {listed}{more}."
    )


def name_of(slug: str) -> str:
    """A slug that may stand in a log: it may come from a template or from the API."""
    return public_text(slug, limit=40)


def _join(reasons: Iterable[str]) -> str:
    return "; ".join(reasons) or "no reason known"
