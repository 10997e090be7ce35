"""The ways to wait in a DAG: ours, and what one would write without this provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GATES = 4
"""Gates in a DAG, and tasks that run at a time."""

INTERVAL = 10.0
"""Seconds. Airflow takes about 6 for a process that is rescheduled, and fails a task that is due
again before that is over."""

PACE = {"poke_interval": INTERVAL, "timeout": 600}


@dataclass(frozen=True)
class Way:
    """
    A way to wait.

    :param kind: ``ours``, ``http`` for HttpSensor, ``task`` for ``@task.sensor``, or ``bare``.
    :param how: what the table calls it.
    :param arguments: of the sensor.
    """

    kind: str
    how: str
    arguments: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it is, and how it waits."""
        sensors = {
            "ours": "UseApiAccountSensor",
            "http": "HttpSensor",
            "task": "@task.sensor",
            "bare": "BaseSensorOperator",
        }
        return f"{sensors[self.kind]}, {self.how}"

    @property
    def dag_id(self) -> str:
        """The DAG of such gates."""
        return f"{self.kind}_{self.how.replace(',', '').replace(' ', '_')}"


FLOOR = Way("bare", "open at once, the floor", {"mode": "poke"})
_DEFERRABLE = {"deferrable": True}
OURS_DEFERRABLE = Way("ours", "deferrable", _DEFERRABLE)
HTTP_DEFERRABLE = Way("http", "deferrable", _DEFERRABLE)
WAYS = (
    FLOOR,
    Way("task", "poke", {"mode": "poke"}),
    Way("http", "poke", {"mode": "poke"}),
    Way("ours", "poke", {"mode": "poke"}),
    Way("http", "reschedule", {"mode": "reschedule"}),
    Way("ours", "reschedule", {"mode": "reschedule"}),
    HTTP_DEFERRABLE,
    OURS_DEFERRABLE,
    Way(
        "ours",
        "without a worker",
        {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True},
    ),
)


def task_ids() -> list[str]:
    """The tasks of a DAG."""
    return [f"gate_{number}" for number in range(GATES)]
