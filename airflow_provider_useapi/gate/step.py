"""
What a look does to a gate: it opens, fails, or goes on waiting, and what it says of that.

Pure, and the same for a gate on a worker and one in a triggerer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiConnectionNotFoundError,
    UseApiError,
)
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.verdict import Verdict

REFUSAL_PATIENCE = timedelta(minutes=5)
"""How long a gate that was answered before waits for its owner to renew a refused token."""


@dataclass(frozen=True)
class Step:
    """
    What a look did to a gate.

    :param memory: what is known now.
    :param lines: what to log: a level (``info``, ``warning`` or ``error``) and a line, each.
    :param opened: what was found, if the gate is open.
    :param failed: the error, if it is permanent, or is left to the task's retries.
    """

    memory: Memory
    lines: tuple[tuple[str, str], ...] = ()
    opened: Verdict | None = None
    failed: UseApiError | None = None


def consider(
    memory: Memory, found: Verdict | UseApiError, now: datetime, mark: Mark | None = None
) -> Step:
    """
    What follows from a look.

    :param memory: what was known before.
    :param found: what the look found, or why it found nothing.
    :param now: the moment of the answer; waits are counted from it, because a look takes its time.
    :param mark: of the base URL and token that were used; ``None`` if the API was not asked.
    """
    if isinstance(found, UseApiError):
        return _failed(memory, found, now, mark)
    if found.open:
        return Step(memory, (*_warnings(found), ("info", found.opening())), opened=found)
    closed = replace(memory.closed(found), mark=mark)
    return _told(closed, now, *_warnings(found), ("info", messages.closed(closed.reasons)))


def _failed(memory: Memory, error: UseApiError, now: datetime, mark: Mark | None) -> Step:
    after = memory.failed(error, now)
    if mark is None and after.not_before is None:
        after = replace(
            after, not_before=memory.not_before
        )  # nobody was asked, nobody has answered
    after = replace(after, mark=mark or memory.mark)
    if isinstance(error, UseApiAuthError) and memory.was_answered:
        is_again = memory.refused_until is not None and memory.mark == mark
        until = memory.refused_until if is_again else now + REFUSAL_PATIENCE
        until = min(filter(None, (until, memory.ends)))
        if now >= until:
            return Step(memory, failed=error)
        after = replace(after, refused_until=until)
        return _told(after, now, ("error", messages.token_refused(str(error))))
    # A connection that was there before comes back, more often than not: see the error.
    is_lost = isinstance(error, UseApiConnectionNotFoundError) and memory.has_looked
    if error.permanent and not is_lost:
        return Step(memory, failed=error)
    return _told(after, now, ("warning", messages.check_failed(str(error))))


def not_made(memory: Memory, now: datetime) -> Step:
    """
    What follows where an earlier answer forbids a look.

    :param memory: what is known.
    :param now: the present.
    """
    line = messages.not_checked(memory.error, memory.held_until)
    return _told(memory, now, ("warning", line))


def _told(memory: Memory, now: datetime, *lines: tuple[str, str]) -> Step:
    """The step of a gate that goes on waiting; it says what is news."""
    return Step(memory.told(now), lines) if memory.is_news(now) else Step(memory)


def _warnings(found: Verdict) -> tuple[tuple[str, str], ...]:
    return tuple(("warning", warning) for warning in found.warnings)
