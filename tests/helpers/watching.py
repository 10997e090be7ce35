"""Run the trigger of an asset watcher, with the stores that Airflow gives to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger
from tests.helpers.clock import MovableClock


class Store:
    """The store of an asset, which outlives a triggerer."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.broken = False

    async def aget(self, key: str) -> Any:
        if self.broken:
            raise RuntimeError("out of reach")
        return self.values.get(key)

    async def aset(self, key: str, value: Any) -> None:
        if self.broken:
            raise RuntimeError("out of reach")
        self.values[key] = value


class Stores:
    """The accessors that Airflow gives to a watcher."""

    def __init__(self, *stores: Store) -> None:
        self._by_name = {f"asset_{number}": store for number, store in enumerate(stores)}


def with_stores(trigger: UseApiAccountEventTrigger, *stores: Store) -> UseApiAccountEventTrigger:
    """A watcher of as many assets as there are stores."""
    trigger.asset_state_store = Stores(*stores)
    return trigger


@asynccontextmanager
async def watching(trigger: UseApiAccountEventTrigger) -> AsyncIterator[list[str]]:
    """The states that a watcher fires by itself, inside of the ``with`` block."""
    states: list[str] = []

    async def listen() -> None:
        async for event in trigger.run():
            states.extend([event.payload["state"]])

    task = asyncio.create_task(listen())
    try:
        yield states
        assert not task.done(), "a watcher never ends"
    finally:
        task.cancel()
        await asyncio.wait([task])


async def watch(
    clock: MovableClock, trigger: UseApiAccountEventTrigger, seconds: float
) -> list[str]:
    """The states that a watcher fires in some time."""
    async with watching(trigger) as states:
        await clock.advance(seconds)
    return states
