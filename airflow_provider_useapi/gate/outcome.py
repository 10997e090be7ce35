"""
How a deferred gate ended, as its trigger tells the worker.

The payload of the event is a stored format: it crosses processes, and releases of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_useapi.gate.memory import Memory


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
    Waiting on is useless.

    :param reason: the permanent error, as one public sentence.
    """

    outcome: ClassVar[str] = "failed"
    reason: str


@dataclass(frozen=True)
class TimedOut:
    """
    The time is up.

    :param memory: what was known of the gate by then.
    """

    outcome: ClassVar[str] = "timeout"
    memory: Memory


Ending = Opened | Failed | TimedOut


def to_payload(ending: Ending) -> dict[str, Any]:
    """The payload of the event."""
    if isinstance(ending, Opened):
        return {"outcome": ending.outcome, "xcom": dict(ending.xcom)}
    if isinstance(ending, Failed):
        return {"outcome": ending.outcome, "reason": ending.reason}
    return {"outcome": ending.outcome, "note": ending.memory.to_note()}


def from_payload(payload: object) -> Ending:
    """
    The reverse of :func:`to_payload`.

    What cannot be read has failed: a gate that does not know why it was woken is not open.
    """
    fields = payload if isinstance(payload, Mapping) else {}
    outcome = fields.get("outcome")
    if outcome == Opened.outcome and isinstance(fields.get("xcom"), Mapping):
        return Opened(fields["xcom"])
    if outcome == Failed.outcome:
        return Failed(str(fields.get("reason")))
    if outcome == TimedOut.outcome:
        return TimedOut(Memory.from_note(fields.get("note")))
    return Failed(
        "The trigger of this gate ended without saying how; do triggerer and workers run the same"
        " release of airflow-provider-useapi?"
    )
