"""One TCP connection of the sandbox: kept, closed, abandoned, under TLS."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Iterator

import pytest
import trustme

from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.sandbox_client import PATH, Client, get, wait_until


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
