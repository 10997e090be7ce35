"""The sandbox on the wire: its service, each fault it can play, its command line, its fixture."""

from __future__ import annotations

import dataclasses
import http.client
import json
import logging
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import trustme

from airflow_provider_useapi.sandbox import Answer, Request, Sandbox

pytest_plugins = ["pytester"]

PATH = "/v2/account"
ROOT = Path(__file__).parents[3]
LIMIT = 5.0  # seconds that anything here may take before the test counts as hanging


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as s:
        yield s


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


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


# Normal service


def test_it_serves_the_documented_account(sandbox: Sandbox) -> None:
    status, headers, body = get(sandbox)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {
        "id": 12345,
        "email": "user@example.com",
        "created": "2023-07-25T03:02:28.676Z",
        "name": "Your Name",
        "subscriptionIsActive": True,
        "subscriptions": 1,
        "maxAccountsPerAPI": 3,
        "accounts": {
            "Midjourney API": {"total": 3, "active": 2, "error": 1},
            "MiniMax API": {"total": 3, "active": 3},
            "Runway AP": {"total": 1, "active": 1},
            "Riffusion API": {"total": 3, "active": 3},
        },
        "verified": "2023-07-25T03:02:53.252Z",
        "sub": "250405",
    }


def test_the_account_can_be_changed_at_any_time(sandbox: Sandbox) -> None:
    sandbox.account["subscriptions"] = 7
    assert json.loads(get(sandbox)[2])["subscriptions"] == 7
    sandbox.account = {}
    assert get(sandbox)[2] == b"{}"
    assert Sandbox().account["subscriptions"] == 1  # each sandbox has an account of its own


def test_an_account_that_is_not_json_is_told_and_not_fatal(sandbox: Sandbox) -> None:
    sandbox.account["id"] = object()
    status, _, body = get(sandbox)
    assert (status, "not JSON serializable" in json.loads(body)["error"]) == (500, True)
    sandbox.account["id"] = 1
    assert get(sandbox)[0] == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer user:12345-other",
        "bearer user:12345-sandbox",
        "Bearer  user:12345-sandbox",
        "user:12345-sandbox",
        "Bearer user%3A12345-sandbox",
    ],
)
def test_any_other_authorization_is_refused(sandbox: Sandbox, authorization: str | None) -> None:
    status, _, body = get(sandbox, authorization=authorization)
    assert (status, body) == (401, b'{"error":"Unauthorized","code":401}')
    assert [request.authorized for request in sandbox.requests] == [False]


def test_a_renewed_token_counts_from_the_next_request_on(sandbox: Sandbox) -> None:
    old = f"Bearer {sandbox.token}"
    sandbox.token = "user:12345-renewed"
    assert get(sandbox, authorization=old)[0] == 401
    assert get(sandbox, authorization="Bearer user:12345-renewed")[0] == 200


def test_an_unknown_path_and_a_wrong_method(sandbox: Sandbox) -> None:
    assert get(sandbox, "/v2/nothing")[::2] == (404, b'{"error":"Not found","code":404}')
    status, headers, body = get(sandbox, method="POST")
    assert (status, headers["Allow"], json.loads(body)["code"]) == (405, "GET", 405)


def test_a_query_and_a_whole_url_find_the_path(sandbox: Sandbox) -> None:
    assert get(sandbox, f"{PATH}?verbose=1")[0] == 200
    assert get(sandbox, f"http://api.useapi.net{PATH}")[0] == 200  # as asked of a proxy
    assert [request.path for request in sandbox.requests] == [PATH, PATH]


def test_the_subscription_becomes_active_after_inactive_for() -> None:
    with Sandbox(inactive_for=0.5) as s:
        started = time.monotonic()
        assert json.loads(get(s)[2]) == {**s.account, "subscriptionIsActive": False}
        wait_until(lambda: json.loads(get(s)[2])["subscriptionIsActive"])
        assert time.monotonic() - started > 0.4
        s.account["subscriptionIsActive"] = False
        assert json.loads(get(s)[2])["subscriptionIsActive"] is False


# What it records


