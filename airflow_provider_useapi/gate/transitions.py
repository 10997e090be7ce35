"""When a watcher fires: on the edge between two states of a gate, never on a state that lasts."""

from __future__ import annotations

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import public_text

OPEN, CLOSED = "open", "closed"
"""The states of a gate."""

_TARGETS = {"open": (OPEN,), "close": (CLOSED,), "change": (OPEN, CLOSED)}


def problem_of(fire_on: object) -> UseApiConfigError | None:
    """What is wrong with what a watcher should wait for."""
    if isinstance(fire_on, str) and fire_on in _TARGETS:
        return None
    written = public_text(repr(fire_on), limit=40)
    return UseApiConfigError(f"fire_on must be 'open', 'close' or 'change'; it is {written}.")


def fires(previous: str | None, state: str, fire_on: str, *, emit_initial: bool = False) -> bool:
    """
    Whether a look is worth an event.

    :param previous: the state at the look before; ``None`` if there was none.
    :param state: the state at this look.
    :param fire_on: ``open``, ``close`` or ``change``, else see :func:`problem_of`.
    :param emit_initial: whether the first look of all counts as an edge.
    """
    if previous == state or (previous is None and not emit_initial):
        return False
    return state in _TARGETS[fire_on]
