"""One TCP connection of the sandbox: requests in, the steps of answers out."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.http.playback import End, Step, steps
from airflow_provider_useapi.sandbox.http.request import (
    Incoming,
    MalformedRequestError,
    take_request,
)

if TYPE_CHECKING:
    import ssl

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class HttpProtocol(asyncio.Protocol):
    """
    A connection that reads one request after the other and plays its answer.

    :param number: the number of this connection.
    :param respond: chooses the steps for a request on the connection of that number.
    :param opened: all open connections; this one is in it as long as it is open.
    :param ssl_context: speak TLS with it.
    """

    def __init__(
        self,
        number: int,
        respond: Callable[[Incoming, int], Iterator[Step]],
        opened: set[HttpProtocol],
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._number = number
        self._respond = respond
        self._opened = opened
        self._ssl_context = ssl_context
        self._received = bytearray()
        self._task: asyncio.Task[None] | None = None  # what this connection is busy with
        self._tcp: asyncio.Transport
        self._transport: asyncio.Transport  # the same, or TLS on top of it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, with a TLS handshake if there is a context for it."""
        self._tcp = self._transport = cast("asyncio.Transport", transport)
        self._opened.add(self)
        if self._ssl_context:
            self._tcp.pause_reading()  # nothing may be read before TLS is in place
            self._task = asyncio.create_task(self._start_tls(self._ssl_context))

    def data_received(self, data: bytes) -> None:
        """Keep what the client sent, and answer the next request that it completes."""
        self._received += data
        self._serve_next()

    def eof_received(self) -> None:
        """Take the client for gone once it has closed its side: returning None closes ours."""
        if self._task is None and self._received:
            self._refuse("the request is incomplete")

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop an answer that nobody waits for any more."""
        self._opened.discard(self)
        if self._task:
            self._task.cancel()

    def abort(self) -> None:
        """Close the connection at once, whatever is going on."""
        self._tcp.abort()

    async def _start_tls(self, ssl_context: ssl.SSLContext) -> None:
        # Not left to the server: it would not know of connections that never finish a handshake.
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(self._tcp, self, ssl_context, server_side=True)
        except OSError:  # such as a client that does not trust the certificate
            secured = None
        if secured is None:
            self.connection_lost(None)
            return
        self._transport = secured
        self._done()

    def _serve_next(self) -> None:
        """Answer the next request, unless there is none yet or the last one is not answered."""
        if self._task or self._transport.is_closing():
            return
        try:
            incoming = take_request(self._received)
        except MalformedRequestError as error:
            self._refuse(str(error))
            return
        if incoming:
            self._task = asyncio.create_task(self._play(self._respond(incoming, self._number)))

    def _done(self) -> None:
        self._task = None
        self._serve_next()

    async def _play(self, answer: Iterator[Step]) -> None:
        for step in answer:
            if isinstance(step, bytes):
                self._transport.write(step)
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step is End.CLOSE:
                self._transport.close()
            else:
                await self._reset()
        self._done()

    async def _reset(self) -> None:
        # A reset would throw away what is left in the buffer, and asyncio has no event for it.
        while self._tcp.get_write_buffer_size():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        tcp = self._tcp.get_extra_info("socket")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        self._tcp.abort()

    def _refuse(self, why: str) -> None:
        answer = Answer(status=400, body={"error": f"Bad request: {why}", "code": 400})
        for step in steps(answer, answer.body, last=True):
            if isinstance(step, bytes):
                self._transport.write(step)
        self._transport.close()
