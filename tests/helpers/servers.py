"""
Servers on loopback that do what no proper server does, and how the wire tests ask the hook.

Only what asks the hook loads Airflow.
"""

from __future__ import annotations

import asyncio
import json
import re
import select
import socket
import ssl
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest
import requests

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, MAX_BODY, Answer, read_account
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.transport.errors import is_timeout, unavailable

if TYPE_CHECKING:
    from airflow_provider_useapi.hooks.useapi import UseApiHook

CONN_ID = "useapi_default"
TOKEN = "user:12345-sandbox"
SLACK = 1.5  # seconds that a busy machine may take longer
"""How much longer than its timeout a request may last, in seconds: two busy cores are slow."""


# --- Servers ------------------------------------------------------------------------------------


class Peer:
    """
    The server's side of one connection.

    :param sock: the accepted socket.
    :param stopping: set when the server ends: no pause outlasts it.
    """

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock = sock
        self._stopping = stopping

    def read_head(self) -> str:
        """Everything up to the empty line, byte by byte; empty if the client leaves."""
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)
            if not byte:
                return ""
            head += byte
        return head.decode("latin-1")

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.sock.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        if self._stopping.wait(seconds):
            raise ConnectionAbortedError("the server stops")

    def hang(self) -> None:
        """Do nothing for as long as the client stays."""
        while True:
            if select.select([self.sock], [], [], 0.02)[0] and not self.sock.recv(65536):
                return
            self.pause(0)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


