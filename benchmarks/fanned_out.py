"""
One poll whose answers go to all triggers: what one would write on Airflow's shared streams.

It keeps one HTTP connection, and each trigger is woken for each answer. What it is about never
comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import TriggerEvent

from benchmarks.contenders import INTERVAL
from benchmarks.crowd import SmallestTrigger
from benchmarks.server import ACCOUNT


class FannedOutTrigger(SmallestTrigger):
    """
    Waits for ever, beside the others.

    :param conn_id: id of the connection.
    :param reads_again: whether it reads the connection again for each request, and not only once.
    """

    def __init__(self, conn_id: str, reads_again: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.reads_again = reads_again

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its arguments."""
        arguments = {"conn_id": self.conn_id, "reads_again": self.reads_again}
        return f"{__name__}.{type(self).__name__}", arguments

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[object]:
        """What the server says, once an interval."""
        import aiohttp
        from airflow.sdk import BaseHook

        async with aiohttp.ClientSession() as session:
            connection = await BaseHook.aget_connection(kwargs["conn_id"])
            while True:
                url = f"{connection.host}:{connection.port}{ACCOUNT}"
                headers = {"Authorization": f"Bearer {connection.password}"}
                async with session.get(url, headers=headers) as answer:
                    yield await answer.json()
                await asyncio.sleep(INTERVAL)
                if kwargs["reads_again"]:
                    connection = await BaseHook.aget_connection(kwargs["conn_id"])

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[object]
    ) -> AsyncIterator[TriggerEvent]:
        """Nothing of it."""
        async for _ in shared_stream:
            pass
        yield TriggerEvent(None)
