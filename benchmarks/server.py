"""
The server that is asked: an account that is active or not, and a count of who asked for it.

A process of its own, and small, so that it keeps up with thousands of triggers and its CPU time is
not taken for theirs.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

from airflow_provider_useapi.sandbox.state import documented_account

HOST = "127.0.0.1"
ACCOUNT = "/v2/account"
HIDDEN = "/hidden/v2/account"
"""The same, but 404 while the account is inactive: the one thing an HttpSensorTrigger waits for."""
CONTROL = "/control/"
TOKEN = "user:12345-benchmark"  # noqa: S105 - opens nothing


@dataclass(frozen=True)
class Seen:
    """
    What came in.

    :param times: of each request, in seconds since the epoch.
    :param connections: TCP connections on which at least one of them came.
    :param paths: of each request.
    """

    times: tuple[float, ...]
    connections: int
    paths: tuple[str, ...]


class Server:
    """
    The server, while a ``with`` block runs.

    :param certificate: a PEM file with key and certificate; speak https with it.
    :param delay: seconds until it answers.
    """

    def __init__(self, certificate: Path | None = None, delay: float = 0.0) -> None:
        self._scheme = "https" if certificate else "http"
        self._arguments = [str(certificate or ""), str(delay)]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.server", *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout  # noqa: S101
        self.port, self._control_port = map(int, self._process.stdout.readline().split())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{self._scheme}://{HOST}:{self.port}"

    def connection_uri(self, path: str = "", **extra: object) -> str:
        """
        A connection of ours to this server.

        :param path: of the base URL; with a path goes a token of its own.
        :param extra: its extras.
        """
        host = quote(f"{self._scheme}://{HOST}", safe="")
        uri = f"useapi://:{quote(TOKEN + path)}@{host}:{self.port}/{path}"
        return f"{uri}?{urlencode(extra)}" if extra else uri

    def connections(self, verify: str = "") -> dict[str, str]:
        """Airflow's connections to this server, ours and that of the peers, for the environment."""
        extra = {"verify": verify} if verify else {}
        return {
            "AIRFLOW_CONN_USEAPI_DEFAULT": self.connection_uri(**extra),
            "AIRFLOW_CONN_HTTP_DEFAULT": f"http://{HOST}:{self.port}/{self._scheme}",
        }

    def set_active(self, active: bool) -> None:
        """Change the subscription of the account."""
        self._command("open" if active else "close")

    def take(self) -> Seen:
        """What came in since the last time."""
        found = json.loads(self._command("take"))
        return Seen(tuple(found["times"]), found["connections"], tuple(found["paths"]))

    def _command(self, name: str) -> bytes:
        control = HTTPConnection(HOST, self._control_port, timeout=30)
        try:
            control.request("GET", CONTROL + name)
            return control.getresponse().read()
        finally:
            control.close()


@dataclass
class _State:
    active: bool = False
    times: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: int = 0

    def count(self, path: str, *, is_first: bool) -> None:
        if not path.startswith(CONTROL):
            self.times.append(time.time())
            self.paths.append(path)
            self.connections += is_first

    def answer(self, path: str) -> tuple[int, object]:
        if path.startswith(CONTROL):
            return 200, self._obey(path.removeprefix(CONTROL))
        if path.startswith(HIDDEN) and not self.active:
            return 404, {"error": "Not found"}
        return 200, {**documented_account(), "subscriptionIsActive": self.active}

    def _obey(self, command: str) -> object:
        if command == "take":
            seen = {"times": self.times, "paths": self.paths, "connections": self.connections}
            self.times, self.paths, self.connections = [], [], 0
            return seen
        self.active = command == "open"
        return {}


class _Protocol(asyncio.Protocol):
    """As much of HTTP/1.1 as clients of these benchmarks speak: GET, kept alive."""

    def __init__(self, state: _State, delay: float) -> None:
        self._state = state
        self._delay = delay
        self._received = b""
        self._is_first = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *questions, self._received = (self._received + data).split(b"\r\n\r\n")
        for question in questions:
            path = question.split(b" ", 2)[1].decode()
            self._state.count(path, is_first=self._is_first)
            self._is_first = False
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._answer, path)
            else:
                self._answer(path)

    def _answer(self, path: str) -> None:
        status, content = self._state.answer(path)
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def _serve(certificate: str, delay: str) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    state, loop = _State(), asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(_Protocol, state, pause), HOST, 0, backlog=4096, ssl=tls)
        for tls, pause in ((context, float(delay)), (None, 0.0))  # what it serves, what commands it
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
