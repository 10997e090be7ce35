"""
What the arguments that users write must be.

DAG files import this again and again: it stays small, and imports next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.validation import check_jobs_per_account, check_whole_number


@dataclass(frozen=True)
class Thresholds:
    """
    What a service must offer for its gate to be open; ``None`` is not stated.

    :param min_active_accounts: at least so many linked accounts are active (1 when not stated).
    :param max_error_accounts: at most so many are in error.
    :param min_allocations_left: the subscription allows at least so many more.
    :param min_free_accounts: at least so many accounts have a free job slot right now.
    :param min_free_job_slots: at least so many job slots are free right now, of all accounts.
    :raises UseApiConfigError: if one is not a whole number from 0 up.
    """

    min_active_accounts: int | None = None
    max_error_accounts: int | None = None
    min_allocations_left: int | None = None
    min_free_accounts: int | None = None
    min_free_job_slots: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.stated.items():
            check_whole_number(name, value)

    @property
    def stated(self) -> dict[str, int]:
        """The thresholds that were stated, by name."""
        # Not asdict(): it copies each value, for every gate of every DAG file that is parsed.
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def need_capacity(self) -> bool:
        """Whether a threshold is stated that only the live endpoints can answer."""
        return self.min_free_accounts is not None or self.min_free_job_slots is not None


def check_arguments(
    service: object, thresholds: Thresholds, jobs_per_account: object = None
) -> None:
    """
    Refuse what can be seen to be wrong before a template is rendered.

    :raises UseApiConfigError: if thresholds are stated and no service is, or a number of jobs per
        account that nothing would use.
    """
    check_jobs_per_account(jobs_per_account)
    stated = [*thresholds.stated, *(["jobs_per_account"] if jobs_per_account is not None else [])]
    if service is None and stated:
        raise UseApiConfigError(
            f"{', '.join(stated)} needs a service to count accounts of: add for example"
            " service='kling', or leave it out to wait for the subscription alone."
        )
    if jobs_per_account is not None and not thresholds.need_capacity:
        raise UseApiConfigError(
            "jobs_per_account counts only for free job slots: add min_free_job_slots or"
            " min_free_accounts, or leave it out."
        )
