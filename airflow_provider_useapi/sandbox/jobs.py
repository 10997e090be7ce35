"""Jobs that somebody has submitted to the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """
    A job that runs for a time and takes a job slot of an account for that long.

    :param service: the slug of the service.
    :param account: the id of the linked account.
    :param number: which job of the sandbox it is, from 1.
    :param began: when it was submitted, on the monotonic clock.
    :param ends: when it is over, on the same.
    """

    service: str
    account: str
    number: int
    began: float
    ends: float