def test_requests_are_recorded_before_they_are_answered(sandbox: Sandbox) -> None:
    before = time.time()
    get(sandbox)
    get(sandbox, "/nope", method="PUT", authorization=None)

    first, second = sandbox.requests
    assert before <= first.time <= second.time <= time.time()
    assert first == Request("GET", PATH, 200, first.time, 1, True)
    assert second == Request("PUT", "/nope", 401, second.time, 2, False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.status = 500  # type: ignore[misc]


def test_a_clock_that_is_set_does_not_change_the_time_between_requests(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get(sandbox)[0] == 200
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert get(sandbox)[0] == 200
    first, second = sandbox.requests
    assert 0 <= second.time - first.time < 60


def test_a_connection_is_kept_and_numbered(sandbox: Sandbox) -> None:
    with Client(sandbox) as one, Client(sandbox) as two:
        for client in (one, two, one):
            client.ask()
            assert client.read_answer()[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert [request.connection for request in sandbox.requests] == [1, 2, 1]
    assert sandbox.connections == 2


def test_requests_sent_in_one_go_are_answered_in_order(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(status=503, delay=0.05))
    with Client(sandbox) as client:
        client.ask()
        client.ask()
        client.ask("/nope", "Connection: close")
        assert re.findall(rb"HTTP/1.1 (\d+)", client.read_all()) == [b"503", b"200", b"404"]


@pytest.mark.parametrize("line", ["Connection: close", "connection: Close"])
def test_a_connection_is_closed_when_the_client_asks(sandbox: Sandbox, line: str) -> None:
    with Client(sandbox) as client:
        client.ask(PATH, line)
        assert b"\r\nConnection: close\r\n" in client.read_all()


def test_http_1_0_is_answered_and_closed(sandbox: Sandbox) -> None:
    with Client(sandbox) as client:
        client.socket.sendall(b"GET /v2/account HTTP/1.0\r\n\r\n")
        assert client.read_all().startswith(b"HTTP/1.1 401 ")


def test_the_body_of_a_request_is_passed_over(sandbox: Sandbox) -> None:
    with Client(sandbox) as client:
        client.ask(PATH, "Content-Length: 5", method="POST")
        client.socket.sendall(b"GE")
        client.socket.sendall(b"T /")
        assert client.read_answer()[0].startswith(b"HTTP/1.1 405 ")
        client.ask()
        assert client.read_answer()[0].startswith(b"HTTP/1.1 200 ")


def test_an_answer_to_head_has_no_body(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 503)
    with Client(sandbox) as client:
        client.ask(method="HEAD")
        client.ask("/nope", "Connection: close")
        data = client.read_all()
    assert data.count(b"Content-Length: ") == 2
    assert re.findall(rb"\r\n\r\n(HTTP/1.1 404|\{)", data) == [b"HTTP/1.1 404", b"{"]


# Scripts


def test_a_script_is_played_in_order_and_then_it_is_normal_service_again(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 503, {"status": 429, "headers": {"Retry-After": "5"}})
    sandbox.script(PATH, Answer(status=596))
    sandbox.script("/v1/other", 418)

    answers = [get(sandbox) for _ in range(4)]

    assert [status for status, _, _ in answers] == [503, 429, 596, 200]
    assert answers[1][1]["Retry-After"] == "5"
    assert [json.loads(get(sandbox, "/v1/other")[2])["code"] for _ in range(2)] == [418, 404]
    assert [request.status for request in sandbox.requests] == [503, 429, 596, 200, 418, 404]


def test_a_script_comes_before_authorization_method_and_route(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 200)
    assert json.loads(get(sandbox, authorization=None)[2]) == sandbox.account
    sandbox.script("/nope", 204)
    assert get(sandbox, "/nope", method="DELETE", authorization=None)[::2] == (204, b"")


@pytest.mark.parametrize("path", ["v2/account", "http://127.0.0.1/v2/account", "/v2/account?a=1"])
def test_a_script_for_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match='such as "/v2/account"'):
        Sandbox().script(path, 503)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("503", "write each answer as an Answer, a mapping of its fields or a status such as 503"),
        ([503], "write each answer as"),
        (None, "write each answer as"),
        (True, "write status as a whole number such as 503, not True"),
        ({"stauts": 503}, "unknown: stauts; an Answer has status, headers, "),
        ({"status": "503"}, "write status as a whole number such as 503, not '503'"),
        ({"headers": {"Retry-After": 5}}, 'write headers as str to str, such as {"Retry-After"'),
        ({"headers": [("a", "b")]}, "write headers as str to str"),
        ({"body": {1, 2}}, "write body as bytes, str or what JSON can hold"),
        ({"body": "\ud800"}, "write body as bytes, str or what JSON can hold"),
        ({"delay": -1}, "write delay as seconds, 0 or more, not -1"),
        ({"delay": "1"}, "write delay as seconds"),
        ({"delay": float("nan")}, "write delay as seconds"),
        ({"drip_interval": None}, "write drip_interval as seconds"),
        ({"drip": "head"}, 'write drip as "", "headers" or "body", not \'head\''),
        ({"informational": 103}, "write informational as a tuple of 1xx statuses such as (103,)"),
        ({"informational": (200,)}, "write informational as"),
        ({"cut_off": 1}, "write cut_off as True or False, not 1"),
        ({"oversized": -1}, "write oversized as a number of bytes, 0 or more, not -1"),
        ({"oversized": 1.5}, "write oversized as"),
        ({"reset": True, "cut_off": True}, "set only one of nothing_after, cut_off, reset"),
    ],
)
def test_what_cannot_be_played_is_refused_when_written(answer: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        Sandbox().script(PATH, 503, answer)


def test_a_refused_script_leaves_nothing_behind(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError):
        sandbox.script(PATH, 503, "oops")  # type: ignore[arg-type]
    assert get(sandbox)[0] == 200


# The fields of an answer


def play(s: Sandbox, answer: Answer, path: str = PATH) -> bytes:
    """Return all the bytes of an answer; the connection is closed after it."""
    s.script(path, answer)
    with Client(s) as client:
        client.ask(path, "Connection: close")
        return client.read_all()


@pytest.mark.parametrize(
    ("status", "line", "error"),
    [
        (402, "402 Payment Required", "Account has no subscription or subscription expired"),
        (404, "404 Not Found", "Not found"),
        (429, "429 Too Many Requests", "Too Many Requests"),
        (596, "596 Unknown", "Unknown"),
    ],
)
def test_status_and_its_own_body(sandbox: Sandbox, status: int, line: str, error: str) -> None:
    head, _, body = play(sandbox, Answer(status=status)).decode().partition("\r\n\r\n")
    assert head.splitlines()[0] == f"HTTP/1.1 {line}"
    assert json.loads(body) == {"error": error, "code": status}


def test_200_without_a_body_is_the_account_only_where_it_is_served(sandbox: Sandbox) -> None:
    assert play(sandbox, Answer()).endswith(json.dumps(sandbox.account["sub"]).encode() + b"}")
    assert play(sandbox, Answer(), "/nope").endswith(b'{"error":"OK","code":200}')


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_that_have_no_body(sandbox: Sandbox, status: int) -> None:
    sandbox.script(PATH, Answer(status=status, body="not sent", oversized=100))
    with Client(sandbox) as client:
        client.ask()
        client.ask("/nope", "Connection: close")
        first, _, rest = client.read_all().partition(b"\r\n\r\n")
    assert b"Content-Length" not in first
    assert rest.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        (b"\xff\x00", "text/html", b"\xff\x00"),
        ("<h1>Grüße</h1>", "text/html", "<h1>Grüße</h1>".encode()),
        ("", "text/html", b""),
        ({}, "application/json", b"{}"),
        ([1, None], "application/json", b"[1,null]"),
        (False, "application/json", b"false"),
    ],
)
def test_body(sandbox: Sandbox, body: object, content_type: str, sent: bytes) -> None:
    head, _, content = play(sandbox, Answer(body=body)).partition(b"\r\n\r\n")
    assert f"\r\nContent-Type: {content_type}\r\n".encode() in head
    assert f"\r\nContent-Length: {len(sent)}\r\n".encode() in head
    assert content == sent


