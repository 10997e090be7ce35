"""
How a one-shot call tries again.

One set of arguments for ``tenacity.Retrying`` and ``tenacity.AsyncRetrying``. Sensors and triggers
do not use it: for them looking again is the retry.
"""

from __future__ import annotations

from typing import Any

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from airflow_provider_useapi.exceptions import UseApiError

MAX_SLEEP = 120.0
"""A longer ``Retry-After`` is handed to the caller instead of slept out, in seconds."""

_backoff = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5)


def retrying(max_attempts: int) -> dict[str, Any]:
    """
    Arguments for tenacity: transient errors only, jittered exponential backoff, or exactly the
    time that the API asked for.

    :param max_attempts: tries in all.
    """
    return {
        "stop": stop_after_attempt(max_attempts),
        "retry": retry_if_exception(_is_worth_it),
        "wait": _wait,
        "reraise": True,
    }


def _is_worth_it(error: BaseException) -> bool:
    if not isinstance(error, UseApiError) or error.permanent:
        return False
    return error.retry_after is None or error.retry_after <= MAX_SLEEP


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, UseApiError) else None
    return _backoff(state) if asked is None else asked
