"""
When the API wants to be asked again.

Obeyed by one-shot calls (``transport.attempts``), by gates on workers and in triggers
(``gate.memory``, ``gate.schedule``), and by the polls of a triggerer (``triggers.shared_poll``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

LONGEST = 24 * 60 * 60.0
"""The longest wait that is believed, in seconds."""

_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def retry_after(header: str | None, body: Mapping[str, Any], now: datetime) -> float | None:
    """
    Seconds until the API may be asked again; ``None`` when it did not say so in a readable form.

    The header ``Retry-After`` holds seconds or an HTTP date, the field ``retryAfter`` of an error
    body an ISO 8601 time (documented for google-flow). The later of the two wins; a time that has
    passed is 0, and one that :func:`is_believed` rejects does not count.

    :param header: the value of the header, if there is one.
    :param body: the error body; empty if it is not a JSON object.
    :param now: the present, with its time zone.
    """
    return max(filter(is_believed, _waits(header, body, now)), default=None)


def is_believed(seconds: float) -> bool:
    """Whether the API can mean it: an epoch time or milliseconds look like decades."""
    return seconds <= LONGEST


def unbelieved(header: str | None, body: Mapping[str, Any], now: datetime) -> bool:
    """
    Whether one of the two is ignored because it lies more than 24 hours ahead.

    The parameters are those of :func:`retry_after`.
    """
    return not all(map(is_believed, _waits(header, body, now)))


def _waits(header: str | None, body: Mapping[str, Any], now: datetime) -> list[float]:
    waits = (_from_header(header, now), _from_iso(body.get("retryAfter"), now))
    return [wait for wait in waits if wait is not None]


def _from_header(value: str | None, now: datetime) -> float | None:
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return seconds if isfinite(seconds) else None
    try:
        return _until(parsedate_to_datetime(text), now)
    except (ValueError, OverflowError):
        return None


def _from_iso(value: object, now: datetime) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return _until(datetime.fromisoformat(value.strip()), now)
    except (ValueError, OverflowError):
        return None


def _until(moment: datetime, now: datetime) -> float:
    # Both forms are UTC where they name no zone.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
