"""The sensor that holds a pipeline back until a useapi.net account is ready for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_useapi.compat import SHARES_STREAMS, is_crash_of_trigger, task_notes
from airflow_provider_useapi.endings import (
    GRACE,
    Failed,
    Opened,
    TimedOut,
    from_payload,
    to_payload,
)
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.form import DEFAULT_CONN_ID
from airflow_provider_useapi.gate import Thresholds, Verdict, check_arguments
from airflow_provider_useapi.pacing import next_look
from airflow_provider_useapi.waiting import Memory, consider

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_useapi.compat import Notes
    from airflow_provider_useapi.hooks.useapi import UseApiHook

NOTE = "useapi_gate"
"""The key in the task's own store."""

RESCHEDULE_SECONDS = 1.0
"""A scheduler takes a task that is queued again sooner for one that died, and counts a try."""

_TRIGGER = "airflow_provider_useapi.triggers.useapi.UseApiAccountTrigger"
_FAR = 10 * 365 * 86400.0
"""Seconds beyond which some databases have no date."""


class UseApiAccountSensor(BaseSensorOperator):
    """
    Wait until the subscription is active and a service has enough linked accounts.

    While closed, the gate logs every reason why. A transient error (429, 5xx, no answer) only
    delays it, and ``Retry-After`` is kept. A permanent one (a refused token, a wrong connection)
    fails the task at once, without retries, and is never turned into a skip by ``soft_fail``,
    ``never_fail`` or ``silent_fail``; those speak of the time-out.

    The XCom of an open gate: ``{"service", "slug", "subscription_is_active", "total", "active",
    "error", "allocations_left", "free_accounts", "free_job_slots", "checked_at"}``.

    :param useapi_conn_id: id of the connection. (templated)
    :param service: slug or key of a service, such as ``kling`` or ``Kling API``; ``None`` waits for
        the subscription alone. (templated)
    :param min_active_accounts: at least so many linked accounts are active; 1 when not stated.
    :param max_error_accounts: at most so many are in error.
    :param min_allocations_left: the subscription allows at least so many more accounts.
    :param min_free_accounts: at least so many accounts have a free job slot right now. This and the
        next one ask the service's live endpoints, once everything else holds.
    :param min_free_job_slots: at least so many job slots are free right now, of all accounts.
    :param jobs_per_account: how many jobs an account may run at a time, in your view; needed for
        services that publish no limit.
    :param deferrable: look once on a worker, then wait in the triggerer, where all gates of one
        connection and interval share one request (Airflow 3.3+; before, each looks by itself).
    :param start_from_trigger: with ``deferrable``, make the first look in the triggerer as well.
    :param end_from_trigger: with ``deferrable``, end the task in the triggerer when the gate opens.
        What needs a worker all the same goes to one, and the log says why: the start of a mapped
        task, the end of one with ``outlets`` or an ``on_success_callback``, both before Airflow
        3.3; a permanent error and a time-out always.
    """

    template_fields: Sequence[str] = ("useapi_conn_id", "service")
    ui_color = "#c3dff2"

    def __init__(
        self,
        *,
        useapi_conn_id: str = DEFAULT_CONN_ID,
        service: str | None = None,
        min_active_accounts: int | None = None,
        max_error_accounts: int | None = None,
        min_allocations_left: int | None = None,
        min_free_accounts: int | None = None,
        min_free_job_slots: int | None = None,
        jobs_per_account: int | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.useapi_conn_id = useapi_conn_id
        self.service = service
        self.thresholds = Thresholds(
            min_active_accounts,
            max_error_accounts,
            min_allocations_left,
            min_free_accounts,
            min_free_job_slots,
        )
        self.jobs_per_account = jobs_per_account
        check_arguments(service, self.thresholds, jobs_per_account)
        self.deferrable = deferrable
        self.end_from_trigger = end_from_trigger
        self._names_service = service is not None
        self._entered: datetime | None = None
        self._hook: UseApiHook | None = None
        self._memory: Memory | None = None
        self._notes: Notes | None = None
        self._wants_start = deferrable and start_from_trigger
        is_plain = all(isinstance(field, str | None) for field in (useapi_conn_id, service))
        if self._wants_start and not self._start_obstacle(is_plain=is_plain):
            from airflow.triggers.base import StartTriggerArgs  # 10 ms, for those who need it

            # Not on the class: Airflow would start mapped tasks from there, without arguments.
            self.start_from_trigger = True
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=_TRIGGER,
                trigger_kwargs=self._trigger_arguments(),
                next_method="execute_complete",
                timeout=_given_up_after(self.timeout),
            )

    def execute(self, context: Context) -> Any:
        """Wait; see the class for how it ends."""
        self._entered = datetime.now(UTC)
        with self._outcome():
            if not self.deferrable:
                return super().execute(context)
            if self._wants_start and (obstacle := self._start_obstacle(context)):
                self.log.info("This gate makes its first look on a worker: %s.", obstacle)
            if found := self.poke(context):
                return found.xcom_value
            return self._defer()

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Go on after the trigger; see the class for how it ends."""
        arguments = next_kwargs or {}
        if next_method == "__fail__" and str(arguments.get("error")).endswith("timeout"):
            # Airflow itself has given the gate up: there was no triggerer to do it in time.
            next_method = "execute_complete"
            arguments = {"event": to_payload(TimedOut(Memory()))}
        with self._outcome():
            return super().resume_execution(next_method, arguments, context)

    def execute_complete(self, context: Context, event: Any = None, **_: Any) -> Any:
        """
        End the task as the trigger says; a gate whose time is up gets its last look here.

        :raises AirflowFailException: on a permanent error.
        :raises AirflowSensorTimeout: if the gate is still closed at its time-out.
        """
        ending = from_payload(event)
        if isinstance(ending, Failed):
            raise AirflowFailException(ending.reason)
        if isinstance(ending, Opened):
            if self.end_from_trigger and (obstacle := self._end_obstacle()):
                self.log.info("The gate is open. A worker ends this task: %s.", obstacle)
            return dict(ending.xcom)
        self._memory = ending.memory
        if found := self.poke(context):
            return found.xcom_value
        raise AirflowSensorTimeout(self._timed_out())

    def poke(self, context: Context) -> PokeReturnValue:
        """
        One look.

        :raises AirflowFailException: on a permanent error.
        """
        memory = self._recall(context)
        if memory.is_held(datetime.now(UTC)):
            return PokeReturnValue(False)
        found, at = self._look(), datetime.now(UTC)
        step = consider(memory, found, at)
        for level, line in step.lines:
            getattr(self.log, level)("%s", line)
        if step.failed:
            raise AirflowFailException(str(step.failed)) from step.failed
        if step.opened:
            return PokeReturnValue(True, step.opened.to_xcom(at.isoformat()))
        self._remember(step.memory)
        return PokeReturnValue(False)

    def _look(self) -> Verdict | UseApiError:
        from airflow_provider_useapi.hooks.useapi import UseApiHook

        self._hook = hook = self._hook or UseApiHook(self.useapi_conn_id)
        try:
            try:
                return self._verdict(hook)
            except UseApiAuthError:
                # A token that is being renewed must not end every gate that waits.
                if not hook.token_changed():
                    raise
                self.log.info(
                    "The token was refused, but the connection has a new one: looking again."
                )
                return self._verdict(hook)
        except UseApiError as e:
            return e

    def _verdict(self, hook: UseApiHook) -> Verdict:
        from airflow_provider_useapi.asking import ask_all, questions_of

        # A template may render to None where it stood for a name; that is not "no service".
        service = "" if self.service is None and self._names_service else self.service
        return ask_all(questions_of(service, self.thresholds, self.jobs_per_account), hook.answer)

    def _defer(self) -> NoReturn:
        from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger

        began = (self._entered or datetime.now(UTC)).timestamp()
        note = (self._memory or Memory()).to_note()
        trigger = UseApiAccountTrigger(**self._trigger_arguments(), since=began, note=note)
        left = began + self.timeout - time.time()
        self.defer(trigger=trigger, method_name="execute_complete", timeout=_given_up_after(left))

    def _trigger_arguments(self) -> dict[str, Any]:
        keyed = getattr(self, "multiple_outputs", False)
        return {
            "useapi_conn_id": self.useapi_conn_id,
            "service": self.service,
            **asdict(self.thresholds),
            "jobs_per_account": self.jobs_per_account,
            "poke_interval": self.poke_interval,
            "timeout": self.timeout,
            "names_service": self._names_service,
            "exponential_backoff": self.exponential_backoff,
            "max_wait": self.max_wait.total_seconds() if self.max_wait else None,
            "end_from_trigger": self.end_from_trigger and not self._end_obstacle(),
            "xcoms": "none" if not self.do_xcom_push else "keys" if keyed else "value",
        }

    def _start_obstacle(self, context: Context | None = None, *, is_plain: bool = True) -> str:
        """Why this gate cannot make its first look in the triggerer; empty if it can."""
        if not SHARES_STREAMS:
            return "Airflow before 3.3 cannot start it in the triggerer"
        if self.on_execute_callback or self._pre_execute_hook:
            return "only a worker calls its on_execute_callback and pre_execute"
        if self.execution_timeout and self.execution_timeout < _given_up_after(self.timeout):
            return "its execution_timeout, which the triggerer would count, is below its timeout"
        if context and getattr(context.get("ti"), "map_index", -1) >= 0:
            return "Airflow cannot start a mapped task in the triggerer"
        return "" if is_plain else "an argument of it comes from another task"

    def _end_obstacle(self) -> str:
        """Why the triggerer cannot end this task; empty if it can."""
        if not SHARES_STREAMS:
            return "Airflow before 3.3 cannot end it in the triggerer"
        if self.outlets:
            return "only a worker emits the events of its outlets"
        if self.on_success_callback:
            return "only a worker calls its on_success_callback"
        return "only a worker calls its post_execute" if self._post_execute_hook else ""

    def _recall(self, context: Context) -> Memory:
        if self._memory is None:
            self._memory = Memory()
            if (
                self.reschedule
                and not self.deferrable
                and (notes := task_notes(context)) is not None
            ):
                self._notes = notes
                self._memory = Memory.from_note(notes.get(NOTE))
        return self._memory

    def _remember(self, memory: Memory) -> None:
        if self._notes is not None and (
            self._memory is None or memory.to_note() != self._memory.to_note()
        ):
            self._notes.set(NOTE, memory.to_note())
        self._memory = memory

    @contextmanager
    def _outcome(self) -> Iterator[None]:
        """
        Turn what the base class makes of an end into what was promised.

        Under ``soft_fail`` and ``never_fail`` it skips whatever fails. A permanent error, and a
        trigger that crashed, are not for skipping; and a time-out should say what was waited for.
        """
        try:
            yield
        except AirflowSkipException as skip:
            cause = skip.__cause__
            if cause and (isinstance(cause, AirflowFailException) or is_crash_of_trigger(cause)):
                raise cause from cause.__cause__
            if cause is None or isinstance(cause, AirflowSensorTimeout):
                raise AirflowSkipException(self._timed_out()) from None
            raise
        except AirflowSensorTimeout:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(self._timed_out()) from None
            raise AirflowSensorTimeout(self._timed_out()) from None
        finally:
            if self._hook:
                self._hook.close()
            self._hook = self._memory = self._notes = None

    def _timed_out(self) -> str:
        return (self._memory or Memory()).timed_out(self.timeout)

    def _get_next_poke_interval(
        self, started_at: datetime | float, run_duration: Callable[[], float], poke_count: int
    ) -> float:
        """The one place where both modes learn when to look again."""
        interval = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        left = self.timeout - run_duration()
        if self._entered and isinstance(started_at, datetime) and started_at >= self._entered:
            # Airflow 3 counts from the first rescheduling, which comes a moment after this.
            left = self.timeout + RESCHEDULE_SECONDS
        memory = self._memory or Memory()
        wait, is_look = next_look(interval, left, memory, datetime.now(UTC))
        if self.reschedule and not is_look and self._notes is None:
            # The next process would know nothing of this and ask against the API's wish.
            self.log.warning(
                "The API wants to be left alone for longer than this gate may wait: it stays here"
                " until its time-out in %.0f s.",
                left,
            )
            time.sleep(wait)
            raise AirflowSensorTimeout
        return max(wait, RESCHEDULE_SECONDS) if self.reschedule else wait


def _given_up_after(timeout: float) -> timedelta:
    """When Airflow itself gives a deferred gate up: somewhat later than its trigger does."""
    return timedelta(seconds=min(max(timeout, 0.0) + GRACE, _FAR))
