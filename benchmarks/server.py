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
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import quote

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
    """

    times: tuple[float, ...]
    connections: int


class Server:
    """
    The server, while a ``with`` block runs.

    :param certificate: a PEM file with key and certificate; speak https with it.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self._scheme = "https" if certificate else "http"
        self._arguments = [str(certificate)] if certificate else []

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

    def connections(self, verify: str = "") -> dict[str, str]:
        """Airflow's connections to this server, ours and that of the peers, for the environment."""
        ours = f"useapi://:{quote(TOKEN)}@{quote(f'{self._scheme}://{HOST}', safe='')}:{self.port}"
        if verify:
            ours += f"/?verify={quote(verify, safe='')}"
        return {
            "AIRFLOW_CONN_USEAPI_DEFAULT": ours,
            "AIRFLOW_CONN_HTTP_DEFAULT": f"http://{HOST}:{self.port}/{self._scheme}",
        }

    def set_active(self, active: bool) -> None:
        """Change the subscription of the account."""
        self._command("open" if active else "close")

    def take(self) -> Seen:
        """What came in since the last time."""
        found = json.loads(self._command("take"))
        return Seen(tuple(found["times"]), found["connections"])

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
    connections: int = 0

    def answer(self, path: str, *, is_first: bool) -> tuple[int, object]:
        if path.startswith(CONTROL):
            return 200, self._obey(path.removeprefix(CONTROL))
        self.times.append(time.time())
        self.connections += is_first
        if path.startswith(HIDDEN) and not self.active:
            return 404, {"error": "Not found"}
        return 200, {**documented_account(), "subscriptionIsActive": self.active}

    def _obey(self, command: str) -> object:
        if command == "take":
            seen = {"times": self.times, "connections": self.connections}
            self.times, self.connections = [], 0
            return seen
        self.active = command == "open"
        return {}


class _Protocol(asyncio.Protocol):
    """As much of HTTP/1.1 as clients of these benchmarks speak: GET, kept alive."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._received = b""
        self._is_first = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *questions, self._received = (self._received + data).split(b"\r\n\r\n")
        for question in questions:
            path = question.split(b" ", 2)[1].decode()
            status, content = self._state.answer(path, is_first=self._is_first)
            self._is_first = False
            body = json.dumps(content).encode()
            head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
            self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def _serve(certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    state, loop = _State(), asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: _Protocol(state), HOST, 0, backlog=4096, ssl=tls)
        for tls in (context, None)  # what it serves, and what commands it
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve((sys.argv[1:] or [""])[0]))
