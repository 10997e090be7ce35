"""
The poll that all gates and watchers of one connection and interval share in a triggerer.

It looks once an interval, for as long as anybody listens, and tells what is news: ten thousand
gates are not woken to hear that nothing has changed. What goes wrong is a look as well: nothing
that a server or a connection does ends the poll, and no path of it goes without a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from weakref import WeakKeyDictionary

from airflow_provider_useapi import clock
from airflow_provider_useapi.gate.memory import REPEAT_AFTER
from airflow_provider_useapi.metrics import gates_waiting
from airflow_provider_useapi.triggers.connection_client import Asker
from airflow_provider_useapi.triggers.shared_look import Look

LEAST_INTERVAL = 1.0
"""Seconds between two looks at the least, whatever a DAG asks for."""

PATIENCE = 600.0
"""Seconds until a permanent error is looked at again, by those who do not give up."""

_CHECK_CONNECTION = 60.0


class Poll:
    """
    Looks at one account, again and again.

    :param conn_id: id of the connection.
    :param interval: seconds between the end of a look and the next one.
    """

    def __init__(self, conn_id: str, interval: float) -> None:
        self.conn_id = conn_id
        self.interval = max(interval, LEAST_INTERVAL)
        self.latest: Look | None = None
        self._asker = Asker(conn_id)
        self._runs = 0
        self._due = self._held = 0.0
        self._failures = 0
        self._gates = 0
        self._wanted = asyncio.Event()
        self._told: Look | None = None
        self._tell_next = False

    async def looks(self) -> AsyncGenerator[Look, None]:
        """The looks that are news, without end."""
        self._runs += 1
        self._told = None
        try:
            while True:
                await self._pause()
                self.latest = look = await Look.take(self._asker, self.latest)
                self._wanted.clear()
                self._plan(look)
                gates_waiting(self.conn_id)
                if self._tell_next or self._is_news(look):
                    self._tell_next, self._told = False, look
                    yield look
        finally:
            self._runs -= 1
            if not self._runs:  # else whoever comes next has begun already
                if self.latest:
                    await self.latest.forget()
                await self._asker.aclose()

    @property
    def is_idle(self) -> bool:
        """Whether nobody would miss it: it does not run, and could look at any moment."""
        return not self._runs and clock.monotonic() >= max(self._due, self._held)

    async def from_now_on(
        self, looks: AsyncIterator[Look], own_look: float | None = None
    ) -> AsyncGenerator[Look, None]:
        """
        The looks of a newcomer, beginning with the last one if that is up to date.

        :param looks: what comes from now on. Whoever is slow passes over what is out of date.
        :param own_look: when a look of the newcomer's own has ended, in seconds since the epoch, if
            there was one.
        """
        if look := self._join(own_look):
            yield look
        async for look in looks:
            if look is self._told:
                yield look

    def _join(self, own_look: float | None) -> Look | None:
        """The last look if it is up to date; else see to it that there is one in time."""
        look, now = self.latest, clock.monotonic()
        if look and (now < look.taken + self.interval or (look.error and now < self._held)):
            return look
        self.tell_next()
        if own_look is not None and not self._runs:
            # The first to come knows already what would be found now.
            self.follow(own_look)
        else:
            self._wanted.set()
        return None

    def tell_next(self) -> None:
        """Tell the next look even if it is no news: somebody has not heard, or asks for more."""
        self._tell_next = True

    def _is_news(self, look: Look) -> bool:
        told = self._told
        if told is None or not look.repeats(told):
            return True
        return look.at - told.at >= REPEAT_AFTER  # for the logs

    def delay(self, seconds: float) -> None:
        """Do not look within the next ``seconds``."""
        self._due = clock.monotonic() + seconds

    def follow(self, look: float) -> None:
        """Look an interval after a look that ended elsewhere, in seconds since the epoch."""
        self.delay(look + self.interval - clock.time())

    def hold(self, until: datetime | None) -> None:
        """Do not look before ``until``, whoever asks: the API has told a newcomer so."""
        if until is not None:
            seconds = (until - clock.now()).total_seconds()
            self._held = max(self._held, clock.monotonic() + seconds)

    @contextmanager
    def gate(self) -> Iterator[None]:
        """A gate waits on this poll, inside of the ``with`` block."""
        self._gates += 1
        gates_waiting(self.conn_id, 1)
        try:
            yield
        finally:
            self._gates -= 1
            gates_waiting(self.conn_id, -1)

    def _plan(self, look: Look) -> None:
        """When to look next."""
        wait = self.interval
        if look.error is None:
            self._failures = 0
        elif look.error.permanent:
            wait = max(PATIENCE, self.interval)
        else:
            wait = self._backoff()
            self._failures += 1
            self._held = max(self._held, look.taken + (look.error.retry_after or 0.0))
        self._due = look.taken + wait

    def _backoff(self) -> float:
        # A gate wants to know at once that the trouble is over; a watcher alone has time.
        if self._gates:
            return self.interval
        return min(self.interval * 2.0 ** min(self._failures, 60), max(PATIENCE, self.interval))

    async def _pause(self) -> None:
        """Sleep until the next look is due, or a newcomer needs one and the API allows it."""
        look = self.latest
        is_stuck = look is not None and look.error is not None and look.error.permanent
        while True:
            is_wanted = self._wanted.is_set()
            left = (self._held if is_wanted else max(self._due, self._held)) - clock.monotonic()
            if left <= 0:
                return
            if is_wanted:
                await asyncio.sleep(left)
                continue
            tick = min(left, self.interval, _CHECK_CONNECTION) if is_stuck else left
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), tick)
            if is_stuck and await self._asker.is_changed():
                return


_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, float], Poll]] = (
    WeakKeyDictionary()
)


def shared_poll(conn_id: str, interval: float) -> Poll:
    """
    The one poll of this event loop for a connection and an interval.

    It outlives its listeners for a while, so that whoever comes next neither asks again too soon
    nor against the API's wish.
    """
    polls = _polls.setdefault(asyncio.get_running_loop(), {})
    key = (conn_id, interval)
    if key not in polls:
        for idle in [k for k, poll in polls.items() if poll.is_idle]:
            del polls[idle]
        polls[key] = Poll(conn_id, interval)
    return polls[key]