class SocketServer:
    """
    Plays ``handle`` on each connection, in a thread of its own; use it in ``with``.

    :param handle: what to do with a connection; it is closed afterwards.
    :param host: the address to listen on.
    """

    def __init__(self, handle: Callable[[Peer], None], host: str = "127.0.0.1") -> None:
        self._handle = handle
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self.host = host
        self.connections = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=64)
        self.port: int = self._listener.getsockname()[1]

    @property
    def netloc(self) -> str:
        """Host and port, for a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.netloc}"

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for sock in (self._listener, *self._sockets):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.add(sock)
            self._spawn(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            self._handle(Peer(sock, self._stopping))
        except OSError:
            pass
        finally:
            self._sockets.discard(sock)
            sock.close()


def raw_server(*parts: bytes | float, reset: bool = False, hang: bool = False) -> SocketServer:
    """
    A server that answers each connection's first request with fixed bytes, then closes it.

    :param parts: bytes to send, or seconds to wait.
    :param reset: end with a TCP reset.
    :param hang: do not end at all.
    """

    def handle(peer: Peer) -> None:
        peer.read_head()
        for part in parts:
            if isinstance(part, bytes):
                peer.send(part)
            else:
                peer.pause(part)
        if hang:
            peer.hang()
        if reset:
            peer.reset()

    return SocketServer(handle)


def ipv6_server() -> SocketServer:
    """A server on ``::1`` that answers with an account that tells nothing."""

    def handle(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    try:
        return SocketServer(handle, "::1")
    except OSError:
        pytest.skip("this machine has no IPv6")


def silent_server() -> SocketServer:
    """A server that accepts connections, reads and never says a word."""
    return SocketServer(Peer.hang)


class ForgetfulBox(SocketServer):
    """
    A box in the middle, such as a firewall, that forgets a connection after its first answer.

    :param upstream: the port on 127.0.0.1 where the server is.
    :param how: what becomes of the next request: it is ``"swallowed"``, answered by a
        ``"reset"``, or by the connection's ``"end"``; or that comes ``"before"`` it.
    """

    def __init__(self, upstream: int, how: str) -> None:
        super().__init__(self._pass)
        self.forgotten = 0
        self._upstream = upstream
        self._how = how

    def _pass(self, peer: Peer) -> None:
        with socket.create_connection(("127.0.0.1", self._upstream)) as server:
            server.sendall(peer.read_head().encode("latin-1"))
            peer.send(_whole_answer(server))
        if self._how != "before" and peer.read_head():
            self.forgotten += 1
            if self._how == "swallowed":
                peer.hang()
            elif self._how == "reset":
                peer.reset()


def _whole_answer(server: socket.socket) -> bytes:
    with server.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n")) + b"\r\n"
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        return head + (stream.read(int(length[1])) if length else b"")


@dataclass
class Proxied:
    """A request that came to the proxy: its first line, and headers with names in lower case."""

    line: str
    headers: Mapping[str, str]


class Proxy(SocketServer):
    """
    A small HTTP proxy: ``CONNECT``, and plain http with the whole URL in the request line.

    :param credentials: ``user:password`` to ask for; without them it answers 407.
    :param refuse: status to answer instead of connecting.
    :param stall: connect, but pass nothing on.
    :param route: the port on 127.0.0.1 to go to, whatever was asked for.
    :param tls: speak TLS with the client.
    """

    def __init__(
        self,
        *,
        credentials: str = "",
        refuse: int = 0,
        stall: bool = False,
        route: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(self._proxy)
        self.requests: list[Proxied] = []
        self._expected = "Basic " + b64encode(credentials.encode()).decode() if credentials else ""
        self._refuse = refuse
        self._stall = stall
        self._route = route
        self._tls = tls

    def _proxy(self, peer: Peer) -> None:
        if self._tls:
            peer.sock = self._tls.wrap_socket(peer.sock, server_side=True)
        with peer.sock:
            while self._one(peer):
                pass

    def _one(self, peer: Peer) -> bool:
        head = peer.read_head()
        if not head:
            return False
        line, *rest = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): text.strip() for name, _, text in (r.partition(":") for r in rest)}
        self.requests.append(Proxied(line, headers))
        refuse = self._refuse
        if self._expected and headers.get("proxy-authorization") != self._expected:
            refuse = 407
        if refuse:
            peer.send(f"HTTP/1.1 {refuse} Refused\r\nContent-Length: 0\r\n\r\n".encode())
            return True
        method, target, _ = line.split(" ")
        netloc = target if method == "CONNECT" else target.split("/")[2]
        port = self._route or int(netloc.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            if method == "CONNECT":
                peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(head.encode("latin-1"))
            if self._stall:
                peer.hang()
            else:
                self._tunnel(peer.sock, upstream)
        return False

    def _tunnel(self, left: socket.socket, right: socket.socket) -> None:
        while not self._stopping.is_set():
            for sock in select.select([left, right], [], [], 0.02)[0]:
                data = sock.recv(65536)
                if not data:
                    return
                (right if sock is left else left).sendall(data)
                # TLS may hold what select() does not see.
                while isinstance(sock, ssl.SSLSocket) and sock.pending():
                    right.sendall(sock.recv(65536))


# --- Asking -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """
    How a call of the hook ended.

    :param kind: name of the exception's class, or ``Account``.
    :param seconds: how long it took.
    :param text: all that a log could show of it: message, repr, traceback with causes.
    """

    kind: str
    status_code: int | None = None
    permanent: bool | None = None
    retry_after: float | None = None
    message: str = ""
    account: Account | None = None
    seconds: float = field(default=0.0, compare=False)
    text: str = field(default="", compare=False, repr=False)


def define(
    monkeypatch: pytest.MonkeyPatch,
    host: str | None,
    *,
    conn_id: str = CONN_ID,
    password: str | None = TOKEN,
    login: str | None = None,
    port: int | None = None,
    **extra: object,
) -> None:
    """Define an Airflow connection through its environment variable; one attempt a call."""
    fields: dict[str, Any] = {"conn_type": "useapi", "host": host, "password": password}
    fields |= {
        "login": login,
        "port": port,
        "extra": {"max_attempts": 1, "timeout": 10} | extra,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


def ask_sync(conn_id: str = CONN_ID) -> Outcome:
    """``get_account()`` of a new hook."""
    from airflow_provider_useapi.hooks.useapi import UseApiHook

    with UseApiHook(conn_id) as hook:
        return outcome_of(hook.get_account)


def ask_async(conn_id: str = CONN_ID) -> Outcome:
    """``aget_account()`` of a new hook, on a new event loop."""
    from airflow_provider_useapi.hooks.useapi import UseApiHook

    return outcome_of(lambda: asyncio.run(UseApiHook(conn_id).aget_account()))


def ask_session(conn_id: str = CONN_ID) -> Outcome:
    """The account by the session of a new hook's ``get_conn()``, read as the hook reads it."""
    from airflow_provider_useapi.hooks.useapi import UseApiHook

    with UseApiHook(conn_id) as hook:
        return outcome_of(lambda: _by_session(hook))


