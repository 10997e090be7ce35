"""
What a gate waits for: one frozen object, from the arguments that users write to the verdict.

A new threshold is a field here, a rule in ``verdict``, and a sentence in ``messages``. DAG files
import this again and again: it stays small, and imports next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.validation import check_jobs_per_account, check_whole_number


def _threshold(about: str, *, is_live: bool = False) -> Any:
    """
    A threshold: a whole number from 0 up; ``None`` is not stated.

    :param about: what it is the limit of, for the command line.
    :param is_live: whether only the service's live endpoints can tell.
    """
    return field(default=None, metadata={"about": about, "is_live": is_live})


@dataclass(frozen=True)
class Condition:
    """
    When a gate is open: the subscription is active and, with a service, every threshold holds.

    :param service: slug or key of the service; ``None`` if only the subscription counts.
    :param min_active_accounts: minimum number of active linked accounts; 1 when not stated.
    :param max_error_accounts: maximum number of linked accounts in error.
    :param min_allocations_left: minimum number of accounts that can still be linked.
    :param min_free_accounts: minimum number of accounts with a free job slot right now.
    :param min_free_job_slots: minimum number of free job slots right now, of all accounts.
    :param jobs_per_account: the user's own limit of jobs that an account runs at a time.
    :param min_credits: minimum number of credits that one usable linked account has.
    :raises UseApiConfigError: if a number is not a whole one, or is stated where nothing uses it.
    """

    service: str | None = None
    min_active_accounts: int | None = _threshold("active linked accounts (default: 1)")
    max_error_accounts: int | None = _threshold("linked accounts in error")
    min_allocations_left: int | None = _threshold("linked accounts that can still be added")
    min_free_accounts: int | None = _threshold(
        "linked accounts with a free job slot right now", is_live=True
    )
    min_free_job_slots: int | None = _threshold("free job slots right now", is_live=True)
    jobs_per_account: int | None = None
    min_credits: int | None = _threshold("credits of one linked account")

    def __post_init__(self) -> None:
        stated = [name for name in THRESHOLDS if getattr(self, name) is not None]
        for name in stated:
            check_whole_number(name, getattr(self, name))
        check_jobs_per_account(self.jobs_per_account)
        if self.jobs_per_account is not None:
            stated.append("jobs_per_account")
        if self.service is None and stated:
            raise UseApiConfigError(
                f"{', '.join(stated)} needs a service to count accounts of: add for example"
                " service='kling', or leave it out to wait for the subscription alone."
            )
        if self.jobs_per_account is not None and not self.is_live:
            raise UseApiConfigError(
                "jobs_per_account counts only for free job slots: add min_free_job_slots or"
                " min_free_accounts, or leave it out."
            )

    @property
    def is_live(self) -> bool:
        """Whether a threshold is stated that only the live endpoints can tell."""
        return any(getattr(self, name) is not None for name in _LIVE)

    def rendered(self, service: str | None) -> Condition:
        """
        The same with the service as its template was rendered.

        :param service: a template may render to ``None`` where it stood for a name; that is a
            mistake to report, and not "no service".
        """
        return replace(
            self, service="" if service is None and self.service is not None else service
        )

    def arguments(self) -> dict[str, Any]:
        """The fields by name, as the triggers take and store them."""
        arguments = {name: getattr(self, name) for name in FIELDS}
        if self.min_credits is not None:  # a triggerer of an older release does not know it
            arguments[CREDITS] = self.min_credits
        return arguments


class ConditionArguments(TypedDict, total=False):
    """The fields of a :class:`Condition` as arguments of a trigger."""

    service: str | None
    min_active_accounts: int | None
    max_error_accounts: int | None
    min_allocations_left: int | None
    min_free_accounts: int | None
    min_free_job_slots: int | None
    jobs_per_account: int | None


CREDITS = "min_credits"
"""The threshold that only gates have: a watcher would read credits for ever."""

FIELDS = tuple(each.name for each in fields(Condition) if each.name != CREDITS)
"""What gates and watchers alike wait for."""

THRESHOLDS: Mapping[str, str] = {
    each.name: each.metadata["about"] for each in fields(Condition) if each.metadata
}
"""What each threshold is the limit of, by its name."""

_LIVE = tuple(each.name for each in fields(Condition) if each.metadata.get("is_live"))
