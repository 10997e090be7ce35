"""
The end of a request: a moment, which every step on the way is told.

A socket's own time-out starts again with every byte, so a server that sends one byte now and then
holds a reader for ever. What httpcore passes on to a stream as ``timeout`` is therefore never a
number of seconds here but the moment, on the system's monotonic clock, at which all must be over.
"""

from __future__ import annotations

from time import monotonic


def until(seconds: float) -> float:
    """The moment that many seconds from now."""
    return monotonic() + seconds


def left(end: float) -> float:
    """
    Seconds until a moment.

    :raises TimeoutError: if it has passed.
    """
    seconds = end - monotonic()
    if seconds <= 0:
        raise TimeoutError("the time of the whole request is up")
    return seconds
