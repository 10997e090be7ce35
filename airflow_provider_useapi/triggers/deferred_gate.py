"""The trigger of a deferred gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from math import inf
from typing import Any, Unpack

from airflow.triggers.base import TriggerEvent

from airflow_provider_useapi import clock
from airflow_provider_useapi.compat import SHARES_STREAMS, given_up_at, push_from_trigger
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate.memory import Memory, consider
from airflow_provider_useapi.gate.outcome import Ending, Failed, Opened, TimedOut, to_payload
from airflow_provider_useapi.gate.schedule import GRACE, backoff, phase
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.metrics import gate_ended
from airflow_provider_useapi.triggers.base import Condition, ConditionTrigger
from airflow_provider_useapi.triggers.shared_look import Look
from airflow_provider_useapi.triggers.shared_poll import Poll

_FAR = 10 * 365 * 86400.0


class UseApiAccountTrigger(ConditionTrigger):
    """
    Waits until a gate is open, and fires once.

    The sensor's ``deferrable=True`` uses it. In a triggerer of Airflow 3.3 all that have one
    connection and interval share one poll; before, each looks by itself, spread over the interval.

    :param useapi_conn_id: id of the connection.
    :param service: slug or key of a service; ``None`` waits for the subscription alone.
    :param min_active_accounts: at least so many linked accounts are active; 1 when not stated.
    :param max_error_accounts: at most so many are in error.
    :param min_allocations_left: the subscription allows at least so many more accounts.
    :param min_free_accounts: at least so many accounts have a free job slot right now.
    :param min_free_job_slots: at least so many job slots are free right now.
    :param jobs_per_account: how many jobs an account may run at a time, in the user's view.
    :param poke_interval: seconds between two looks, 1 at the least.
    :param timeout: seconds until the gate gives up.
    :param since: when the gate began to wait, in seconds since the epoch; ``None`` if it begins
        with this trigger.
    :param looked: when a worker ended its look at the gate, in seconds since the epoch.
    :param note: what the gate knows from that look, as ``Memory.to_note()``.
    :param names_service: whether a service was named: a template may have rendered to ``None``.
    :param exponential_backoff: look less and less often.
    :param max_wait: seconds between two looks at the most, with ``exponential_backoff``.
    :param end_from_trigger: end the task here when the gate opens, without a worker (Airflow 3.3+).
    :param xcoms: what to push then: ``none``, the ``value``, or the value and all its ``keys``.
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
        **condition: Unpack[Condition],
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
        self._memory = Memory()
        self._found: Verdict | UseApiError | None = None

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
        }

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Look]
    ) -> AsyncIterator[TriggerEvent]:
        """The end of the gate, which may be the end of its task."""
        poll = self.shared_poll()
        poll.hold(self._known().not_before)
        async with aclosing(poll.from_now_on(shared_stream, self.looked)) as looks:
            ending = await self._wait(poll, looks)
        is_over = isinstance(ending, Opened) and await self._ends_task(ending)
        yield _success() if is_over else TriggerEvent(to_payload(ending))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The end of the gate, with a poll of its own: Airflow before 3.3, and ``dag.test()``."""
        poll = self.own_poll()
        poll.hold(self._known().not_before)
        if not SHARES_STREAMS:
            # All gates that begin together, or after a restart, spread over the interval.
            poll.delay(phase(self._identity(), poll.interval))
        elif self.looked is not None:
            poll.follow(self.looked)
        async with aclosing(poll.looks()) as looks:
            ending = await self._wait(poll, looks)
        yield TriggerEvent(to_payload(ending))

    async def _wait(self, poll: Poll, looks: AsyncIterator[Look]) -> Ending:
        began, self._memory = self._began(), self._known()
        ending: Ending
        with poll.gate():
            try:
                async with asyncio.timeout(began + self.timeout - clock.time()) as limit:
                    ending = await self._ending(poll, looks, began)
            except TimeoutError:
                if not limit.expired():
                    raise
                ending = TimedOut(self._memory)
        gate_ended(ending.outcome, clock.time() - began)
        return ending

    async def _ending(self, poll: Poll, looks: AsyncIterator[Look], began: float) -> Ending:
        moments = backoff(poll.interval, self.max_wait, f"{self._identity()}#{began}")
        # Any look will do, unless the gate comes from a worker: its first look was there.
        due = next(moments) if self.exponential_backoff and self.since is not None else -inf
        async for look in looks:
            elapsed = look.at.timestamp() - began
            is_early = elapsed < due or (self.since is not None and elapsed < 0)
            if is_early or self.exponential_backoff or self.is_live:
                poll.tell_next()
            if is_early:
                continue
            if ending := await self._consider(look):
                return ending
            if self.exponential_backoff:
                due = next(moment for moment in moments if moment > elapsed)
        raise RuntimeError("the poll has ended, which it never does")

    def _known(self) -> Memory:
        """What the gate knows from its look on the worker, which has logged it."""
        if self.note is None:
            return Memory()
        return Memory.from_note(self.note).told(clock.now())

    async def _consider(self, look: Look) -> Ending | None:
        found = await self.judge(look)
        if found is self._found and not self._memory.is_news(look.at):
            return None
        self._found = found
        step = consider(self._memory, found, look.at)
        self._memory = step.memory
        for level, line in step.lines:
            getattr(self.log, level)("%s", line)
        if step.failed:
            return Failed(str(step.failed))
        return Opened(step.opened.to_xcom(look.at.isoformat())) if step.opened else None

    def _began(self) -> float:
        """When the gate began to wait, in seconds since the epoch."""
        if self.since is not None:
            return self.since
        # Begun without a worker: what Airflow keeps outlives this process.
        until = given_up_at(self)
        return until.timestamp() - GRACE - self.timeout if until else clock.time()

    async def _ends_task(self, ending: Opened) -> bool:
        """Push what the task pushes, if it can end without a worker."""
        if not self.end_from_trigger or self._needs_worker():
            return False
        value = dict(ending.xcom)
        xcoms = {} if self.xcoms == "none" else {"return_value": value}
        xcoms |= value if self.xcoms == "keys" else {}
        if not xcoms:
            return True
        try:
            await push_from_trigger(self.task_instance, xcoms)
        except Exception as e:  # noqa: BLE001 - whatever keeps the XComs; a worker can do it as well
            self.log.warning("A worker ends this task: its XCom failed with %s.", type(e).__name__)
            return False
        return True

    def _needs_worker(self) -> bool:
        # Only a task that began here is known here; else the worker has seen to it.
        needs = ("outlets", "has_on_success_callback")
        dependants = getattr(self.task, "iter_mapped_dependants", tuple)
        return any(getattr(self.task, name, None) for name in needs) or any(dependants())

    def _identity(self) -> str:
        names = ("dag_id", "task_id", "run_id", "map_index")
        return "#".join(str(getattr(self.task_instance, name, "")) for name in names)


def _success() -> TriggerEvent:
    from airflow.triggers.base import TaskSuccessEvent  # Airflow 3

    return TaskSuccessEvent()
