"""Streams for httpcore that block, and keep to the end of a request."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore

from airflow_provider_useapi.transport.conversation import Conversation, Trust
from airflow_provider_useapi.transport.deadline import left, until
from airflow_provider_useapi.transport.tls_layer import TLSLayer

READ_SIZE = 65536
"""How many bytes are taken from the network at a time."""


class Stream(httpcore.NetworkStream):
    """
    A connection that httpcore speaks over; ``timeout`` is the moment at which all must be over.

    :param channel: what the bytes go over; every failure of it is an :class:`OSError`.
    :param trust: the client's.
    """

    def __init__(self, channel: _TCPChannel | _TLSChannel, trust: Trust) -> None:
        self.talk = Conversation(trust)
        self._channel = channel

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next part of the answer, and nothing of what comes after it."""
        if self.talk.has_more:
            return self.talk.hand_on()
        try:
            data = self._channel.receive(max_bytes, self.talk.limit(timeout or 0.0))
        except OSError as e:
            raise self.talk.failed(e, httpcore.ReadTimeout, httpcore.ReadError) from e
        return self.talk.hear(data)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a part of a request."""
        if not buffer:
            return
        self.talk.ask(timeout or 0.0)
        try:
            self._channel.send(buffer, self.talk.limit(timeout or 0.0))
        except OSError as e:
            raise self.talk.failed(e, httpcore.WriteTimeout, httpcore.WriteError) from e

    def close(self) -> None:
        """Close the connection, without a farewell."""
        self._channel.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Stream:
        """
        Go on encrypted.

        :raises httpcore.ConnectError: if the handshake fails; the connection is closed then.
        """
        with connecting():
            channel = _TLSChannel(self._channel)
            try:
                channel.shake_hands(TLSLayer(ssl_context, server_hostname), timeout or 0.0)
            except BaseException:
                self._channel.close()
                raise
            return Stream(channel, self.talk.trust)

    def get_extra_info(self, info: str) -> Any:
        """``is_readable``: whether the connection may not be used for another request."""
        if info != "is_readable":
            return None
        return self.talk.is_over or self._channel.is_readable()


class Network(httpcore.NetworkBackend):
    """
    Where httpcore's connections are opened.

    :param trust: the client's.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: object = None,
    ) -> Stream:
        """
        Open a TCP connection to the first address of a host that answers.

        Each address gets an even share of the time left, so that one which swallows packets does
        not use up the time of the others.

        :raises httpcore.ConnectError: the failure of the last address.
        """
        with connecting():
            addresses = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
            failure = OSError("the name has no address")
            for tried, found in enumerate(addresses):
                share = left(timeout or 0.0) / (len(addresses) - tried)
                try:
                    return Stream(_opened(found, until(share)), self._trust)
                except OSError as e:
                    failure = e
            raise failure


@contextmanager
def connecting() -> Iterator[None]:
    """What goes wrong in the ``with`` block is told as a failure to connect."""
    try:
        yield
    except (OSError, ValueError) as e:  # the resolver knows no names of 64 letters, TLS none of 0
        kind = httpcore.ConnectTimeout if isinstance(e, TimeoutError) else httpcore.ConnectError
        raise kind(type(e).__name__) from e


class _TCPChannel:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def connect(self, address: Any, end: float) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.settimeout(left(end))
        self._sock.connect(address)

    def receive(self, size: int, end: float) -> bytes:
        self._sock.settimeout(left(end))
        return self._sock.recv(size)

    def send(self, data: bytes, end: float) -> None:
        self._sock.settimeout(left(end))
        self._sock.sendall(data)

    def is_readable(self) -> bool:
        return is_readable(self._sock)

    def close(self) -> None:
        self._sock.close()

    def __del__(self) -> None:
        self.close()  # a hook is seldom closed, and that is no fault


def _opened(found: tuple[Any, ...], end: float) -> _TCPChannel:
    family, kind, protocol, _, address = found
    channel = _TCPChannel(socket.socket(family, kind, protocol))
    try:
        channel.connect(address, end)
    except BaseException:
        channel.close()
        raise
    return channel


def is_readable(sock: socket.socket) -> bool:
    """Whether a read would not have to wait."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class _TLSChannel:
    def __init__(self, under: _TCPChannel | _TLSChannel) -> None:
        self._under = under

    def shake_hands(self, layer: TLSLayer, end: float) -> None:
        self._layer = layer
        try:
            while not layer.shake_hands():
                self._exchange(end)
        except ssl.SSLError:
            with suppress(OSError):
                self._flush(end)  # tells the server why
            raise
        self._flush(end)

    def receive(self, size: int, end: float) -> bytes:
        while (data := self._layer.read(size)) is None:
            self._exchange(end)
        return data

    def send(self, data: bytes, end: float) -> None:
        self._layer.write(data)
        self._flush(end)

    def is_readable(self) -> bool:
        return self._layer.has_more or self._under.is_readable()

    def close(self) -> None:
        self._under.close()

    def _exchange(self, end: float) -> None:
        self._flush(end)
        self._layer.feed(self._under.receive(READ_SIZE, end))

    def _flush(self, end: float) -> None:
        if data := self._layer.outgoing():
            self._under.send(data, end)
