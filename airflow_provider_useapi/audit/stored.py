"""
Whether what comes back from a store is what was put there.

Anybody may emit an event of an asset, or push an XCom. What is not as an audit stores it is not
read at all: neither may an odd value end every audit to come, nor may a text forge lines of a log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any, TypeVar

from airflow_provider_useapi.api.json_values import count

T = TypeVar("T")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and count(value) is not None


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "str": _is_text,
    "int": _is_count,
    "bool": lambda value: isinstance(value, bool),
    "None": lambda value: value is None,
}


def as_declared(found: T) -> T:
    """
    Check the plain fields of a dataclass against their annotations.

    :param found: made of what was stored.
    :return: the same.
    :raises TypeError: if a text is no printable line, or a number no count, or is something else.
    """
    each: Any
    for each in fields(found):  # type: ignore[arg-type]
        kinds = [_KINDS.get(kind) for kind in str(each.type).split(" | ")]
        value = getattr(found, each.name)
        if None not in kinds and not any(kind(value) for kind in kinds if kind):
            raise TypeError(f"{type(found).__name__}.{each.name} is not {each.type}")
    return found


def check_moments(*written: str | None) -> None:
    """
    Check that texts are the moments or days that they should be.

    :param written: each ISO 8601; ``None`` is no moment, and fine.
    :raises ValueError: if one is something else.
    """
    for each in written:
        if each is not None:
            datetime.fromisoformat(each)
            date.fromisoformat(each[:10])
