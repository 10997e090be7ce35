"""
Blocking sockets that keep a deadline.

A socket's own time-out starts again with every byte, so a server that sends one byte now and then
holds a reader for ever. Inside of :func:`deadline` each call on these sockets gets what is left of
the time, and none once it is up.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

_end: ContextVar[float | None] = ContextVar("useapi_deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound all that sockets of this module do inside of the ``with`` block, taken together."""
    end, outer = monotonic() + seconds, _end.get()
    reset = _end.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _end.reset(reset)


def _left() -> float | None:
    end = _end.get()
    if end is None:
        return None
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError("the time of the whole request is up")
    return left


class _Bounded:
    """What both kinds of socket do before a call that may block."""

    settimeout: Any

    def _bound(self) -> None:
        left = _left()
        if left is not None:
            self.settimeout(left)

    def recv(self, *args: Any) -> bytes:
        self._bound()
        return super().recv(*args)  # type: ignore[misc, no-any-return]

    def recv_into(self, *args: Any) -> int:
        self._bound()
        return super().recv_into(*args)  # type: ignore[misc, no-any-return]

    def send(self, *args: Any) -> int:
        self._bound()
        return super().send(*args)  # type: ignore[misc, no-any-return]

    def sendall(self, *args: Any) -> None:
        self._bound()
        super().sendall(*args)  # type: ignore[misc]


class PlainSocket(_Bounded, socket.socket):
    """A TCP socket that keeps the deadline."""

    def gettimeout(self) -> float | None:
        """The time left, which is what a TLS socket takes over for its handshake."""
        self._bound()
        return super().gettimeout()


class TLSSocket(_Bounded, ssl.SSLSocket):
    """A TLS socket that keeps the deadline."""


def connect(host: str, port: int, options: Iterable[tuple[Any, ...]]) -> PlainSocket:
    """
    Open a TCP connection to the first address of a host that answers.

    Each address gets an even share of the time left, so that one which swallows packets does not
    use up the time of the others.

    :param options: arguments for ``setsockopt``.
    :raises OSError: the failure of the last address.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = PlainSocket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            left = _left()
            sock.settimeout(left and left / (len(addresses) - tried))
            sock.connect(address)
        except OSError as e:
            sock.close()
            failure = e
        else:
            return sock
    raise failure
