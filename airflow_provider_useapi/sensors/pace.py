"""How often a gate on a worker looks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_useapi.exceptions import UseApiConfigError

if TYPE_CHECKING:
    from airflow_provider_useapi.sensors.gate_task import GateTask

RESCHEDULE_SECONDS = 1.0
"""A task that is queued again sooner looks dead to a scheduler, which counts a try."""

LEAST_SECONDS_OF_CREDITS = 600.0
"""Credits are not read more often than that."""


def own_interval(sensor: GateTask, started_at: datetime | float, elapsed: float) -> float:
    """
    Seconds between two looks, as the arguments of the task say.

    Not as the base class works them out: its backoff overflows after some 1000 looks.

    :param started_at: when the gate began to wait, as Airflow tells it.
    :param elapsed: seconds since.
    """
    interval = float(sensor.poke_interval)
    if not sensor.exponential_backoff:
        return interval
    from airflow_provider_useapi.gate.schedule import next_backoff

    max_wait = sensor.max_wait.total_seconds() if sensor.max_wait else None
    seed = f"{sensor.dag_id}#{sensor.task_id}#{started_at}"
    return next_backoff(elapsed, interval, max_wait, seed)


def time_left(
    sensor: GateTask, started_at: datetime | float, elapsed: float, entered: datetime | None
) -> float:
    """
    Seconds until the time-out.

    :param started_at: when the gate began to wait, as Airflow tells it.
    :param elapsed: seconds since.
    :param entered: when this process took it over.
    """
    if entered and isinstance(started_at, datetime) and started_at >= entered:
        # Airflow 3 counts from the first rescheduling, which comes a moment after this.
        return sensor.timeout + RESCHEDULE_SECONDS
    return sensor.timeout - elapsed


def check_pace(poke_interval: float) -> None:
    """
    Refuse a pace at which each process reads the credits, where nothing is kept between two.

    :raises UseApiConfigError: if that would be too often.
    """
    if poke_interval < LEAST_SECONDS_OF_CREDITS:
        raise UseApiConfigError(
            "min_credits with mode='reschedule' needs poke_interval=600 or more on Airflow before"
            f" 3.3, where nothing is kept between two checks; it is {poke_interval:g}. Or use"
            " mode='poke' or deferrable=True."
        )