def _by_session(hook: UseApiHook) -> Account:
    session, settings = hook.get_conn(), hook.settings
    assert settings
    try:
        response = session.get(settings.url(ACCOUNT_PATH), stream=True)
    except requests.RequestException as e:
        raise unavailable(e, settings) from None
    body, flaw, is_late = bytearray(), "", False
    with response:
        try:
            for chunk in response.iter_content(65536):
                body += chunk
                if len(body) > MAX_BODY:
                    flaw = "larger than 1 MiB"
                    break
        except requests.exceptions.ContentDecodingError:
            flaw = "garbled"
        except requests.RequestException as e:
            is_late = is_timeout(e)
            flaw = "late" if is_late else "cut off"
    headers = {name.lower(): value for name, value in response.headers.items()}
    answer = Answer(response.status_code, headers, bytes(body[:MAX_BODY]), flaw, is_late)
    return read_account(answer, conn_id=settings.conn_id, secrets=settings.secrets)


ASKS: dict[str, Callable[..., Outcome]] = {"sync": ask_sync, "async": ask_async}
WAYS = {**ASKS, "session": ask_session}


def ask_all(conn_id: str = CONN_ID) -> tuple[Outcome, Outcome, Outcome]:
    """Worker, event loop and session, one after the other."""
    return ask_sync(conn_id), ask_async(conn_id), ask_session(conn_id)


def ask_both(conn_id: str = CONN_ID) -> Outcome:
    """The outcome of worker and event loop, which must be one and the same."""
    return same(ask_sync(conn_id), ask_async(conn_id))


def same(first: Outcome, *others: Outcome) -> Outcome:
    """The one outcome of several ways."""
    for other in others:
        assert other == first
    return first


def ask_at_once(conn_id: str = CONN_ID) -> tuple[Outcome, Outcome, Outcome]:
    """Every way at the same time, for servers that only cost time."""
    with ThreadPoolExecutor() as pool:
        sync, loop, session = pool.map(lambda ask: ask(conn_id), WAYS.values())
    return sync, loop, session


def outcome_of(call: Callable[[], Account]) -> Outcome:
    """What comes of a call; an exception that is no UseApiError is passed on."""
    start = time.monotonic()
    try:
        account = call()
    except UseApiError as e:
        return error_outcome(e, time.monotonic() - start)
    return Outcome("Account", account=account, seconds=time.monotonic() - start, text=repr(account))


def error_outcome(error: UseApiError, seconds: float = 0.0) -> Outcome:
    """The outcome that an exception stands for."""
    # A moment that the API names comes nearer between two calls.
    wait = None if error.retry_after is None else round(error.retry_after, 2)
    shown = [str(error), repr(error), *traceback.format_exception(error)]
    shown += [repr(cause) + str(cause) for cause in _chain(error)]
    return Outcome(
        type(error).__name__,
        error.status_code,
        error.permanent,
        wait,
        str(error),
        seconds=seconds,
        text="\n".join(shown),
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """All that led to an error, also what a traceback would leave out."""
    waiting: list[BaseException | None] = [error.__cause__, error.__context__]
    while waiting:
        cause = waiting.pop()
        if cause is not None:
            yield cause
            waiting += [cause.__cause__, cause.__context__]
