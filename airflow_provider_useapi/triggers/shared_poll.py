"""
The poll that all gates and watchers of one connection and interval share in a triggerer.

It looks once an interval, for as long as anybody listens, and wakes those for whom it has news: ten
thousand gates are not woken to hear that nothing has changed. What goes wrong is a look as well:
nothing that a server or a connection does ends the poll, and no path of it goes without a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf
from typing import TYPE_CHECKING

from airflow_provider_useapi import clock
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.schedule import RECHECK
from airflow_provider_useapi.gate.step import REFUSAL_PATIENCE
from airflow_provider_useapi.metrics import gates_waiting
from airflow_provider_useapi.triggers.connection_client import ConnectionClient
from airflow_provider_useapi.triggers.listener import Listener
from airflow_provider_useapi.triggers.listeners import Listeners
from airflow_provider_useapi.triggers.shared_look import Look, held_look, take_look, told

if TYPE_CHECKING:
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.triggers.holds import Holds

LEAST_INTERVAL = 1.0
"""The fewest seconds between two looks, whatever a DAG asks for."""

PATIENCE = 600.0
"""Seconds until a permanent error is looked at again, by those who do not give up."""


class Poll:
    """
    Looks at one account, again and again.

    :param conn_id: id of the connection.
    :param interval: seconds between the end of a look and the next one.
    :param holds: of all polls of the event loop.
    :param delay: seconds until the first look.
    """

    def __init__(self, conn_id: str, interval: float, holds: Holds, delay: float = 0.0) -> None:
        self.conn_id = conn_id
        self.interval = max(interval, LEAST_INTERVAL)
        self._client = ConnectionClient(conn_id)
        self._holds = holds
        self._listeners = Listeners()
        self._newcomers: list[Listener] = []
        self._brought: list[Memory] = []
        self._joined = asyncio.Event()
        self._runs = 0
        self._latest: Look | None = None
        self._read = 0.0
        self._due = clock.monotonic() + delay
        self._failures = 0
        self._refused_since = 0.0

    def join(
        self,
        memory: Memory | None = None,
        *,
        left: float = inf,
        own_look: float | None = None,
        every_look: bool = False,
        is_gate: bool = False,
    ) -> Listener:
        """
        Listen, until the ``with`` block of the result is left.

        :param memory: what the newcomer knows: the API may have sent ``Retry-After``.
        :param left: seconds until the looks are to end.
        :param own_look: for how many seconds a look of its own still stands: it waits for the next
            one that begins. ``None`` if it has none: then the last look will do if it is up to
            date, and one is made at once if it is not.
        :param every_look: whether it wants to hear of looks that bring no news.
        :param is_gate: whether it waits for its end, and not for ever.
        """
        now = clock.monotonic()
        listener = Listener(
            self, since=now, deadline=now + left, every_look=every_look, is_gate=is_gate
        )
        if memory and memory.not_before:
            self._brought.append(memory)
        if own_look is None:
            self._newcomers.append(listener)
        elif not self._listeners and self._due <= now:
            self._due = now + own_look  # what would be found now is known
        self._listeners.add(listener)
        self._joined.set()
        if is_gate:
            gates_waiting(self.conn_id, 1)
        return listener

    async def run(self) -> None:
        """Look and tell, without end."""
        self._runs += 1
        try:
            while True:
                await self._pause()
                await self._turn()
        except Exception as e:
            for listener in self._listeners:  # nobody is to wait for what does not come any more
                listener.fail(e)
            raise
        finally:
            self._runs -= 1
            if not self._runs:  # else whoever comes next has begun already
                if self._latest:
                    await self._latest.forget()
                await self._client.aclose()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run in a task of its own inside the block."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def is_idle(self) -> bool:
        """Whether nobody would miss it: nobody listens, and it could look at any moment."""
        return not (self._runs or self._listeners) and clock.monotonic() >= self._due

    def leave(self, listener: Listener) -> None:
        """Tell a listener no more; the end of its ``with`` block calls this."""
        self._listeners.discard(listener)
        if listener.is_gate:
            gates_waiting(self.conn_id, -1)

    # --- When ---------------------------------------------------------------------------------

    async def _pause(self) -> None:
        """Sleep until a look is due, the connection is to be read, or a newcomer waits."""
        while not self._newcomers and (left := self._next_turn() - clock.monotonic()) > 0:
            self._joined.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._joined.wait()

    def _next_turn(self) -> float:
        """When to look, or to see whether the connection leads elsewhere by now."""
        look = self._latest
        if look is None:
            return self._due
        again = max(self._asks_again(look), self._holds.until(look.mark))
        is_blocked = again > self._due or (look.error is not None and look.error.permanent)
        return min(again, self._read + min(self.interval, RECHECK)) if is_blocked else again

    def _asks_again(self, look: Look) -> float:
        """When the connection that a look was made with is due to be asked again."""
        if not look.is_refusal:
            return self._due
        if isinstance(look.error, UseApiAuthError) and self._listeners.have_gates:
            # Those that are still here were answered before, and wait for a new token.
            return max(self._due, self._refused_since + REFUSAL_PATIENCE.total_seconds() + 1)
        return look.taken + max(PATIENCE, self.interval)

    def _plan(self, look: Look, last: Look | None) -> None:
        """When to look next."""
        wait = self.interval
        if look.error is None or look.error.permanent:
            self._failures = 0
        else:
            wait = self._backoff()
            self._failures += 1
        is_first = not (last and last.is_refusal and last.mark == look.mark)
        if is_first or look.taken >= self._refused_since + REFUSAL_PATIENCE.total_seconds():
            self._refused_since = look.taken
        if look.mark and look.error and look.error.retry_after:
            self._holds.add(look.mark, look.error.retry_after)
        self._due = look.taken + wait

    def _backoff(self) -> float:
        # A gate wants to know at once that the trouble is over; a watcher alone has time.
        if self._listeners.have_gates:
            return self.interval
        return min(self.interval * 2.0 ** min(self._failures, 60), max(PATIENCE, self.interval))

    # --- What ---------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Look, unless the last look still stands, and tell of it."""
        newcomers, self._newcomers = self._newcomers, []
        self._read = began = clock.monotonic()
        last = self._latest
        settings = await told(self._client.read())
        look = self._standing(settings, is_wanted=bool(newcomers)) or await take_look(self._client)
        hear = set(newcomers)
        if look is not last:
            self._latest = look.after(last)
            self._plan(look, last)
            gates_waiting(self.conn_id)
            hear |= {each for each in self._listeners if each.since <= began and each.wants(look)}
        for listener in hear:
            listener.tell(look)

    def _standing(self, settings: Settings | UseApiError, *, is_wanted: bool) -> Look | None:
        """
        What there is to tell without a request; ``None`` if one is to be made.

        :param settings: the connection as it is now.
        :param is_wanted: whether a newcomer waits, for whom the last look will do if it is younger
            than the interval.
        """
        if isinstance(settings, UseApiError):
            return Look(settings, self._client)
        last, mark = self._latest, Mark.of(settings)
        for memory in self._brought:
            if memory.not_before and (memory.mark is None or memory.mark.fits(settings)):
                self._holds.add(mark, (memory.not_before - clock.now()).total_seconds())
        self._brought.clear()
        is_same = last is not None and last.settings == settings
        if left := self._holds.left(mark):
            is_told = last is not None and last.error is not None and is_same
            return last if is_told else held_look(self._client, settings, left)
        if last is None or not is_same:
            return None
        until = last.taken + self.interval if is_wanted else self._asks_again(last)
        return last if clock.monotonic() < until else None
