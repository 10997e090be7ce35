"""When the API wants to be asked again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def retry_after(header: str | None, body: Mapping[str, Any], now: datetime) -> float | None:
    """
    Seconds until the API may be asked again; ``None`` when it did not say so in a readable form.

    The header ``Retry-After`` holds seconds or an HTTP date, the field ``retryAfter`` of an error
    body an ISO 8601 time (documented for google-flow). The later of the two wins; a time that has
    passed is 0.

    :param header: the value of the header, if there is one.
    :param body: the error body; empty if it is not a JSON object.
    :param now: the present, with its time zone.
    """
    waits = [
        wait
        for wait in (_from_header(header, now), _from_iso(body.get("retryAfter"), now))
        if wait is not None
    ]
    return max(waits, default=None)


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
