"""
Checks of what users write, in DAG files and elsewhere.

DAG files import this again and again: it stays small, and imports next to nothing.
"""

from __future__ import annotations

from airflow_provider_useapi.exceptions import UseApiConfigError


def check_whole_number(name: str, value: object, least: int = 0) -> None:
    """
    Refuse what is not a whole number.

    :param name: the argument, for the message.
    :param value: what was written there.
    :param least: the smallest that is allowed.
    :raises UseApiConfigError: if it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        from airflow_provider_useapi.redaction import public_text  # for a mistake alone

        shown = public_text(repr(value), limit=40)
        raise UseApiConfigError(
            f"{name} must be a whole number of at least {least}; it is {shown}."
        )


def check_jobs_per_account(value: object) -> None:
    """
    Refuse what cannot be a limit of jobs.

    :raises UseApiConfigError: if it is not ``None`` or a whole number from 1 up.
    """
    if value is not None:
        check_whole_number("jobs_per_account", value, least=1)