def test_headers_add_and_replace(sandbox: Sandbox) -> None:
    headers = {"X-One": "1", "content-type": "text/plain", "CONTENT-LENGTH": "3"}
    head, _, body = play(sandbox, Answer(body="four", headers=headers)).partition(b"\r\n\r\n")
    assert sorted(head.split(b"\r\n")[1:]) == [
        b"CONTENT-LENGTH: 3",
        b"Connection: close",
        b"X-One: 1",
        b"content-type: text/plain",
    ]
    assert body == b"four"


def test_a_chunked_body_can_be_written_by_hand(sandbox: Sandbox) -> None:
    answer = Answer(body=b"2\r\nhi\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
    sandbox.script(PATH, answer, answer)
    assert get(sandbox)[2] == b"hi"
    assert b"Content-Length" not in play(sandbox, answer)


def test_a_scripted_connection_close_is_kept(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(headers={"connection": "Close"}))
    with Client(sandbox) as client:
        client.ask()
        assert client.read_all().lower().count(b"connection: close") == 1


def test_delay(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(delay=0.1, informational=(103,)))
    with Client(sandbox) as client:
        started = time.monotonic()
        client.ask()
        client.socket.recv(1)
        assert 0.09 < time.monotonic() - started < LIMIT


def test_cut_off(sandbox: Sandbox) -> None:
    head, _, body = play(sandbox, Answer(body="0123456789", cut_off=True)).partition(b"\r\n\r\n")
    assert b"Content-Length: 10" in head
    assert body == b"01234"
    sandbox.script(PATH, Answer(cut_off=True))
    with pytest.raises(http.client.IncompleteRead):
        get(sandbox)


def test_reset(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(reset=True))
    with Client(sandbox) as client:
        client.ask()
        with pytest.raises(ConnectionResetError):
            client.socket.recv(1)
    assert [request.status for request in sandbox.requests] == [None]


@pytest.mark.parametrize("size", [1, 10, 60_000])
def test_reset_in_body(sandbox: Sandbox, size: int) -> None:
    sandbox.script(PATH, Answer(body=b"x" * size, reset_in_body=True))
    received = bytearray()
    with Client(sandbox) as client:
        client.ask()
        with pytest.raises(ConnectionResetError):
            while True:
                received += client.socket.recv(65536)
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert f"Content-Length: {size}".encode() in head
    assert len(body) == size // 2
    assert [request.status for request in sandbox.requests] == [200]


def test_drip_of_the_headers(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(body="body", drip="headers", drip_interval=0.005))
    with Client(sandbox) as client:
        client.ask(PATH, "Connection: close")
        pieces = list(iter(lambda: client.socket.recv(65536), b""))
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"body"
    assert len(pieces) > 10  # a slow reader gets several bytes at a time, but never the whole head


def test_drip_of_the_body(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(body="0123456789", drip="body", drip_interval=0.02))
    with Client(sandbox) as client:
        started = time.monotonic()
        client.ask(PATH, "Connection: close")
        pieces = list(iter(lambda: client.socket.recv(65536), b""))
        assert time.monotonic() - started > 0.18
    assert pieces[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"".join(pieces).endswith(b"\r\n\r\n0123456789")
    assert len(pieces) > 5


def test_drip_of_a_body_that_is_cut_off(sandbox: Sandbox) -> None:
    answer = Answer(body="0123456789", drip="body", drip_interval=0, cut_off=True)
    assert play(sandbox, answer).endswith(b"\r\n\r\n01234")


def test_informational(sandbox: Sandbox) -> None:
    data = play(sandbox, Answer(status=503, informational=(100, 103)))
    assert data.startswith(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 "
    )


@pytest.mark.parametrize("informational", [(), (102,)])
def test_nothing_after(sandbox: Sandbox, informational: tuple[int, ...]) -> None:
    sandbox.script(PATH, Answer(informational=informational, nothing_after=True))
    with Client(sandbox) as client:
        client.ask()
        assert client.read_all() == b"HTTP/1.1 102 Processing\r\n\r\n" * len(informational)
    assert [request.status for request in sandbox.requests] == [None]


@pytest.mark.parametrize("body", [None, [1], 5, "<html></html>"])
def test_oversized(sandbox: Sandbox, body: object) -> None:
    size = 2 * 1024 * 1024
    sandbox.script(PATH, Answer(body=body, oversized=size))
    content = get(sandbox)[2]
    assert len(content) == size
    if not isinstance(body, str):
        assert json.loads(content) == (sandbox.account if body is None else body)
    if body is None:
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(content[:-1])  # the account is not complete before its last byte


def test_a_body_that_is_large_enough_is_not_padded(sandbox: Sandbox) -> None:
    assert play(sandbox, Answer(body="four", oversized=3)).endswith(b"\r\n\r\nfour")


# Robustness


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


def test_a_request_may_come_byte_by_byte(sandbox: Sandbox) -> None:
    with Client(sandbox) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /v2/account HTTP/1.1\r\nA: b\r\nConnection: close\r\n\r\n":
            client.socket.sendall(bytes([byte]))
        assert client.read_all().startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(delay=float("inf")),
        Answer(drip="headers", drip_interval=0.001, headers={"X": "x" * 100_000}),
        Answer(drip="body", drip_interval=0.001, oversized=100_000),
        Answer(oversized=50_000_000, reset_in_body=True),
    ],
    ids=["waiting", "headers", "body", "unread"],
)
def test_an_answer_ends_when_its_client_goes_away(
    sandbox: Sandbox, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.script(PATH, answer)
    with Client(sandbox) as client:
        client.ask()
        wait_until(lambda: sandbox.requests)
    assert sandbox._thread is not None
    opened = sandbox._thread._opened
    wait_until(lambda: not opened)
    assert get(sandbox)[0] == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_hundreds_of_connections_at_a_time(sandbox: Sandbox) -> None:
    clients = [Client(sandbox) for _ in range(300)]
    for _ in range(2):
        for client in clients:
            client.ask()
        assert all(client.read_answer()[0].startswith(b"HTTP/1.1 200 ") for client in clients)
    for client in clients:
        client.socket.close()
    assert (sandbox.connections, len(sandbox.requests)) == (300, 600)
    assert {request.connection for request in sandbox.requests} == set(range(1, 301))


def test_every_scripted_answer_is_played_once_to_a_crowd(sandbox: Sandbox) -> None:
    sandbox.script(PATH, *range(500, 540))
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: get(sandbox)[0], range(60)))
    assert sorted(statuses) == [200] * 20 + list(range(500, 540))


