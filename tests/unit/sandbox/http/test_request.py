"""Requests as they come in: whole, in pieces, malformed."""

from __future__ import annotations

import json
import socket

import pytest

from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.sandbox_client import PATH, Client, get


def test_a_query_and_a_whole_url_find_the_path(sandbox: Sandbox) -> None:
    assert get(sandbox, f"{PATH}?verbose=1")[0] == 200
    assert get(sandbox, f"http://api.useapi.net{PATH}")[0] == 200  # as asked of a proxy
    assert [request.path for request in sandbox.requests] == [PATH, PATH]


def test_the_body_of_a_request_is_passed_over(sandbox: Sandbox) -> None:
    with Client(sandbox) as client:
        client.ask(PATH, "Content-Length: 5", method="POST")
        client.socket.sendall(b"GE")
        client.socket.sendall(b"T /")
        assert client.read_answer()[0].startswith(b"HTTP/1.1 405 ")
        client.ask()
        assert client.read_answer()[0].startswith(b"HTTP/1.1 200 ")


def test_a_request_may_come_byte_by_byte(sandbox: Sandbox) -> None:
    with Client(sandbox) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /v2/account HTTP/1.1\r\nA: b\r\nConnection: close\r\n\r\n":
            client.socket.sendall(bytes([byte]))
        assert client.read_all().startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"hello\n",
        b"GET /v2/account HTTP/2.0\r\n\r\n",
        b"GET /v2/account HTTP/1.1\n\n",
        b"GET /v2/a\xffccount HTTP/1.1\r\n\r\n",
        b"GET /v2/account HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /v2/account HTTP/1.1\r\n: no name\r\n\r\n",
        b"POST /v2/account HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v2/account HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /v2/account HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /v2/account HTTP/1.1\r\nX: " + b"x" * 100_000,
        b"x" * 100_000,
        b"\x16\x03\x01\x02\x00\x01\x00",  # the greeting of a client that speaks TLS
    ],
    ids=lambda data: repr(data[:40]),
)
def test_a_malformed_request_is_refused_and_the_server_lives(sandbox: Sandbox, data: bytes) -> None:
    with Client(sandbox) as client:
        client.socket.sendall(data)
        answer = client.read_all()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == 400
    assert get(sandbox)[0] == 200


def test_a_request_that_ends_early_is_refused(sandbox: Sandbox) -> None:
    with Client(sandbox) as client:
        client.socket.sendall(b"GET /v2/account HTTP/1.1\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_all().startswith(b"HTTP/1.1 400 ")
