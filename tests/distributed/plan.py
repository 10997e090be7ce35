"""Which gates wait on which connection, and how: what DAG files, scenarios and judgement share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

CONNECTIONS_VARIABLE = "DISTRIBUTED_CONNECTIONS"
FOLDER_VARIABLE = "DISTRIBUTED_FOLDER"
"""Of the environment of the DAG files: how many connections, and where the control group looks."""

INTERVAL, LONG_INTERVAL = 10, 45
"""Seconds between two looks: of a gate, and of one that is rescheduled."""
WATCHED = 3
"""How many connections have a watcher."""
GATES_EACH = 10
SERVICES = ("minimax", "runwayml", "minimax", "runwayml")
"""Of the mapped gates."""


class Mode(StrEnum):
    """How a gate waits; the first word of its task id."""

    WITHOUT_WORKER = "zero-worker"
    DEFERRED = "deferred"
    MAPPED = "mapped"
    RESCHEDULED = "reschedule"
    POKING = "poke"


@dataclass(frozen=True)
class Gate:
    """
    A task that waits.

    :param mode: how.
    :param number: its place among the gates of its connection.
    """

    mode: Mode
    number: int

    @property
    def task_id(self) -> str:
        """Mode and number."""
        return f"{self.mode}_{self.number}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What the sensor is given because of its mode."""
        match self.mode:
            case Mode.WITHOUT_WORKER:
                return {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True}
            case Mode.DEFERRED | Mode.MAPPED:
                return {"deferrable": True}
            case Mode.RESCHEDULED:
                return {"mode": "reschedule", "poke_interval": LONG_INTERVAL}
            case Mode.POKING:
                return {"mode": "poke", "deferrable": False}

    @property
    def instances(self) -> int:
        """How many task instances it makes."""
        return len(SERVICES) if self.mode is Mode.MAPPED else 1


def gates_of(connection: int) -> Iterator[Gate]:
    """The gates of a connection, ten task instances."""
    yield Gate(Mode.DEFERRED, 0)
    if connection % 2 == 0:
        yield Gate(Mode.RESCHEDULED, 1)
    else:
        yield Gate(Mode.POKING if connection % 10 == 1 else Mode.WITHOUT_WORKER, 1)
    first = 2
    if is_mapped(connection):
        yield Gate(Mode.MAPPED, first)
        first += len(SERVICES)
    for number in range(first, GATES_EACH):
        yield Gate(Mode.WITHOUT_WORKER, number)


def is_mapped(connection: int) -> bool:
    """Whether some gates of a connection are those of one mapped task."""
    return connection % 10 == 8


def wants_free_slots(connection: int) -> bool:
    """Whether the gates of a connection wait for free job slots as well."""
    return connection % 10 == 9


def modes(connections: int) -> dict[Mode, int]:
    """How many task instances wait in which mode, in the order of :class:`Mode`."""
    gates = [gate for number in range(connections) for gate in gates_of(number)]
    return {mode: sum(gate.instances for gate in gates if gate.mode is mode) for mode in Mode}


def mode_of(task_id: str) -> Mode:
    """The mode of a gate, by its task's id."""
    return Mode(task_id.rpartition("_")[0])


def dag_of(connection: int) -> str:
    """The DAG in which the gates of a connection wait."""
    return f"gates_{connection:02}"


def connection_id(connection: int) -> str:
    """The id of a connection of gates."""
    return f"useapi_{connection:02}"


def audited_id(number: int) -> str:
    """The id of a connection that is audited; no gate waits on it."""
    return f"audited_{number:02}"


def asset_of(connection: int) -> str:
    """The asset that the watcher of a connection updates."""
    return f"account_{connection:02}"


def allowed_looks(connection: int, seconds: float, triggerers: int) -> int:
    """
    How many requests the gates of a connection may make in so many seconds.

    One look an interval of each triggerer for all deferred gates and the watcher, and one of each
    gate on a worker; and as many first ones, as a window may begin anywhere in an interval.
    """
    looks = triggerers * looks_within(seconds, INTERVAL)
    for gate in gates_of(connection):
        if gate.mode is Mode.POKING:
            looks += looks_within(seconds, INTERVAL)
        elif gate.mode is Mode.RESCHEDULED:
            looks += looks_within(seconds, LONG_INTERVAL)
    return looks


def looks_within(seconds: float, interval: float) -> int:
    """How many looks of one poll a window may hold."""
    return int(seconds // interval) + 1


def connections() -> int:
    """How many connections the DAG files are to make gates for."""
    return int(os.environ[CONNECTIONS_VARIABLE])
