"""The thread in which the sandbox's event loop runs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

from airflow_provider_useapi.sandbox.http.connection import HttpProtocol

_BACKLOG = 1024


class ServerThread(threading.Thread):
    """
    A thread that serves a socket until ``stop()``.

    :param listener: the bound socket; the thread closes it in the end.
    :param accept: makes the protocol of a new connection, given the set of the open ones.
    """

    def __init__(
        self, listener: socket.socket, accept: Callable[[set[HttpProtocol]], HttpProtocol]
    ) -> None:
        super().__init__(name="useapi-sandbox", daemon=True)
        self._listener = listener
        self._accept = accept
        self._opened: set[HttpProtocol] = set()
        # Made here and not in run(), so that stop() can come as early as it likes.
        self._loop = asyncio.SelectorEventLoop()
        self._stopping = asyncio.Event()

    def run(self) -> None:
        """Run the event loop until ``stop()``, then close it."""
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def stop(self) -> None:
        """Close every connection and wait for the thread to end."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self.join()

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            lambda: self._accept(self._opened), sock=self._listener, backlog=_BACKLOG
        )
        await self._stopping.wait()
        # The server is closed last: a connection that is being accepted at that moment would leak.
        self._loop.remove_reader(self._listener)
        # A few turns of the loop, until the last connection is accepted, aborted and forgotten.
        while self._opened or len(asyncio.all_tasks()) > 1:
            for connection in list(self._opened):
                connection.abort()
            await asyncio.sleep(0)
        server.close()
