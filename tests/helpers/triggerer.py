"""Run triggers as a triggerer does: in one event loop, on Airflow's own shared streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from itertools import count
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from airflow_provider_useapi.compat import SHARES_STREAMS

needs_streams = pytest.mark.skipif(
    not SHARES_STREAMS, reason="Airflow shares the polls of triggers from 3.3 on"
)


class Triggerer:
    """What runs triggers, each in a task of its own, and keeps what they fire."""

    def __init__(self) -> None:
        self._streams: Any = None
        if SHARES_STREAMS:
            from airflow.triggers.shared_stream import SharedStreamManager

            self._streams = SharedStreamManager()
        self._ids = count(1)
        self.tasks: list[asyncio.Task[Any]] = []

    def start(self, trigger: Any, fired: list[Any] | None = None) -> asyncio.Task[Any]:
        """
        Run a trigger.

        :param fired: where to keep the events.
        :return: a task whose result is the first event, once the trigger is over.
        """
        task = asyncio.create_task(
            self._run(next(self._ids), trigger, [] if fired is None else fired)
        )
        self.tasks.append(task)
        return task

    async def _run(self, number: int, trigger: Any, fired: list[Any]) -> Any:
        if not self._streams:
            async with aclosing(trigger.run()) as events:
                async for event in events:
                    fired += [event]
            return fired[0]
        key = trigger.shared_stream_key()
        stream = self._streams.subscribe(trigger_id=number, trigger=trigger, key=key)
        try:
            async for event in trigger.filter_shared_stream(stream):
                fired += [event]
            return fired[0]
        finally:
            await self._streams.unsubscribe(number, key)

    def track(self, running: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something else until it is over, or the triggerer stops."""
        task = asyncio.create_task(running)
        self.tasks.append(task)
        return task

    async def stop(self) -> None:
        """End all triggers, as on shutdown."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._streams:
            await self._streams.stop_all()


@asynccontextmanager
async def triggerer() -> AsyncIterator[Triggerer]:
    """A triggerer for the time of a ``with`` block."""
    running = Triggerer()
    try:
        yield running
    finally:
        await running.stop()


async def run_alone(trigger: Any) -> TriggerEvent:
    """The first event of a trigger that runs by itself."""
    events = trigger.run()
    try:
        return await anext(events)
    finally:
        await events.aclose()
