"""Reading single values of the API's JSON: whatever stands there, nothing raises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_YEARS = range(2000, 2200)
"""A moment outside of these is a placeholder, such as year 1, and tells nothing."""


def at(value: object, *path: str) -> Any:
    """What stands under a path of keys; ``None`` if there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def count(value: object) -> int | None:
    """A number of things; ``None`` if it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 10**15 else None


def text(value: object) -> str | None:
    """A string that every database can store: no NUL, no lone surrogate."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode().replace("\0", "�")


def moment(value: object) -> datetime | None:
    """
    A moment as services write it, in UTC; ``None`` if it is not one.

    :param value: ISO 8601, also with ``UTC`` at its end, or seconds or milliseconds since 1970.
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip().removesuffix(" UTC"))
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        else:
            return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year in _YEARS else None
