"""
Many gates that wait in one event loop, on Airflow's own shared streams.

``python -m benchmarks.crowd NAME COUNT`` prints what it found as JSON: objects that the garbage
collector tracks for each gate, seconds of a full collection, and how late the loop was, all of it
while nothing changed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from airflow.triggers.shared_stream import SharedStreamManager

from benchmarks.contenders import INTERVAL

PERIOD = 0.01
SECONDS = 20.0
"""How long the loop is watched."""

_AT_A_TIME = 500


class SmallestTrigger(BaseEventTrigger):
    """The least that a trigger on a shared stream can be: what it waits for never comes."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class; there are no arguments."""
        return f"{__name__}.{type(self).__name__}", {}

    def shared_stream_key(self) -> str:
        """All share one."""
        return "smallest"

    @classmethod
    async def open_shared_stream(
        cls,
        kwargs: dict[str, Any],  # noqa: ARG003 - as Airflow calls it
    ) -> AsyncIterator[object]:
        """A stream without events."""
        yield await asyncio.Event().wait()

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[object]
    ) -> AsyncIterator[TriggerEvent]:
        """Every event of the stream."""
        async for event in shared_stream:
            yield TriggerEvent(event)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Never called where streams are shared."""
        yield TriggerEvent(None)


def make(name: str) -> BaseEventTrigger:
    """A trigger, by the name of its class."""
    if name == SmallestTrigger.__name__:
        return SmallestTrigger()  # type: ignore[no-untyped-call]
    from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger

    # Closed for ever: nobody has so many accounts.
    return UseApiAccountTrigger(
        service="minimax", min_active_accounts=99, poke_interval=INTERVAL, names_service=True
    )


async def wait_for(streams: SharedStreamManager, number: int, trigger: BaseEventTrigger) -> None:
    """Run a trigger as a triggerer does."""
    key = trigger.shared_stream_key()
    stream = streams.subscribe(trigger_id=number, trigger=trigger, key=key)
    try:
        async for _ in trigger.filter_shared_stream(stream):
            return
    finally:
        await streams.unsubscribe(number, key)


async def lags(seconds: float) -> list[float]:
    """How late the loop was every 10 ms, in seconds, sorted; each moment is fixed beforehand."""
    due, found = time.monotonic(), []
    for _ in range(round(seconds / PERIOD)):
        due += PERIOD
        if (left := due - time.monotonic()) > 0:
            await asyncio.sleep(left)
        found.append(time.monotonic() - due)
    return sorted(found)


async def crowd(name: str, count: int) -> dict[str, float]:
    """Let that many wait, and measure."""
    streams = SharedStreamManager()
    gc.collect()
    before, tasks = len(gc.get_objects()), []
    for number in range(count):
        tasks.append(asyncio.create_task(wait_for(streams, number, make(name))))
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(2 * INTERVAL)
    gc.collect()
    objects = (len(gc.get_objects()) - before) / count
    collections = []
    for _ in range(5):
        began = time.perf_counter()
        gc.collect()
        collections.append(time.perf_counter() - began)
    late = await lags(SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await streams.stop_all()
    return {
        "objects": objects,
        "collection": median(collections),
        "lag_p99": late[int(len(late) * 0.99)],
        "lag_max": late[-1],
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print("\n" + json.dumps(asyncio.run(crowd(sys.argv[1], int(sys.argv[2])))))
