"""
When a gate looks again: in seconds, from what is known and nothing else.

Pure: the clock comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_useapi.gate.memory import Memory

GRACE = 60.0
"""Seconds from the time-out of a gate, which its trigger keeps, to the one that Airflow is told."""

RECHECK = 60.0
"""Seconds after which a gate that the API holds back reads its connection again."""

_INSTANT = 0.01
_FAR = 10 * 365 * 86400.0
"""Seconds beyond which some databases have no date."""


def next_look(
    interval: float, left: float, memory: Memory, now: datetime, recheck: float = RECHECK
) -> tuple[float, bool]:
    """
    When to look again.

    :param interval: seconds between two looks.
    :param left: seconds until the time-out.
    :param memory: what is known of the gate.
    :param now: the present.
    :param recheck: seconds after which a gate that the API holds back reads its connection again:
        another server, or another token, would not be held back.
    :return: seconds to wait, at most until just after the time-out, and whether there can be a look
        before it is over: not if ``Retry-After`` is later than the time-out.
    """
    held = (memory.not_before - now).total_seconds() if memory.not_before else 0.0
    wait = max(interval, min(held, max(interval, recheck)), 0.0)
    # Just after: the time-out counts as reached once more than its seconds have passed.
    return min(wait, max(left, 0.0) + _INSTANT), held <= max(left, 0.0)


def next_backoff(elapsed: float, interval: float, max_wait: float | None, seed: str) -> float:
    """
    Seconds until a gate with ``exponential_backoff`` looks again.

    :param elapsed: seconds since its first look.
    """
    return next(backoff(interval, max_wait, seed, after=elapsed)) - elapsed


def given_up_after(timeout: float) -> timedelta:
    """When Airflow itself is to time a deferred gate out: somewhat later than its trigger does."""
    return timedelta(seconds=min(max(timeout, 0.0) + GRACE, _FAR))


def backoff(
    interval: float, max_wait: float | None, seed: str, after: float = 0.0
) -> Iterator[float]:
    """
    When a gate with ``exponential_backoff`` looks, in seconds after its first look; never ends.

    The waits grow as those of Airflow's own sensors do: from half the interval, each twice the one
    before, jittered to up to twice itself. They depend on nothing but the arguments, so that a gate
    that is taken over by another process goes on where it was.

    :param interval: seconds that the waits grow from.
    :param max_wait: no wait is longer than this, in seconds.
    :param seed: tells one gate's jitter from another's.
    :param after: begin with the first look after that many seconds.
    """
    moment, looks = 0.0, 0
    while True:
        looks += 1
        # Beyond 2**32 seconds there is no sensor left to wait.
        least = max(int(min(interval * 2.0 ** min(looks - 2, 1000), 2.0**32)), 1)
        wait = float(least + _digest(f"{seed}#{looks}") % least)
        if max_wait is not None:
            wait = max(min(wait, max_wait), 1.0)
        if not interval or (max_wait is not None and least >= max_wait):
            # From here on each wait is like this one: a gate that waits for days need not add up.
            moment += max((after - moment) // wait, 0.0) * wait
        moment += wait
        if moment > after:
            yield moment


def phase(seed: str, interval: float) -> float:
    """
    A moment within an interval, always the same for one seed, so that many gates spread over it.

    :param seed: what tells one gate from another.
    :param interval: seconds.
    """
    return interval * (_digest(seed) / 2**64)


def _digest(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8])
