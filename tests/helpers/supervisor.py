"""
What a triggerer says to its supervisor, over a real socket with Airflow's own client.

The other end answers for Airflow's database: a connection, or that there is none.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

_TASK_RUNNER = "airflow.sdk.execution_time.task_runner.SUPERVISOR_COMMS"
_FIELDS = ("host", "schema", "login", "password", "port", "extra")
_UNKNOWN = {"type": "ErrorResponse", "error": "CONNECTION_NOT_FOUND", "detail": None}


class Supervisor:
    """
    The supervisor's end of the socket.

    :param stored: the fields of the connections in Airflow's database, by their ids.
    """

    def __init__(self, stored: Mapping[str, Mapping[str, Any]]) -> None:
        self.stored = dict(stored)
        self._messages: list[dict[str, Any]] = []

    def heard(self) -> list[str]:
        """The kinds of messages that came in since the last time."""
        return [message["type"] for message in self.take()]

    def take(self) -> list[dict[str, Any]]:
        """The messages that came in since the last time."""
        messages, self._messages = self._messages, []
        return messages

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other end closes."""
        import msgspec  # comes with Airflow 3

        with suppress(asyncio.IncompleteReadError):
            while True:
                length = int.from_bytes(await reader.readexactly(4), "big")
                number, message, *_ = msgspec.msgpack.decode(await reader.readexactly(length))
                self._messages.append(message)
                frame = msgspec.msgpack.encode([number, *self._answer(message)])
                writer.write(len(frame).to_bytes(4, "big") + frame)
        writer.close()
        await writer.wait_closed()

    def _answer(self, message: Mapping[str, Any]) -> tuple[dict[str, Any] | None, ...]:
        if message["type"] != "GetConnection":
            return (None, None)
        fields = self.stored.get(message["conn_id"])
        if fields is None:
            return (None, _UNKNOWN)
        told = {"conn_id": message["conn_id"], "conn_type": "useapi"}
        return ({"type": "ConnectionResult", **told, **dict.fromkeys(_FIELDS), **fields}, None)


@asynccontextmanager
async def supervised(
    monkeypatch: pytest.MonkeyPatch, **stored: Mapping[str, Any]
) -> AsyncIterator[Supervisor]:
    """
    Let this event loop be a triggerer's for the time of a ``with`` block.

    :param stored: the fields of the connections in Airflow's database.
    """
    from airflow.jobs.triggerer_job_runner import TriggerCommsDecoder

    ours, theirs = socket.socketpair()
    supervisor = Supervisor(stored)
    serving = asyncio.create_task(supervisor.serve(*await asyncio.open_connection(sock=theirs)))
    reader, writer = await asyncio.open_connection(sock=ours)
    comms = TriggerCommsDecoder(async_reader=reader, async_writer=writer, socket=ours)
    reading = None
    if hasattr(comms, "start_reader"):  # Airflow 3.3; before, each question reads its answer
        await comms.start_reader()
        reading = comms._reader_task
    monkeypatch.setattr(_TASK_RUNNER, comms, raising=False)
    try:
        yield supervisor
    finally:
        monkeypatch.delattr(_TASK_RUNNER)
        if reading:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
        writer.close()
        await serving
