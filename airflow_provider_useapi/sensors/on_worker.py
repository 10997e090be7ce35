"""A gate while a worker has it: its looks, what it remembers between them, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    PokeReturnValue,
)

from airflow_provider_useapi import clock
from airflow_provider_useapi.compat import task_notes
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.gate.memory import Memory, consider
from airflow_provider_useapi.gate.questions import ask_all, questions_of
from airflow_provider_useapi.gate.schedule import next_look
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.metrics import gate_ended

if TYPE_CHECKING:
    from airflow_provider_useapi.gate.verdict import Verdict
    from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

NOTE = "useapi_gate"
"""The key in the task's own store."""


class WorkerGate:
    """
    Looks with one hook on one connection; :meth:`close` it in the end.

    :param sensor: the task.
    :param context: its context.
    :param memory: what is known of the gate already.
    """

    def __init__(
        self, sensor: UseApiAccountSensor, context: Any, memory: Memory | None = None
    ) -> None:
        self._sensor = sensor
        self._hook = UseApiHook(sensor.useapi_conn_id)
        self._began = clock.monotonic()
        # Only a process that is rescheduled has to tell the next one.
        is_rescheduled = sensor.reschedule and not sensor.deferrable
        self._notes = task_notes(context) if is_rescheduled else None
        if memory is None and self._notes is not None:
            memory = Memory.from_note(self._notes.get(NOTE))
        self.memory = memory or Memory()

    def look(self) -> PokeReturnValue:
        """
        Look once, unless the API wants to be left alone.

        :raises AirflowFailException: on a permanent error.
        """
        if self.memory.is_held(clock.now()):
            return PokeReturnValue(False)
        found, at = self._find(), clock.now()
        step = consider(self.memory, found, at)
        for level, line in step.lines:
            getattr(self._sensor.log, level)("%s", line)
        if step.failed:
            self._count("failed")
            raise AirflowFailException(str(step.failed)) from step.failed
        if step.opened:
            self._count("open")
            return PokeReturnValue(True, step.opened.to_xcom(at.isoformat()))
        self._remember(step.memory)
        return PokeReturnValue(False)

    def wait(self, interval: float, left: float) -> float:
        """
        Seconds until the next look.

        :param interval: seconds between two looks.
        :param left: seconds until the time-out.
        :raises AirflowSensorTimeout: if the API wants to be left alone for longer than that.
        """
        wait, is_look = next_look(interval, left, self.memory, clock.now())
        if self._sensor.reschedule and not is_look and self._notes is None:
            # The next process would know nothing of this and ask against the API's wish.
            self._sensor.log.warning(
                "The API wants to be left alone for longer than this gate may wait: it stays here"
                " until its time-out in %.0f s.",
                left,
            )
            clock.sleep(wait)
            raise AirflowSensorTimeout
        return wait

    def timed_out(self) -> str:
        """What the gate says when its time is up."""
        self._count("timeout")
        return self.memory.timed_out(self._sensor.timeout)

    def close(self) -> None:
        """Close the connection."""
        self._hook.close()

    def _find(self) -> Verdict | UseApiError:
        try:
            try:
                return self._ask()
            except UseApiAuthError:
                # A token that is being renewed must not end every gate that waits.
                if not self._hook.token_changed():
                    raise
                self._sensor.log.info(
                    "The token was refused, but the connection has a new one: looking again."
                )
                return self._ask()
        except UseApiError as e:
            return e

    def _ask(self) -> Verdict:
        sensor = self._sensor
        # A template may render to None where it stood for a name; that is not "no service".
        service = "" if sensor.service is None and sensor.names_service else sensor.service
        questions = questions_of(service, sensor.thresholds, sensor.jobs_per_account)
        return ask_all(questions, self._hook.answer)

    def _remember(self, memory: Memory) -> None:
        if self._notes is not None and memory.to_note() != self.memory.to_note():
            self._notes.set(NOTE, memory.to_note())
        self.memory = memory

    def _count(self, outcome: str) -> None:
        # A trigger counts for itself, and a process that was rescheduled knows only of itself.
        if not self._sensor.deferrable and not self._sensor.reschedule:
            gate_ended(outcome, clock.monotonic() - self._began)
