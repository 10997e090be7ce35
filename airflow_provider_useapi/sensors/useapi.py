"""The sensor that holds a pipeline back until a useapi.net account is ready for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_useapi import clock
from airflow_provider_useapi.compat import KEEPS_NOTES, without_logger
from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID
from airflow_provider_useapi.exceptions import UseApiConnectionNotFoundError
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.sensors.pace import (
    RESCHEDULE_SECONDS,
    check_pace,
    own_interval,
    time_left,
)
from airflow_provider_useapi.sensors.when_stored import WhenStored

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import StartTriggerArgs
    from jinja2 import Environment

    from airflow_provider_useapi.gate.memory import Memory
    from airflow_provider_useapi.gate.outcome import Failed
    from airflow_provider_useapi.sensors.on_worker import WorkerGate


class UseApiAccountSensor(BaseSensorOperator):
    """
    Wait until the subscription is active and a service has enough linked accounts.

    While closed, the gate logs every reason why. A transient error (429, 5xx, no answer) only
    delays it, and ``Retry-After`` is obeyed. A permanent one (a refused token, a wrong connection)
    fails the task at once, without retries, and is never turned into a skip by ``soft_fail``,
    ``never_fail`` or ``silent_fail``; those apply to the time-out. A gate that was answered before
    waits for its owner to renew a refused token: five minutes, or until the time-out. A connection
    that is not found at the first look is for the ``retries`` of the task.

    The XCom of an open gate: ``{"service", "slug", "subscription_is_active", "total", "active",
    "error", "allocations_left", "free_accounts", "free_job_slots", "in_trouble", "checked_at"}``.
    ``in_trouble``: hints of linked accounts that cannot be used, where a live threshold reads them.

    :param useapi_conn_id: id of the connection. (templated)
    :param service: slug or key of a service, such as ``kling`` or ``Kling API``; ``None`` waits for
        the subscription alone. (templated)
    :param min_active_accounts: minimum number of active linked accounts; 1 when not stated.
    :param max_error_accounts: maximum number of linked accounts in error.
    :param min_allocations_left: minimum number of linked accounts that can still be added.
    :param min_free_accounts: minimum number of linked accounts with a free job slot right now. This
        and the next one ask the service's live endpoints, once everything else holds.
    :param min_free_job_slots: minimum number of free job slots right now, of all accounts.
    :param jobs_per_account: your own limit of jobs that an account runs at a time; needed for
        services that publish no limit.
    :param min_credits: minimum number of credits on one account that can be used, and has a free
        job slot where one of the two above is stated. Never a sum, since accounts may share a pool;
        a plan that is not paid is not enough, nor is what is unknown. Read last, live at the
        service, and then kept for 10 minutes. Only for services that tell a number of credits.
    :param deferrable: look once on a worker, then wait in the triggerer, where all gates of one
        connection and interval share one request (Airflow 3.3+; before, each looks by itself).
    :param start_from_trigger: with ``deferrable``, make the first look in the triggerer as well.
    :param end_from_trigger: with ``deferrable``, end the task in the triggerer when the gate opens.
        What needs a worker all the same goes to one, and the log says why: the start of a mapped
        task, or of one with a template that only a worker can render (``ti.xcom_pull(...)``, macros
        of the DAG's own); the end of one with ``outlets``, with an ``on_success_callback`` or with
        an XCom that others are mapped over, and of any where a plugin listens to tasks; both before
        Airflow 3.3; a permanent error and a time-out always.
    """

    template_fields: Sequence[str] = ("useapi_conn_id", "service")
    ui_color = "#c3dff2"
    start_trigger_args = WhenStored(None, lambda sensor: sensor._start())
    start_from_trigger = WhenStored(False, lambda sensor: sensor.start_trigger_args is not None)
    _wants_start = False
    _written: Mapping[str, Any] | None = None

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
        min_credits: int | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.useapi_conn_id = useapi_conn_id
        self.service = service
        self.condition = Condition(
            # An output of another task is known when it is rendered.
            service=service if service is None or isinstance(service, str) else "",
            min_active_accounts=min_active_accounts,
            max_error_accounts=max_error_accounts,
            min_allocations_left=min_allocations_left,
            min_free_accounts=min_free_accounts,
            min_free_job_slots=min_free_job_slots,
            jobs_per_account=jobs_per_account,
            min_credits=min_credits,
        )
        if min_credits is not None and self.reschedule and not deferrable and not KEEPS_NOTES:
            check_pace(self.poke_interval)
        self.deferrable = deferrable
        # Not under its own name: Airflow refuses every DAG file that holds a task with an attribute
        # end_from_trigger where a plugin listens to tasks. The trigger asks for that by itself.
        self.ends_in_triggerer = end_from_trigger
        self._entered: datetime | None = None
        self._gate: WorkerGate | None = None
        self._wants_start = start_from_trigger

    @property
    def written(self) -> Mapping[str, Any]:
        """The template fields as they stand in the DAG file."""
        return self._written or {"useapi_conn_id": self.useapi_conn_id, "service": self.service}

    def render_template_fields(
        self, context: Context, jinja_env: Environment | None = None
    ) -> None:
        """Render, and keep what was written: to tell why only a worker could."""
        self._written = self.written
        super().render_template_fields(context, jinja_env)

    def execute(self, context: Context) -> Any:
        """Wait; see the class for how it ends."""
        from airflow_provider_useapi.sensors.ending import as_promised

        self._entered = clock.now()
        with self._at_work(context) as gate, as_promised(self, gate):
            if not self.deferrable:
                return super().execute(context)
            from airflow_provider_useapi.sensors.deferral import start_obstacle

            if self._wants_start and (obstacle := start_obstacle(self, context)):
                self.log.info("This gate makes its first check on a worker: %s.", obstacle)
            if found := self.poke(context):
                return found.xcom_value
            return self._defer(context, gate)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Go on after the trigger; see the class for how it ends."""
        from airflow_provider_useapi.sensors.ending import as_promised, resumption

        with as_promised(self):
            return super().resume_execution(*resumption(next_method, next_kwargs or {}), context)

    def execute_complete(self, context: Context, event: Any = None, **_: Any) -> Any:
        """
        End the task as the trigger says.

        A gate whose time is up gets its last look here, and so does one whose token was refused, if
        the connection has another one by now.

        :raises AirflowFailException: on a permanent error.
        :raises UseApiConnectionNotFoundError: if there was no connection to begin with.
        :raises AirflowSensorTimeout: if the gate is still closed at its time-out.
        """
        from airflow_provider_useapi.gate.outcome import Failed, Opened, Retry, from_payload
        from airflow_provider_useapi.sensors.deferral import end_obstacle

        ending = from_payload(event)
        if isinstance(ending, Retry):
            raise UseApiConnectionNotFoundError(ending.reason)
        if isinstance(ending, Opened):
            if self.ends_in_triggerer and (obstacle := end_obstacle(self, context)):
                self.log.info("The gate is open. A worker ends this task: %s.", obstacle)
            return dict(ending.xcom)
        if isinstance(ending, Failed):
            return self._look_after_refusal(context, ending)
        with self._at_work(context, ending.memory.ending(clock.now())) as gate:
            if found := gate.look():
                return found.xcom_value
            raise AirflowSensorTimeout(gate.timed_out())

    def poke(self, context: Context) -> PokeReturnValue:
        """One look; a permanent error is an ``AirflowFailException``."""
        with self._at_work(context) as gate:
            return gate.look()

    def _look_after_refusal(self, context: Context, failed: Failed) -> Any:
        with self._at_work(context) as gate:
            if not (failed.refused and gate.is_renewed(failed.refused)):
                raise AirflowFailException(failed.reason)
            if found := gate.look():
                return found.xcom_value
            return self._defer(context, gate, failed.since)

    def __getstate__(self) -> dict[str, Any]:
        """A sensor that has logged can be pickled all the same."""
        state: dict[str, Any] = super().__getstate__()  # type: ignore[no-untyped-call]
        return without_logger(state)

    @contextmanager
    def _at_work(self, context: Context, memory: Memory | None = None) -> Iterator[WorkerGate]:
        """The gate, for as long as this worker has it."""
        from airflow_provider_useapi.sensors.on_worker import WorkerGate

        if self._gate:
            yield self._gate
            return
        with WorkerGate(self, context, memory) as self._gate:
            try:
                yield self._gate
            finally:
                self._gate = None

    def _start(self) -> StartTriggerArgs | None:
        """How Airflow is to start this task in the triggerer; ``None`` if it is not."""
        if not (self._wants_start and self.deferrable):
            return None
        from airflow_provider_useapi.sensors.deferral import start_trigger_args

        return start_trigger_args(self)

    def _defer(self, context: Context, gate: WorkerGate, since: float | None = None) -> NoReturn:
        from airflow_provider_useapi.sensors.deferral import deferral

        since = since or (self._entered.timestamp() if self._entered else None)
        self.defer(**deferral(self, context, gate.memory, since))

    def _get_next_poke_interval(
        self, started_at: datetime | float, run_duration: Callable[[], float], poke_count: int
    ) -> float:
        """The one place where both modes learn when to look again."""
        elapsed = run_duration()
        interval = own_interval(self, started_at, elapsed)
        if self._gate is None:
            return interval
        wait = self._gate.wait(interval, time_left(self, started_at, elapsed, self._entered))
        return max(wait, RESCHEDULE_SECONDS) if self.reschedule else wait
