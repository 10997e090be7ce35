"""A gate while a worker has it: its looks, what it remembers between them, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    PokeReturnValue,
)

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.kept_credits import CreditRound
from airflow_provider_useapi.compat import task_notes
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.questions import Question, ask_all, look
from airflow_provider_useapi.gate.schedule import RECHECK, next_look
from airflow_provider_useapi.gate.step import Step, consider, not_made
from airflow_provider_useapi.hooks.questions import answer, credit_round
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.metrics import gate_ended

if TYPE_CHECKING:
    from airflow_provider_useapi.gate.verdict import Verdict
    from airflow_provider_useapi.sensors.gate_task import GateTask

NOTE = "useapi_gate"
"""The key in the task's own store."""


class WorkerGate:
    """
    Looks with one hook on one connection, inside a ``with`` block.

    :param sensor: the task.
    :param context: its context.
    :param memory: what is known of the gate already.
    """

    def __init__(self, sensor: GateTask, context: Any, memory: Memory | None = None) -> None:
        self._sensor = sensor
        self._hook = UseApiHook(sensor.useapi_conn_id)
        self._began = clock.monotonic()
        self._try = getattr(context.get("ti"), "try_number", None)
        # Only a process that is rescheduled has to tell the next one.
        is_rescheduled = sensor.reschedule and not sensor.deferrable
        self._notes = task_notes(context) if is_rescheduled else None
        self._forgets = is_rescheduled and self._notes is None
        self._noted = self._notes.get(NOTE) if self._notes is not None else None
        self.memory = memory or self._remembered(self._noted)

    def __enter__(self) -> WorkerGate:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hook.close()

    def look(self) -> PokeReturnValue:
        """
        Look once, unless an earlier answer forbids it.

        :raises AirflowFailException: on a permanent error, and where there is no connection.
        """
        if self._is_held():
            self._take(not_made(self.memory, clock.now()))
            return PokeReturnValue(False)
        found, at = self._find(), clock.now()
        used = self._hook.settings
        step = consider(self.memory, found, at, Mark.of(used) if used else None)
        self._take(step)
        if step.failed:
            self._count("failed")
            raise AirflowFailException(str(step.failed)) from step.failed
        if step.opened:
            self._count("open")
            return PokeReturnValue(True, step.opened.to_xcom(at.isoformat()))
        return PokeReturnValue(False)

    def is_renewed(self, refused: Mark) -> bool:
        """
        Whether the connection leads elsewhere, or has another token, than one that was refused.

        :param refused: the mark of what was refused.
        """
        try:
            is_new = not refused.fits(self._hook.reread())
        except UseApiError:
            return False
        if is_new:
            self._sensor.log.info(messages.TOKEN_RENEWED)
        return is_new

    def wait(self, interval: float, left: float) -> float:
        """
        Seconds until the next look.

        :param interval: seconds between two looks.
        :param left: seconds until the time-out.
        :raises AirflowSensorTimeout: if ``Retry-After`` is later than that.
        """
        now = clock.now()
        # Rather too soon than too late: the last look must be known to be the last.
        surely_left = max(min(left, self._sensor.timeout), 0.0)
        self._remember(self.memory.ending(now + timedelta(seconds=surely_left)))
        # A process that will know nothing of this must not begin before it may ask.
        recheck = inf if self._forgets else RECHECK
        wait, is_look = next_look(interval, left, self.memory, now, recheck)
        if self._forgets and not is_look:
            self._sensor.log.warning(
                "Retry-After is later than the timeout: waiting on this worker until the timeout in"
                " %.0f s.",
                left,
            )
            clock.sleep(wait)
            raise AirflowSensorTimeout
        return wait

    def timed_out(self) -> str:
        """What the gate says when its time is up."""
        self._count("timeout")
        return self.memory.timed_out(self._sensor.timeout)

    def _is_held(self) -> bool:
        """Whether an earlier answer forbids a look, with the connection as it is now."""
        now = clock.now()
        if not self.memory.is_held(now):
            return False
        try:
            self.memory = self.memory.used_by(self._hook.reread())
        except UseApiError:
            return True  # nobody knows whether it leads elsewhere
        return self.memory.is_held(now)

    def _find(self) -> Verdict | UseApiError:
        condition = self._sensor.condition.rendered(self._sensor.service)
        try:
            return ask_all(look(condition), self._answer)
        except UseApiError as e:
            return e

    def _answer(self, question: Question) -> Any:
        if not isinstance(question, CreditRound):
            return answer(self._hook, question)
        # The account has been asked for, so that these are the settings that were used.
        used, mark = self._hook.settings, self.memory.mark
        is_same = used is not None and mark is not None and mark.fits(used)
        return credit_round(self._hook, question, self.memory.kept if is_same else {})

    def _take(self, step: Step) -> None:
        for level, line in step.lines:
            getattr(self._sensor.log, level)("%s", line)
        if not (step.failed or step.opened):
            self._remember(step.memory)

    def _remember(self, memory: Memory) -> None:
        self.memory = memory
        if self._notes is None:
            return
        note = memory.to_note() | ({} if self._try is None else {"try": self._try})
        if note != self._noted:
            self._notes.set(NOTE, note)
            self._noted = note

    def _remembered(self, note: object) -> Memory:
        """What the process before has noted; of another try of the task only the API's wish."""
        memory = Memory.from_note(note)
        noted = note.get("try", self._try) if isinstance(note, Mapping) else self._try
        return memory if noted == self._try else memory.only_hold()

    def _count(self, outcome: str) -> None:
        # A trigger counts for itself, and a process that was rescheduled knows only of itself.
        if not self._sensor.deferrable and not self._sensor.reschedule:
            gate_ended(outcome, clock.monotonic() - self._began)
