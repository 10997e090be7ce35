"""
How a deferred gate ended, as its trigger tells the worker.

The payload of the event is a stored format: it crosses processes, and releases of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.memory import Memory

_YEAR_10000 = 253402300800.0
"""In seconds since the epoch; nobody can count with what lies beyond, or with no number."""


@dataclass(frozen=True)
class Opened:
    """
    The gate is open.

    :param xcom: what it tells the tasks behind it.
    """

    outcome: ClassVar[str] = "open"
    xcom: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """
    Waiting longer is useless.

    :param reason: the permanent error, as one public sentence.
    :param refused: the mark of the token, if it was refused: another token is worth a look.
    :param since: when the gate began to wait, in seconds since the epoch.
    """

    outcome: ClassVar[str] = "failed"
    reason: str
    refused: Mark | None = None
    since: float | None = None


@dataclass(frozen=True)
class Retry:
    """
    The gate could not even begin; whether it is tried again is for the task's ``retries``.

    :param reason: the error, as one public sentence.
    """

    outcome: ClassVar[str] = "retry"
    reason: str


@dataclass(frozen=True)
class TimedOut:
    """
    The time is up.

    :param memory: what was known of the gate by then.
    """

    outcome: ClassVar[str] = "timeout"
    memory: Memory


Ending = Opened | Failed | Retry | TimedOut


def to_payload(ending: Ending) -> dict[str, Any]:
    """The payload of the event."""
    if isinstance(ending, Opened):
        return {"outcome": ending.outcome, "xcom": dict(ending.xcom)}
    if isinstance(ending, TimedOut):
        return {"outcome": ending.outcome, "note": ending.memory.to_note()}
    payload: dict[str, Any] = {"outcome": ending.outcome, "reason": ending.reason}
    if isinstance(ending, Failed) and ending.refused:
        payload |= {**ending.refused.to_note(), "since": ending.since}
    return payload


def from_payload(payload: object) -> Ending:
    """
    The reverse of :func:`to_payload`.

    What cannot be read has failed: a gate that does not know why it was woken is not open.
    """
    fields = payload if isinstance(payload, Mapping) else {}
    outcome, reason = fields.get("outcome"), str(fields.get("reason"))
    if outcome == Opened.outcome and isinstance(fields.get("xcom"), Mapping):
        return Opened(fields["xcom"])
    if outcome == Failed.outcome:
        since = fields.get("since")
        return Failed(reason, Mark.from_note(fields), since if _is_moment(since) else None)
    if outcome == Retry.outcome:
        return Retry(reason)
    if outcome == TimedOut.outcome:
        return TimedOut(Memory.from_note(fields.get("note")))
    return Failed(messages.OTHER_RELEASE)


def _is_moment(since: Any) -> bool:
    is_number = isinstance(since, (int, float)) and not isinstance(since, bool)
    return is_number and 0 <= since < _YEAR_10000