def test_a_slow_answer_holds_up_nobody_else(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(delay=float("inf")))
    with Client(sandbox) as client:
        client.ask()
        wait_until(lambda: sandbox.requests)
        assert get(sandbox)[0] == 200


# Start and stop


def test_stop_closes_connections_and_ends_the_thread(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(drip="body", drip_interval=10))
    with Client(sandbox) as busy, Client(sandbox) as idle:
        busy.ask()
        wait_until(lambda: busy.socket.recv(65536).endswith(b"\r\n\r\n"))
        idle.ask("/nope")
        idle.read_answer()

        sandbox.stop()

        assert busy.socket.recv(1) == idle.socket.recv(1) == b""
    assert "useapi-sandbox" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        Client(sandbox)
    sandbox.stop()  # once more is no harm


def test_it_comes_back_on_the_same_port(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 503)
    url = sandbox.url
    sandbox.stop()
    sandbox.start()
    assert sandbox.url == url
    assert [get(sandbox)[0] for _ in range(2)] == [503, 200]
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()


def test_a_taken_port_is_an_error_at_once(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=sandbox.port).start()


def test_stop_right_after_start() -> None:
    for _ in range(20):
        s = Sandbox().start()
        with Client(s):  # likely not accepted yet
            s.stop()


def test_it_logs_requests(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.script(PATH, Answer(reset=True))
    with pytest.raises(ConnectionResetError):
        get(sandbox)
    get(sandbox)
    logger = "airflow_provider_useapi.sandbox"
    assert [entry[2] for entry in caplog.record_tuples if entry[0].startswith(logger)] == [
        "GET /v2/account no answer",
        "GET /v2/account 200",
    ]


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Sandbox]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Sandbox(ssl_context=context) as s:
        yield s


