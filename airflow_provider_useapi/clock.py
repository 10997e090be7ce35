"""
The clock that gates, polls and retries look at: the system's, unless a test brings its own.

An event loop waits by its own clock, so a test that moves this one moves the loop's along.
What bounds a single request is not for moving: it uses the system's clock directly.
"""

from __future__ import annotations

import time as _time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Clock:
    """The system's clock."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return _time.time()

    def monotonic(self) -> float:
        """Seconds since some moment, however the system's time is set."""
        return _time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        _time.sleep(seconds)


_clock = Clock()


def time() -> float:
    """Seconds since the epoch."""
    return _clock.time()


def now() -> datetime:
    """The present, in UTC."""
    return datetime.fromtimestamp(_clock.time(), UTC)


def monotonic() -> float:
    """Seconds since some moment, however the system's time is set."""
    return _clock.monotonic()


def sleep(seconds: float) -> None:
    """Block this thread."""
    _clock.sleep(seconds)


@contextmanager
def using(clock: Clock) -> Iterator[None]:
    """Use another clock inside the ``with`` block: for tests."""
    global _clock
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before
