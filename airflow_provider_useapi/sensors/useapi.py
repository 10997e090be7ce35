"""The sensor that holds a pipeline back until a useapi.net account is ready for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_useapi.compat import task_notes
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.form import DEFAULT_CONN_ID
from airflow_provider_useapi.gate import Thresholds, Verdict, check_arguments, judge
from airflow_provider_useapi.waiting import Memory, next_look

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_useapi.compat import Notes
    from airflow_provider_useapi.hooks.useapi import UseApiHook

NOTE = "useapi_gate"
"""The key in the task's own store."""

RESCHEDULE_SECONDS = 1.0
"""A scheduler takes a task that is queued again sooner for one that died, and counts a try."""


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
    :param deferrable: not there yet: such a gate runs in ``reschedule`` mode, which frees the
        worker between looks as well.
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
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.useapi_conn_id = useapi_conn_id
        self.service = service
        self.thresholds = Thresholds(min_active_accounts, max_error_accounts, min_allocations_left)
        check_arguments(service, self.thresholds)
        self.deferrable = deferrable
        if deferrable:
            self.mode = "reschedule"
        self._names_service = service is not None
        self._entered: datetime | None = None
        self._hook: UseApiHook | None = None
        self._memory: Memory | None = None
        self._notes: Notes | None = None

    def execute(self, context: Context) -> Any:
        """Wait; see the class for how it ends."""
        self._entered = datetime.now(UTC)
        if self.deferrable:
            self.log.warning(
                "deferrable=True is not supported yet: this gate runs in reschedule mode, which"
                " frees the worker between looks."
            )
        try:
            return super().execute(context)
        except AirflowSkipException as skip:
            # The base class skips whatever fails under soft_fail and never_fail. A permanent
            # error is not for skipping, and a time-out should say what was waited for.
            if isinstance(skip.__cause__, AirflowFailException):
                raise skip.__cause__ from skip.__cause__.__cause__
            if skip.__cause__ is None:
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

    def poke(self, context: Context) -> PokeReturnValue | bool:
        """
        One look.

        :raises AirflowFailException: on a permanent error.
        """
        now = datetime.now(UTC)
        memory = self._recall(context)
        if memory.is_held(now):
            return False
        verdict: Verdict | None = None
        try:
            verdict = self._look()
        except UseApiError as e:
            if e.permanent:
                raise AirflowFailException(str(e)) from e
            # Counted from the answer, not from the question: a look takes its time.
            memory = memory.failed(e, datetime.now(UTC))
            say = self.log.warning
        else:
            if verdict.open:
                self._say(verdict, self.log.info, verdict.opening())
                return PokeReturnValue(True, verdict.to_xcom(now.isoformat()))
            memory = memory.closed(verdict)
            say = self.log.info
        if memory.is_news(now):
            self._say(verdict, say, memory.finding())
            memory = memory.told(now)
        self._remember(memory)
        return False

    def _say(self, verdict: Verdict | None, say: Callable[..., None], finding: str) -> None:
        for warning in verdict.warnings if verdict else ():
            self.log.warning("%s", warning)
        say("%s", finding)

    def _look(self) -> Verdict:
        from airflow_provider_useapi.hooks.useapi import UseApiHook

        self._hook = hook = self._hook or UseApiHook(self.useapi_conn_id)
        try:
            account = hook.look()
        except UseApiAuthError:
            # A token that is being renewed must not end every gate that waits.
            if not hook.token_changed():
                raise
            self.log.info("The token was refused, but the connection has a new one: looking again.")
            account = hook.look()
        # A template may render to None where it stood for a name; that is not "no service".
        service = "" if self.service is None and self._names_service else self.service
        return judge(account, service, self.thresholds)

    def _recall(self, context: Context) -> Memory:
        if self._memory is None:
            self._memory = Memory()
            if self.reschedule and (notes := task_notes(context)) is not None:
                self._notes = notes
                self._memory = Memory.from_note(notes.get(NOTE))
        return self._memory

    def _remember(self, memory: Memory) -> None:
        if self._notes is not None and (
            self._memory is None or memory.to_note() != self._memory.to_note()
        ):
            self._notes.set(NOTE, memory.to_note())
        self._memory = memory

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