def test_https(secure: Sandbox, authority: trustme.CA) -> None:
    assert secure.url == f"https://127.0.0.1:{secure.port}"
    assert "@https%3A%2F%2F127.0.0.1:" in secure.connection_uri()
    secure.script(PATH, Answer(informational=(103,)), Answer(body="half", cut_off=True))
    with Client(secure, authority) as client:
        client.ask()
        client.ask()
        data = client.read_all()
    assert data.startswith(b"HTTP/1.1 103 ")
    assert data.endswith(b"\r\n\r\nha")
    assert [request.connection for request in secure.requests] == [1, 1]


@pytest.mark.parametrize("in_body", [False, True])
def test_a_reset_under_tls(secure: Sandbox, authority: trustme.CA, in_body: bool) -> None:
    secure.script(PATH, Answer(body="half", reset=not in_body, reset_in_body=in_body))
    received = bytearray()
    with Client(secure, authority) as client:
        client.ask()
        # To the ssl module a reset is an end without the TLS farewell, which a close would send.
        with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
            while data := client.socket.recv(65536):
                received += data
    assert received.endswith(b"\r\n\r\nha" if in_body else b"")


def test_a_client_that_does_not_trust_the_certificate_harms_nobody(
    secure: Sandbox, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        Client(secure, trustme.CA())
    with Client(secure, authority) as client:
        client.ask()
        assert client.read_answer()[0].startswith(b"HTTP/1.1 200 ")
    assert [request.connection for request in secure.requests] == [2]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_stop_in_the_middle_of_a_handshake(secure: Sandbox) -> None:
    with Client(secure) as client:
        wait_until(lambda: secure.connections)
        secure.stop()
        assert client.socket.recv(1) == b""


# Airflow connections to it


def test_connection_uri(sandbox: Sandbox) -> None:
    parts = urlsplit(sandbox.connection_uri(timeout=5, allow_http=True, proxy="http://p:1/?a=b"))
    assert parts.scheme == "useapi"
    assert (parts.username, unquote(parts.password or "")) == ("", sandbox.token)
    assert (unquote(parts.hostname or ""), parts.port) == ("http://127.0.0.1", sandbox.port)
    assert parts.path == "/"
    assert dict(parse_qsl(parts.query)) == {
        "timeout": "5",
        "allow_http": "true",
        "proxy": "http://p:1/?a=b",
    }
    assert "?" not in sandbox.connection_uri()


def test_connection_json(sandbox: Sandbox) -> None:
    assert json.loads(sandbox.connection_json(timeout=5)) == {
        "conn_type": "useapi",
        "host": sandbox.url,
        "password": sandbox.token,
        "extra": {"timeout": 5},
    }


# The command line


def start_cli(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "airflow_provider_useapi.sandbox", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line(ending: signal.Signals) -> None:
    with start_cli("--port", "0", "--token", "user:1-it's", "--inactive-for", "3600") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        greeting = list(iter(process.stdout.readline, "Ctrl-C ends it. Requests:\n"))
        url = greeting[0].split()[-1]
        s = Sandbox(port=int(url.rpartition(":")[2]), token="user:1-it's")

        assert greeting[1] == "Token: user:1-it's\n"
        pasted = "".join(line + "echo $AIRFLOW_CONN_USEAPI_DEFAULT\n" for line in greeting[-3:])
        echoed = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, check=True)
        assert echoed.stdout.splitlines()[:2] == [s.connection_uri(), s.connection_json()]

        assert json.loads(get(s)[2])["subscriptionIsActive"] is False
        assert re.fullmatch(r"\d\d:\d\d:\d\d GET /v2/account 200\n", process.stdout.readline())
        get(s, "/nope")
        assert process.stdout.readline().endswith(" GET /nope 404\n")

        process.send_signal(ending)
        assert process.wait(LIMIT) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_the_command_line_on_a_taken_port(sandbox: Sandbox) -> None:
    process = start_cli("--port", str(sandbox.port))
    out, error = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (1, "")
    assert error == (
        f"Cannot listen on 127.0.0.1:{sandbox.port}: Address already in use. Try another --port.\n"
    )


def test_the_command_line_refuses_what_is_no_port() -> None:
    process = start_cli("--port", "65536")
    _, error = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert "a port is a number from 0 to 65535" in error


# The fixture, and what importing it costs


def test_the_fixture(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # -p, whether installed or not
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT", raising=False)
    pytester.makepyfile(
        """
        import os, sys, threading, urllib.request

        def test_it_runs(useapi_sandbox):
            assert os.environ["AIRFLOW_CONN_USEAPI_DEFAULT"] == useapi_sandbox.connection_uri()
            request = urllib.request.Request(useapi_sandbox.url + "/v2/account")
            request.add_header("Authorization", "Bearer " + useapi_sandbox.token)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request) as response:
                assert response.status == 200
            assert len(useapi_sandbox.requests) == 1

        def test_it_is_gone():
            assert "AIRFLOW_CONN_USEAPI_DEFAULT" not in os.environ
            assert "airflow" not in sys.modules
            assert len(threading.enumerate()) == 1
        """
    )
    result = pytester.runpytest_subprocess(
        "-p", "airflow_provider_useapi.sandbox.fixture", "-W", "error"
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import airflow_provider_useapi.sandbox.fixture", ["asyncio", "ssl", "json"]),
        ("from airflow_provider_useapi.sandbox import Sandbox; Sandbox()", []),
        ("import airflow_provider_useapi.sandbox.__main__", []),
    ],
)
def test_importing_it_is_light(statement: str, unwanted: list[str]) -> None:
    # pytest is imported first and what it brings along is not counted.
    unwanted = [*unwanted, "airflow", "requests", "httpx", "http.client", "urllib.request"]
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        f"{statement}\n"
        f"print(*((set(sys.modules) - before) & set({unwanted!r})))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", code]
    result = subprocess.run(run, capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.split() == []


def test_the_package_offers_its_names_and_no_others() -> None:
    from airflow_provider_useapi import sandbox as package

    assert {"Answer", "Request", "Sandbox"} <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'Sandbocks'"):
        package.Sandbocks  # noqa: B018
