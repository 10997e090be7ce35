"""The trigger of an asset watcher."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from hashlib import sha256
from typing import Any, Unpack

from airflow.triggers.base import TriggerEvent

from airflow_provider_useapi.compat.assets import asset_stores
from airflow_provider_useapi.exceptions import UseApiConfigError, UseApiError
from airflow_provider_useapi.gate.condition import CREDITS
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.step import consider
from airflow_provider_useapi.gate.transitions import CLOSED, OPEN, fires, problem_of
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.triggers.condition_trigger import ConditionTrigger, TriggerArguments
from airflow_provider_useapi.triggers.polls import own_poll
from airflow_provider_useapi.triggers.shared_look import Look
from airflow_provider_useapi.triggers.shared_poll import Poll

_TROUBLE = "Watcher blocked by a permanent error; next check in 10 minutes: %s"


class UseApiAccountEventTrigger(ConditionTrigger):
    """
    Fires when a gate opens or closes, for an ``AssetWatcher`` (Airflow 3.0+).

    It fires on the edge only: a state that lasts is one event, however long it lasts. On Airflow
    3.3 the last state is kept in the store of the asset, so that a new triggerer does not fire
    again; it is written first, so that a crash in between loses an event rather than doubling it.

    It never ends. Transient errors make it look less often, up to 10 minutes apart; a permanent one
    is logged once, and looked at again every 10 minutes, or when the connection changes.

    The payload holds ``state`` (``open`` or ``closed``), ``reasons`` (why closed), and what the
    XCom of the sensor holds.

    :param useapi_conn_id: id of the connection.
    :param service: slug or key of a service; ``None`` watches the subscription alone.
    :param min_active_accounts: minimum number of active linked accounts; 1 when not stated.
    :param max_error_accounts: maximum number of linked accounts in error.
    :param min_allocations_left: minimum number of linked accounts that can still be added.
    :param min_free_accounts: minimum number of linked accounts with a free job slot right now.
    :param min_free_job_slots: minimum number of free job slots right now, of all accounts.
    :param jobs_per_account: the user's own limit of jobs that an account runs at a time.
    :param poke_interval: seconds between two looks, at least 1.
    :param fire_on: ``open``, ``close`` or ``change``.
    :param emit_initial: whether the state at the very first look counts as an edge.
    """

    def __init__(
        self,
        *,
        fire_on: str = "open",
        emit_initial: bool = False,
        **condition: Unpack[TriggerArguments],
    ) -> None:
        if CREDITS in condition:
            raise UseApiConfigError(
                "A watcher takes no min_credits: it would read the credits for ever. Put a sensor"
                " with min_credits into the DAG that it starts."
            )
        super().__init__(**condition)
        self.fire_on = fire_on
        self.emit_initial = emit_initial

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its arguments."""
        path, arguments = super().serialize()
        return path, {**arguments, "fire_on": self.fire_on, "emit_initial": self.emit_initial}

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Look]
    ) -> AsyncIterator[TriggerEvent]:
        """The edges."""
        async with aclosing(self._edges(self.shared_poll())) as edges:
            async for event in edges:
                yield event

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The edges, with a poll of its own: Airflow before 3.3."""
        poll = own_poll(self.useapi_conn_id, self.poke_interval)
        async with poll.running(), aclosing(self._edges(poll)) as edges:
            async for event in edges:
                yield event

    async def judge(self, look: Look, began: float | None = None) -> Verdict | UseApiError:
        """What a look says of the condition."""
        return problem_of(self.fire_on) or await super().judge(look)

    async def _edges(self, poll: Poll) -> AsyncGenerator[TriggerEvent, None]:
        memory, trouble, last = Memory(), "", _LastState(self)
        with poll.join(every_look=True) as looks:
            async for look in looks:
                found = await self.judge(look)
                step = consider(memory, found, look.at, look.mark)
                memory, lines = step.memory, step.lines
                problem = str(found) if isinstance(found, UseApiError) and found.permanent else ""
                if problem:
                    lines = (("error", _TROUBLE % problem),) * (trouble != problem)
                trouble = problem
                event = None
                if isinstance(found, Verdict) and await last.is_known():
                    state, previous = (OPEN if found.open else CLOSED), last.state
                    await last.set(state)
                    if state == OPEN:
                        memory, lines = Memory(), lines if previous != OPEN else ()
                    if fires(previous, state, self.fire_on, emit_initial=self.emit_initial):
                        event = TriggerEvent(_payload(found, state, look))
                for level, line in lines:
                    getattr(self.log, level)("%s", line)
                if event:
                    yield event


def _payload(verdict: Verdict, state: str, look: Look) -> dict[str, Any]:
    found = verdict.to_xcom(look.at.isoformat())
    return {"state": state, "reasons": list(verdict.reasons), **found}


class _LastState:
    """
    The state at the last look, kept in the stores of the watched assets where there are any.

    :param trigger: the watcher.
    """

    def __init__(self, trigger: UseApiAccountEventTrigger) -> None:
        _, arguments = trigger.serialize()
        pace = ("poke_interval", "fire_on", "emit_initial")
        condition = sorted((k, v) for k, v in arguments.items() if k not in pace)
        # Another condition is another state; another pace, or other edges, are not.
        self._key = f"useapi-{sha256(repr(condition).encode()).hexdigest()[:16]}"
        self._stores = asset_stores(trigger)
        self._log = trigger.log
        self._is_read = False
        self.state: str | None = None

    async def is_known(self) -> bool:
        """Read the stores, once; false as long as they cannot be read."""
        if not self._is_read:
            try:
                kept = [await store.aget(self._key) for store in self._stores]
            except Exception:  # noqa: BLE001 - whatever keeps it; the watcher goes on
                self._log.warning("The last state cannot be read; the next check tries again.")
                return False
            self.state = next((state for state in kept if state in (OPEN, CLOSED)), None)
            self._is_read = True
        return True

    async def set(self, state: str) -> None:
        """Remember the state."""
        if state == self.state:
            return
        self.state = state
        try:
            for store in self._stores:
                await store.aset(self._key, state)
        except Exception:  # noqa: BLE001 - whatever keeps it; the watcher goes on
            self._log.warning("The state cannot be kept; a new triggerer may fire once more.")
