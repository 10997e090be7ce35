"""Clients of the sandbox: one that sees the bytes, and the way that proper ones ask."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import trustme

from airflow_provider_useapi.sandbox import Answer, Sandbox

PATH = "/v2/account"
LIMIT = 5.0
"""Seconds that anything at the sandbox may take before the test counts as hanging."""


class Client:
    """A client that sees the bytes."""

    def __init__(self, s: Sandbox, authority: trustme.CA | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", s.port), timeout=LIMIT)
        if authority:
            context = ssl.create_default_context()
            authority.configure_trust(context)
            self.socket = context.wrap_socket(
                self.socket, server_hostname="127.0.0.1", suppress_ragged_eofs=False
            )
        self.token = s.token

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, path: str = PATH, *headers: str, method: str = "GET") -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Authorization: Bearer {self.token}", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def read_all(self) -> bytes:
        return b"".join(iter(lambda: self.socket.recv(65536), b""))

    def read_answer(self) -> tuple[bytes, bytes]:
        """Read a head and the body of the length that it declares."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._more()
        return head, body

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        assert data, "the connection ended in the middle of an answer"
        return data


def get(
    s: Sandbox, path: str = PATH, *, method: str = "GET", authorization: str | None = ""
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Ask the way clients do; the token is the sandbox's own unless told."""
    connection = http.client.HTTPConnection("127.0.0.1", s.port, timeout=LIMIT)
    if authorization == "":
        authorization = f"Bearer {s.token}"
    try:
        headers = {} if authorization is None else {"Authorization": authorization}
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def play(s: Sandbox, answer: Answer, path: str = PATH) -> bytes:
    """Return all the bytes of an answer; the connection is closed after it."""
    s.script(path, answer)
    with Client(s) as client:
        client.ask(path, "Connection: close")
        return client.read_all()


def served(s: Sandbox, path: str) -> Any:
    """Return the JSON that a path serves."""
    status, headers, body = get(s, path)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    return json.loads(body)


def wait_until(true: Callable[[], object]) -> None:
    """Ask again and again until the answer is true, or fail after ``LIMIT`` seconds."""
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
