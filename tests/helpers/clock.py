"""
A clock that tests move, and event loops that wait by it.

It shows the system's time plus what it has been moved ahead. A loop of it passes over a wait only
while there is nothing else to wait for: no callback is ready, no request is on its way and no
thread is at work. So what a server or a thread does is never overtaken, it lasts as long as it
lasts, and what bounds a single request stays real time; between that, time passes from one timer to
the next, in their order. A test that does not move the clock waits as any other.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from airflow_provider_useapi import clock

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds, as this clock counts them, after which a test no longer waits for what it expects."""


class MovableClock(clock.Clock):
    """The system's clock, moved ahead by whoever sleeps and by :meth:`advance`."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return super().time() + self._ahead

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return super().monotonic() + self._ahead

    @property
    def ahead(self) -> float:
        """By how many seconds it has been moved."""
        return self._ahead

    def sleep(self, seconds: float) -> None:
        """Move it, instead of blocking the thread."""
        self._ahead += max(seconds, 0.0)

    def new_loop(self) -> MovableLoop:
        """An event loop that waits by this clock."""
        return MovableLoop(self)

    async def settle(self) -> None:
        """Let end what happens at this moment, until there is nothing but time to wait for."""
        await _running().rest()

    async def advance(self, seconds: float) -> None:
        """Let time pass, from timer to timer, and what happens at its end come to an end."""
        loop = _running()
        with loop.passing():
            await asyncio.sleep(seconds)
            await loop.rest()

    async def finish(self, awaitable: Awaitable[T], within: float = PATIENCE) -> T:
        """
        Let time pass until something is over.

        :param awaitable: what to wait for.
        :param within: how long it may take, in seconds of this clock.
        """
        with _running().passing():
            return await asyncio.wait_for(awaitable, within)

    def run(self, main: Coroutine[Any, Any, T], **options: Any) -> T:
        """In the place of ``asyncio.run()``: time passes as long as it runs."""
        with asyncio.Runner(loop_factory=self.new_loop, **options) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, MovableLoop)
            with loop.passing():
                return runner.run(main)


class MovableLoop(asyncio.SelectorEventLoop):
    """
    An event loop that waits by a clock of ours.

    :param clock: the clock.
    """

    def __init__(self, clock: MovableClock) -> None:
        self._movable = clock
        self._at_work = 0
        self._passing = 0
        self._resting: list[asyncio.Future[None]] = []
        super().__init__(_Selector(self._pass))

    def time(self) -> float:
        """The time that timers go by."""
        return super().time() + self._movable.ahead

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Count what a thread does as work."""
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._is_done)
        return future

    @contextmanager
    def working(self) -> Iterator[None]:
        """Something happens that takes its own time, inside of the ``with`` block."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Time passes, inside of the ``with`` block."""
        self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1

    async def rest(self) -> None:
        """Wait until there is nothing but time to wait for."""
        future = self.create_future()
        self._resting.append(future)
        await future

    def _pass(self, left: float | None) -> bool:
        """
        Whether there is something to do after all, now that no callback and no socket is ready.

        :param left: seconds until the next timer.
        """
        if self._at_work:
            return False
        if self._resting:
            resting, self._resting = self._resting, []
            for future in resting:
                if not future.done():
                    future.set_result(None)
            return True
        if self._passing and left is not None:
            self._movable.sleep(left)
            return True
        return False

    def _is_done(self, _: asyncio.Future[Any]) -> None:
        self._at_work -= 1


class _Selector(selectors.DefaultSelector):
    """
    Where an event loop waits.

    :param act: told how long the loop is about to wait; true if there is something to do now.
    """

    def __init__(self, act: Callable[[float | None], bool]) -> None:
        super().__init__()
        self._act = act

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for sockets, unless there is something else to do."""
        ready = super().select(0)
        is_busy = bool(ready) or (timeout is not None and timeout <= 0)
        return ready if is_busy or self._act(timeout) else super().select(timeout)


@contextmanager
def moved(monkeypatch: pytest.MonkeyPatch) -> Iterator[MovableClock]:
    """A clock at which the package and the sandbox look, inside of the ``with`` block."""
    from airflow_provider_useapi.sandbox import server, state
    from airflow_provider_useapi.transport.async_client import AsyncClient

    movable = MovableClock()
    for module in (server, state):
        monkeypatch.setattr(module, "time", movable)
    monkeypatch.setattr(AsyncClient, "get", _as_work(AsyncClient.get))
    with clock.using(movable):
        yield movable


def move_airflow(monkeypatch: pytest.MonkeyPatch, movable: MovableClock) -> None:
    """Let what Airflow runs look at it as well: sensors, ``dag.test()``, and ``asyncio.run()``."""
    from airflow.providers.common.compat.sdk import BaseSensorOperator

    monkeypatch.setattr(sys.modules[BaseSensorOperator.__module__], "time", movable)
    monkeypatch.setattr(asyncio, "run", movable.run)


def _running() -> MovableLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, MovableLoop), "the test has to ask for the fixture `clock`"
    return loop


def _as_work(function: Callable[..., Awaitable[T]]) -> Callable[..., Coroutine[Any, Any, T]]:
    @functools.wraps(function)
    async def working(*args: Any, **named: Any) -> T:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, MovableLoop):
            return await function(*args, **named)
        with loop.working():
            return await function(*args, **named)

    return working
