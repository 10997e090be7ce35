"""
What a waiting gate makes of a look: what it remembers, what it says, whether it is over.

Pure: the clock comes in as an argument. A worker that pokes keeps a :class:`Memory` in the
process; one that is rescheduled keeps it in the task's own store, where Airflow has one; one that
is deferred hands it to its trigger, and gets it back with the time-out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_useapi.exceptions import UseApiConnectionNotFoundError, UseApiError
from airflow_provider_useapi.gate.verdict import Verdict

REPEAT_AFTER = timedelta(minutes=10)
"""An unchanged finding is logged again after so long."""

_FAR = timedelta(days=3650)


@dataclass(frozen=True)
class Memory:
    """
    What is known of a gate that has not opened.

    :param reasons: why it was closed at the last look that got an answer.
    :param error: why the last look got none; empty if it got one.
    :param not_before: when the API wants to be asked again.
    :param said: the finding that was logged last.
    :param said_at: when that was.
    """

    reasons: tuple[str, ...] = ()
    error: str = ""
    not_before: datetime | None = None
    said: tuple[tuple[str, ...], str] | None = None
    said_at: datetime | None = None

    @property
    def has_looked(self) -> bool:
        """Whether there was a look before."""
        return bool(self.reasons or self.error)

    def closed(self, verdict: Verdict) -> Memory:
        """After a look that found the gate closed."""
        return replace(self, reasons=verdict.reasons, error="", not_before=None)

    def failed(self, error: UseApiError, now: datetime) -> Memory:
        """After a look that failed for the moment."""
        wait = error.retry_after
        # Past ten years a date overflows; no sensor waits that long.
        held = now + min(_FAR, timedelta(seconds=min(wait, 1e9))) if wait is not None else None
        return replace(self, error=str(error), not_before=held)

    def is_held(self, now: datetime) -> bool:
        """Whether the API has asked not to be asked yet."""
        return self.not_before is not None and now < self.not_before

    def is_news(self, now: datetime) -> bool:
        """Whether the finding is worth a line in the log."""
        if self.said != (self.reasons, self.error) or self.said_at is None:
            return True
        return now - self.said_at >= REPEAT_AFTER

    def told(self, now: datetime) -> Memory:
        """After the finding was logged."""
        return replace(self, said=(self.reasons, self.error), said_at=now)

    def timed_out(self, timeout: float) -> str:
        """What a gate says when its time is up."""
        told = f"Timed out after {timeout:g} s"
        if self.error and self.reasons:
            return f"{told}; last known to be closed: {_join(self.reasons)}; then: {self.error}"
        if self.error:
            return f"{told} without an answer: {self.error}"
        return f"{told}; the gate is closed: {_join(self.reasons)}."

    def finding(self) -> str:
        """The finding of the last look in a line."""
        if self.error:
            return f"The gate could not look: {self.error}"
        return f"The gate is closed: {_join(self.reasons)}."

    def to_note(self) -> dict[str, Any]:
        """What another process has to know, as JSON."""
        held = self.not_before.isoformat() if self.not_before else ""
        return {"reasons": list(self.reasons), "error": self.error, "not_before": held}

    @classmethod
    def from_note(cls, note: object) -> Memory:
        """The reverse of :meth:`to_note`; a note that cannot be read is an empty memory."""
        try:
            fields: dict[str, Any] = dict(note)  # type: ignore[call-overload]
            held = fields["not_before"]
            return cls(
                reasons=tuple(map(str, fields["reasons"])),
                error=str(fields["error"]),
                not_before=datetime.fromisoformat(held) if held else None,
            )
        except (TypeError, ValueError, KeyError):
            return cls()


@dataclass(frozen=True)
class Step:
    """
    What a look did to a gate.

    :param memory: what is known now.
    :param lines: what to log: a level (``info`` or ``warning``) and a line, each.
    :param opened: what was found, if the gate is open.
    :param failed: the error, if it is one for good.
    """

    memory: Memory
    lines: tuple[tuple[str, str], ...] = ()
    opened: Verdict | None = None
    failed: UseApiError | None = None


def consider(memory: Memory, found: Verdict | UseApiError, now: datetime) -> Step:
    """
    What follows from a look.

    :param memory: what was known before.
    :param found: what the look found, or why it found nothing.
    :param now: the present.
    """
    if isinstance(found, UseApiError):
        # A connection that was there before comes back, more often than not: see the error.
        is_lost = isinstance(found, UseApiConnectionNotFoundError) and memory.has_looked
        if found.permanent and not is_lost:
            return Step(memory, failed=found)
        # Counted from the answer, not from the question: a look takes its time.
        memory, level = memory.failed(found, now), "warning"
    elif found.open:
        return Step(memory, (*_warnings(found), ("info", found.opening())), opened=found)
    else:
        memory, level = memory.closed(found), "info"
    if not memory.is_news(now):
        return Step(memory)
    return Step(memory.told(now), (*_warnings(found), (level, memory.finding())))


def _warnings(found: Verdict | UseApiError) -> tuple[tuple[str, str], ...]:
    warnings = found.warnings if isinstance(found, Verdict) else ()
    return tuple(("warning", warning) for warning in warnings)


def _join(reasons: tuple[str, ...]) -> str:
    return "; ".join(reasons) or "no reason known"
