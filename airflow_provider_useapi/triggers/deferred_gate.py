"""The trigger of a deferred gate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, Unpack

from airflow.triggers.base import TriggerEvent

from airflow_provider_useapi import clock
from airflow_provider_useapi.compat import SHARES_STREAMS, given_up_at
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiConnectionNotFoundError,
    UseApiError,
)
from airflow_provider_useapi.gate.condition import CREDITS
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.outcome import Ending, Failed, Opened, Retry, TimedOut, to_payload
from airflow_provider_useapi.gate.schedule import GRACE, next_backoff, phase
from airflow_provider_useapi.gate.step import consider
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.metrics import gate_ended
from airflow_provider_useapi.triggers.condition_trigger import ConditionTrigger, TriggerArguments
from airflow_provider_useapi.triggers.polls import own_poll
from airflow_provider_useapi.triggers.shared_credits import bring
from airflow_provider_useapi.triggers.shared_look import Look
from airflow_provider_useapi.triggers.shared_poll import Poll
from airflow_provider_useapi.triggers.task_end import end_task, success

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import DAG, Context
    from jinja2 import Environment

_FAR = 10 * 365 * 86400.0

_BEGUN_ELSEWHERE = 60.0
"""Seconds after which a gate that began in a triggerer has looked, if this is another triggerer."""


class UseApiAccountTrigger(ConditionTrigger):
    """
    Waits until a gate is open, and fires once.

    The sensor's ``deferrable=True`` uses it. In a triggerer of Airflow 3.3 all that have one
    connection and interval share one poll; before, each looks by itself, spread over the interval.

    :param useapi_conn_id: id of the connection.
    :param service: slug or key of a service; ``None`` waits for the subscription alone.
    :param min_active_accounts: minimum number of active linked accounts; 1 when not stated.
    :param max_error_accounts: maximum number of linked accounts in error.
    :param min_allocations_left: minimum number of linked accounts that can still be added.
    :param min_free_accounts: minimum number of linked accounts with a free job slot right now.
    :param min_free_job_slots: minimum number of free job slots right now, of all accounts.
    :param jobs_per_account: the user's own limit of jobs that an account runs at a time.
    :param poke_interval: seconds between two looks, at least 1.
    :param timeout: seconds until the gate gives up.
    :param since: when the gate began to wait, in seconds since the epoch; ``None`` if it begins
        with this trigger.
    :param looked: when a worker ended its look at the gate, in seconds since the epoch.
    :param note: what the gate knows from that look, as ``Memory.to_note()``.
    :param names_service: whether a service was named: a template may have rendered to ``None``.
    :param exponential_backoff: look less and less often.
    :param max_wait: at most that many seconds between two looks, with ``exponential_backoff``.
    :param end_from_trigger: end the task here when the gate opens, without a worker (Airflow 3.3+).
    :param xcoms: what to push then: ``none``, the ``value``, or the value and all its ``keys``.
    :param min_credits: minimum number of credits on one account that can be used.
    """

    # Routed by the queue of its task like any deferred task; a watcher is not.
    supports_triggerer_queue = True

    def __init__(
        self,
        *,
        timeout: float = _FAR,
        since: float | None = None,
        looked: float | None = None,
        note: dict[str, Any] | None = None,
        names_service: bool = False,
        exponential_backoff: bool = False,
        max_wait: float | None = None,
        end_from_trigger: bool = False,
        xcoms: str = "value",
        min_credits: int | None = None,
        **condition: Unpack[TriggerArguments],
    ) -> None:
        super().__init__(**condition)
        self.timeout = timeout
        self.since = since
        self.looked = looked
        self.note = note
        self.names_service = names_service
        self.exponential_backoff = exponential_backoff
        self.max_wait = max_wait
        self.end_from_trigger = end_from_trigger
        self.xcoms = xcoms
        self.min_credits = min_credits

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its arguments."""
        path, arguments = super().serialize()
        return path, {
            **arguments,
            "timeout": self.timeout,
            "since": self.since,
            "looked": self.looked,
            "note": self.note,
            "names_service": self.names_service,
            "exponential_backoff": self.exponential_backoff,
            "max_wait": self.max_wait,
            "end_from_trigger": self.end_from_trigger,
            "xcoms": self.xcoms,
            # An older triggerer does not know it.
            **({} if self.min_credits is None else {CREDITS: self.min_credits}),
        }

    def get_template_env(self, dag: DAG | None = None) -> Environment:
        """Airflow's own, but as strict as that of a worker: what is not defined is an error."""
        from jinja2 import StrictUndefined

        environment: Environment = super().get_template_env(dag)
        environment.undefined = StrictUndefined
        return environment

    def render_template_fields(
        self, context: Context, jinja_env: Environment | None = None
    ) -> None:
        """Render what no worker has rendered: a value may look like a template."""
        if self.since is None:
            super().render_template_fields(context, jinja_env)

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Look]
    ) -> AsyncIterator[TriggerEvent]:
        """The end of the gate, which may be the end of its task."""
        ending = await self._wait(self.shared_poll())
        is_over = isinstance(ending, Opened) and await end_task(self, ending)
        yield success() if is_over else TriggerEvent(to_payload(ending))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The end of the gate, with a poll of its own: Airflow before 3.3, and ``dag.test()``."""
        # All gates that begin together, or after a restart, spread over the interval.
        delay = 0.0 if SHARES_STREAMS else phase(self._identity(), self.poke_interval)
        poll = own_poll(self.useapi_conn_id, self.poke_interval, delay)
        async with poll.running():
            ending = await self._wait(poll)
        yield TriggerEvent(to_payload(ending))

    async def _wait(self, poll: Poll) -> Ending:
        began, memory = self._began(), Memory()
        if self.note is not None:  # the worker has logged it
            memory = Memory.from_note(self.note).told(clock.now())
        seed = f"{self._identity()}#{began}" if self.exponential_backoff else ""
        # A gate from a worker had its first look there.
        due = self._backoff(0.0, seed) if self.since is not None else -inf
        ending: Ending | None = None
        with poll.join(
            memory,
            left=began + self.timeout - clock.time(),
            own_look=self._own_look(poll.interval),
            every_look=self.is_live or self.exponential_backoff,
            is_gate=True,
        ) as looks:
            async for look in looks:
                elapsed = look.at.timestamp() - began
                if elapsed < due:
                    continue
                if self.since is None and elapsed > max(_BEGUN_ELSEWHERE, 2 * poll.interval):
                    memory = replace(memory, is_taken_over=True)
                bring(memory, look.settings)
                found = await self.judge(look, began)
                memory, ending = self._consider(memory, found, look, began)
                if ending:
                    break
                due = self._backoff(elapsed, seed)
        ending = ending or TimedOut(memory)
        gate_ended(ending.outcome, clock.time() - began)
        return ending

    def _consider(
        self, memory: Memory, found: Verdict | UseApiError, look: Look, began: float
    ) -> tuple[Memory, Ending | None]:
        step = consider(memory, found, look.at, look.mark)
        for level, line in step.lines:
            getattr(self.log, level)("%s", line)
        if step.opened:
            return step.memory, Opened(step.opened.to_xcom(look.at.isoformat()))
        if isinstance(step.failed, UseApiConnectionNotFoundError):
            return step.memory, Retry(str(step.failed))
        if step.failed:
            refused = look.mark if isinstance(step.failed, UseApiAuthError) else None
            return step.memory, Failed(str(step.failed), refused, began if refused else None)
        return step.memory, None

    def _backoff(self, elapsed: float, seed: str) -> float:
        """How many seconds after its beginning the gate looks next; -inf if any look will do."""
        if not self.exponential_backoff:
            return -inf
        elapsed = max(elapsed, 0.0)
        return elapsed + next_backoff(elapsed, self.poke_interval, self.max_wait, seed)

    def _own_look(self, interval: float) -> float | None:
        """For how many seconds the look of the worker that the gate comes from still stands."""
        if self.since is None:
            return None
        # The worker's clock is another one: whatever it says, this is within the interval.
        return min(max((self.looked or self.since) + interval - clock.time(), 0.0), interval)

    def _began(self) -> float:
        """When the gate began to wait, in seconds since the epoch."""
        if self.since is not None:
            return self.since
        # Begun without a worker: what Airflow keeps outlives this process.
        until = given_up_at(self)
        return until.timestamp() - GRACE - self.timeout if until else clock.time()

    def _identity(self) -> str:
        names = ("dag_id", "task_id", "run_id", "map_index")
        return "#".join(str(getattr(self.task_instance, name, "")) for name in names)
