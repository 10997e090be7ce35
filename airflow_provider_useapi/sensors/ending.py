"""How a gate's task ends: as was promised, whatever Airflow's own sensor makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from airflow_provider_useapi.compat import is_crash_of_trigger, is_deferral_timeout
from airflow_provider_useapi.exceptions import UseApiConnectionNotFoundError

if TYPE_CHECKING:
    from airflow_provider_useapi.sensors.gate_task import GateTask
    from airflow_provider_useapi.sensors.on_worker import WorkerGate


@contextmanager
def as_promised(sensor: GateTask, gate: WorkerGate | None = None) -> Iterator[None]:
    """
    Turn what the base class makes of an end into what was promised.

    Under ``soft_fail`` and ``never_fail`` it skips whatever fails. A permanent error, and a trigger
    that crashed, are not for skipping; a connection that is not found is for the task's retries,
    and under ``silent_fail`` nothing else gets past the base class; and a time-out should say what
    was waited for.

    :param sensor: the task.
    :param gate: whose time may be up; without one the time-out says so by itself.
    """
    try:
        yield
    except AirflowSkipException as skip:
        cause = skip.__cause__
        if isinstance(cause, AirflowFailException):
            raise _unwrapped(cause) from None
        if cause and is_crash_of_trigger(cause):
            raise cause from cause.__cause__
        if cause is None or isinstance(cause, AirflowSensorTimeout):
            raise AirflowSkipException(gate.timed_out() if gate else str(cause)) from None
        raise
    except AirflowFailException as failure:
        raise _unwrapped(failure) from failure.__cause__
    except AirflowSensorTimeout as timeout:
        kind = AirflowSkipException if sensor.soft_fail or sensor.never_fail else None
        told = gate.timed_out() if gate else str(timeout)
        raise (kind or AirflowSensorTimeout)(told) from None


def resumption(next_method: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """
    Where a task goes on after its trigger: a method, and its arguments.

    :param next_method: as Airflow has it.
    :param arguments: the same.
    """
    if is_deferral_timeout(next_method, arguments):
        # Airflow itself has given the gate up: there was no triggerer to do it in time.
        return "execute_complete", {"event": {"outcome": "timeout"}}
    return next_method, dict(arguments)


def _unwrapped(failure: AirflowFailException) -> Exception:
    """The error inside: a connection that is not found is an ordinary failure, for the retries."""
    cause = failure.__cause__
    return cause if isinstance(cause, UseApiConnectionNotFoundError) else failure
