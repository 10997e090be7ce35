"""Each field of an answer, as it is on the wire."""

from __future__ import annotations

import http.client
import json
import re
import time

import pytest

from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.sandbox_client import LIMIT, PATH, Client, get, play


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


def test_an_answer_to_head_has_no_body(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 503)
    with Client(sandbox) as client:
        client.ask(method="HEAD")
        client.ask("/nope", "Connection: close")
        data = client.read_all()
    assert data.count(b"Content-Length: ") == 2
    assert re.findall(rb"\r\n\r\n(HTTP/1.1 404|\{)", data) == [b"HTTP/1.1 404", b"{"]


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
