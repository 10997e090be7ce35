"""Streams for httpcore on an event loop, which keep to the end of a request."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any

import httpcore

from airflow_provider_useapi.transport.conversation import Conversation, Trust
from airflow_provider_useapi.transport.deadline import left, until
from airflow_provider_useapi.transport.sync_stream import READ_SIZE, connecting, is_readable
from airflow_provider_useapi.transport.tls_layer import TLSLayer


class AsyncStream(httpcore.AsyncNetworkStream):
    """
    A connection that httpcore speaks over; ``timeout`` is the moment at which all must be over.

    :param channel: what the bytes go over; every failure of it is an :class:`OSError`.
    :param trust: the client's.
    """

    def __init__(self, channel: _TCPChannel | _TLSChannel, trust: Trust) -> None:
        self.talk = Conversation(trust)
        self._channel = channel

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """The next part of the answer, and nothing of what comes after it."""
        if self.talk.has_more:
            return self.talk.hand_on()
        try:
            data = await self._channel.receive(max_bytes, self.talk.limit(timeout or 0.0))
        except OSError as e:
            raise self.talk.failed(e, httpcore.ReadTimeout, httpcore.ReadError) from e
        return self.talk.hear(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send a part of a request."""
        if not buffer:
            return
        self.talk.ask(timeout or 0.0)
        try:
            await self._channel.send(buffer, self.talk.limit(timeout or 0.0))
        except OSError as e:
            raise self.talk.failed(e, httpcore.WriteTimeout, httpcore.WriteError) from e

    async def aclose(self) -> None:
        """Close the connection, without a farewell."""
        self._channel.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncStream:
        """
        Go on encrypted.

        :raises httpcore.ConnectError: if the handshake fails; the connection is closed then.
        """
        with connecting():
            channel = _TLSChannel(self._channel)
            try:
                await channel.shake_hands(TLSLayer(ssl_context, server_hostname), timeout or 0.0)
            except BaseException:
                self._channel.close()
                raise
            return AsyncStream(channel, self.talk.trust)

    def get_extra_info(self, info: str) -> Any:
        """``is_readable``: whether the connection may not be used for another request."""
        if info != "is_readable":
            return None
        return self.talk.is_over or self._channel.is_readable()


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """
    Where httpcore's connections are opened.

    :param trust: the client's.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: object = None,
    ) -> AsyncStream:
        """
        Open a TCP connection to the first address of a host that answers.

        Each address gets an even share of the time left, so that one which swallows packets does
        not use up the time of the others.

        :raises httpcore.ConnectError: the failure of the last address.
        """
        loop, end = asyncio.get_running_loop(), timeout or 0.0
        with connecting():
            async with asyncio.timeout(left(end)):
                addresses = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
            failure = OSError("the name has no address")
            for tried, found in enumerate(addresses):
                share = left(end) / (len(addresses) - tried)
                try:
                    return AsyncStream(await _opened(found, until(share)), self._trust)
                except OSError as e:
                    failure = e
            raise failure


class _TCPChannel:
    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._loop = sock, asyncio.get_running_loop()
        sock.setblocking(False)

    async def connect(self, address: Any, end: float) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(left(end)):
            await self._loop.sock_connect(self._sock, address)

    async def receive(self, size: int, end: float) -> bytes:
        async with asyncio.timeout(left(end)):
            try:
                data = self._sock.recv(size)
            except BlockingIOError:
                return await self._loop.sock_recv(self._sock, size)
            await asyncio.sleep(0)  # a server that never pauses must not hold the loop
            return data

    async def send(self, data: bytes, end: float) -> None:
        async with asyncio.timeout(left(end)):
            await self._loop.sock_sendall(self._sock, data)

    def is_readable(self) -> bool:
        return is_readable(self._sock)

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            # Of a call that was cancelled: the loop would take them for those of the next socket.
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._sock.close()


async def _opened(found: tuple[Any, ...], end: float) -> _TCPChannel:
    family, kind, protocol, _, address = found
    channel = _TCPChannel(socket.socket(family, kind, protocol))
    try:
        await channel.connect(address, end)
    except BaseException:
        channel.close()
        raise
    return channel


class _TLSChannel:
    def __init__(self, under: _TCPChannel | _TLSChannel) -> None:
        self._under = under

    async def shake_hands(self, layer: TLSLayer, end: float) -> None:
        self._layer = layer
        try:
            while not layer.shake_hands():
                await self._exchange(end)
        except ssl.SSLError:
            with suppress(OSError):
                await self._flush(end)  # tells the server why
            raise
        await self._flush(end)

    async def receive(self, size: int, end: float) -> bytes:
        while (data := self._layer.read(size)) is None:
            await self._exchange(end)
        return data

    async def send(self, data: bytes, end: float) -> None:
        self._layer.write(data)
        await self._flush(end)

    def is_readable(self) -> bool:
        return self._layer.has_more or self._under.is_readable()

    def close(self) -> None:
        self._under.close()

    async def _exchange(self, end: float) -> None:
        await self._flush(end)
        self._layer.feed(await self._under.receive(READ_SIZE, end))

    async def _flush(self, end: float) -> None:
        if data := self._layer.outgoing():
            await self._under.send(data, end)
