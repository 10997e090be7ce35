"""What became of a task instance: every change of its state, as the database wrote it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

TERMINAL = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


@dataclass(frozen=True)
class Change:
    """
    A new state.

    :param moment: when, in seconds since the epoch, on the clock of the database.
    :param try_number: of the task instance.
    :param state: Airflow's word; ``None`` before it is scheduled.
    """

    moment: float
    try_number: int
    state: str | None


@dataclass(frozen=True)
class Instance:
    """
    What became of a task instance.

    :param dag_id: its DAG.
    :param task_id: its task.
    :param map_index: -1 if it is not mapped.
    :param state: its state now.
    :param try_number: of its last try.
    :param has_result: whether it has pushed what it returned.
    :param changes: its states, in order.
    """

    dag_id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int
    has_result: bool = False
    changes: Sequence[Change] = field(default=(), repr=False)

    @property
    def has_ended(self) -> bool:
        """Whether Airflow does nothing more about it."""
        return self.state in TERMINAL

    @property
    def successes(self) -> list[float]:
        """When it succeeded, in seconds since the epoch; once, if all is well."""
        return [change.moment for change in self.changes if change.state == "success"]
