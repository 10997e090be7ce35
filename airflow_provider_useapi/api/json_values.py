"""Reading single values of the API's JSON: whatever stands there, nothing raises."""

from __future__ import annotations


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
