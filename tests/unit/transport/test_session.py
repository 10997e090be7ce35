"""The session of ``hook.get_conn()``: what callers of requests expect, over our own wire."""

from __future__ import annotations

import copy
import gzip
import json
import pickle
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from requests.exceptions import ConnectTimeout, InvalidURL, ProxyError, ReadTimeout, SSLError

from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.transport.session import Session
from airflow_provider_useapi.transport.sync_client import SyncClient
from tests.helpers.clients import new_session
from tests.helpers.servers import SLACK, TOKEN, Peer, Proxy, SocketServer, raw_server, silent_server
from tests.helpers.settings import read

PATH = "/v2/account"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def session(sandbox: Sandbox) -> Iterator[Session]:
    with new_session(read(sandbox.url)) as opened:
        yield opened


# --- What requests promises -----------------------------------------------------------------------


def test_a_response_is_one_of_requests(sandbox: Sandbox, session: Session) -> None:
    sandbox.script(PATH, Answer(body={"id": 7}, headers={"X-A": "ä".encode().decode("latin-1")}))
    response = session.get(sandbox.url + PATH, params={"a": "b c"})
    assert isinstance(response, requests.Response)
    assert (response.status_code, response.reason, response.ok) == (200, "OK", True)
    assert (response.json(), response.encoding) == ({"id": 7}, "utf-8")
    assert response.headers["content-TYPE"] == "application/json"
    assert response.url == f"{sandbox.url}{PATH}?a=b+c" == response.request.url
    assert response.elapsed.total_seconds() < 5
    assert (response.history, response.is_redirect) == ([], False)


def test_what_is_sent(sandbox: Sandbox) -> None:
    seen: list[tuple[str, bytes]] = []

    def handle(peer: Peer) -> None:
        while head := peer.read_head():
            body = b""
            while "POST" in head and not body.endswith((b"hello", b"}", b"0\r\n\r\n")):
                body += peer.sock.recv(65536)
            seen.append((head, body))
            peer.send(OK + b"Content-Length: 0\r\n\r\n")

    with SocketServer(handle) as server, new_session(read(server.url)) as session:
        session.post(server.url, data="hello")
        session.post(server.url, json={"a": "hello"})
        session.post(server.url, data=iter([b"say ", b"hallo"]))
        session.get(f"http://user:password@{server.netloc}/a%20b/ü?q=ü#part", headers={"X": "ä"})
    heads = [head for head, _ in seen]
    assert {head.split("\r\n")[0] for head in heads[:3]} == {"POST / HTTP/1.1"}
    assert heads[3].startswith("GET /a%20b/%C3%BC?q=%C3%BC HTTP/1.1\r\n")
    assert all(f"Host: {server.netloc}\r\n" in head for head in heads)
    assert "Content-Length: 5\r\n" in heads[0] and seen[0][1] == b"hello"
    assert json.loads(seen[1][1]) == {"a": "hello"}
    assert "Transfer-Encoding: chunked\r\n" in heads[2] and b"4\r\nsay \r\n5\r\nhallo" in seen[2][1]
    assert "X: ä\r\n" in heads[3]


def test_a_body_is_unpacked() -> None:
    packed = gzip.compress(b"x" * 100_000)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with raw_server(head + packed) as server, new_session(read(server.url)) as session:
        assert session.get(server.url).content == b"x" * 100_000


def test_a_body_of_any_length_is_read_as_it_is_asked_for(
    sandbox: Sandbox, session: Session
) -> None:
    size = 3 * 1024 * 1024
    sandbox.script(PATH, Answer(oversized=size), Answer(oversized=size))
    assert len(session.get(sandbox.url + PATH).content) >= size
    with session.get(sandbox.url + PATH, stream=True) as response:
        assert len(next(response.iter_content(1000))) == 1000
    # The rest was not wanted, so that connection is of no use any more.
    assert session.get(sandbox.url + PATH).ok
    assert sandbox.connections == 2


def test_a_head_is_no_body(sandbox: Sandbox, session: Session) -> None:
    for _ in range(2):
        response = session.head(sandbox.url + PATH)
        assert (response.content, int(response.headers["Content-Length"]) > 0) == (b"", True)
    assert sandbox.connections == 1


def test_cookies_are_kept() -> None:
    heads: list[str] = []

    def handle(peer: Peer) -> None:
        while head := peer.read_head():
            heads.append(head)
            peer.send(
                OK + b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
            )

    with SocketServer(handle) as server, new_session(read(server.url)) as session:
        assert session.get(server.url).cookies.get_dict() == {"a": "1", "b": "2"}
        assert session.cookies.get_dict() == {"a": "1", "b": "2"}
        session.get(server.url)
    assert "Cookie" not in heads[0] and "a=1" in heads[1] and "b=2" in heads[1]


def test_headers_of_one_name(session: Session) -> None:
    with raw_server(OK + b"X-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n") as server:
        assert session.get(server.url).headers["X-A"] == "1, 2"


# --- How it fails ---------------------------------------------------------------------------------


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[str, ssl.SSLContext]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    return str(tmp_path / "bundle.pem"), context


def test_a_refused_certificate(bundle: tuple[str, ssl.SSLContext]) -> None:
    with Sandbox(ssl_context=bundle[1]) as sandbox:
        with (
            new_session(read(sandbox.url)) as session,
            pytest.raises(SSLError, match="certificate"),
        ):
            # What a call says of certificates does not count.
            session.get(sandbox.url + PATH, verify=False)
        with new_session(read(sandbox.url, verify=bundle[0])) as session:
            assert session.get(sandbox.url + PATH, verify=True).ok
            assert session.get(sandbox.url + PATH, verify="/nowhere", cert="/nowhere").ok


def test_another_server_is_checked_by_the_same_settings(
    bundle: tuple[str, ssl.SSLContext], sandbox: Sandbox
) -> None:
    with Sandbox(ssl_context=bundle[1]) as other:
        with new_session(read(sandbox.url, verify=bundle[0])) as session:
            assert session.get(sandbox.url + PATH).ok
            assert session.get(other.url + PATH).status_code == 401
        with new_session(read(sandbox.url)) as session, pytest.raises(SSLError):
            session.get(other.url + PATH)


def test_a_proxy_that_refuses(sandbox: Sandbox) -> None:
    with Proxy(refuse=407) as proxy:
        url = f"http://u:sesame@{proxy.netloc}"
        with new_session(read("https://api.example.org", proxy=url)) as session:
            with pytest.raises(ProxyError, match=str(proxy.port)) as caught:
                session.get("https://api.example.org/")
            assert "sesame" not in str(caught.value)


def test_a_closed_port(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(requests.ConnectionError, match="refused") as caught:
        session.get(f"http://user:sesame@127.0.0.1:{port}/")
    assert "sesame" not in str(caught.value)
    assert caught.value.request is not None


def test_a_name_that_is_none(session: Session) -> None:
    for host in ("nowhere.invalid", "a" * 64 + ".example.org"):
        with pytest.raises((requests.ConnectionError, InvalidURL)):
            session.get(f"http://{host}/")
    for url in ("http://", "http://127.0.0.1:99999/"):
        with pytest.raises(InvalidURL):
            session.get(url)


@pytest.mark.parametrize(
    "data", [b"", b"garbage\r\n\r\n", OK, b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"], ids=repr
)
def test_what_is_no_answer(session: Session, data: bytes) -> None:
    with raw_server(data) as server, pytest.raises(requests.ConnectionError):
        session.get(server.url, headers={"Connection": "Upgrade", "Upgrade": "x"})


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 99\r\n\r\nx",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Content-Encoding: gzip\r\n\r\n" + b"x" * 99,
    ],
)
def test_a_body_that_is_broken(session: Session, data: bytes) -> None:
    with raw_server(data) as server, pytest.raises(requests.RequestException):
        session.get(server.url)


# --- Time -----------------------------------------------------------------------------------------

DRIP = [part for _ in range(500) for part in (b"x", 0.01)]
LATE: dict[str, tuple[Callable[[], SocketServer], type[Exception]]] = {
    "silence": (silent_server, ReadTimeout),
    "dripped head": (lambda: raw_server(OK + b"X: ", *DRIP), ReadTimeout),
    "dripped body": (lambda: raw_server(OK + b"\r\n", *DRIP), requests.ConnectionError),
}


@pytest.mark.real_time
@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize(
    ("seconds", "timeout"),
    [(0.3, None), (10, 0.3), (10, (0.1, 0.2)), (10, (None, 0.3)), (0.3, (None, None))],
)
def test_the_time_of_a_whole_call_is_bounded(late: str, seconds: float, timeout: Any) -> None:
    make, kind = LATE[late]
    with make() as server, new_session(read(server.url, timeout=seconds)) as session:
        began = time.monotonic()
        with pytest.raises(kind):
            session.get(server.url, timeout=timeout)
        assert 0.25 <= time.monotonic() - began <= 0.3 + SLACK


@pytest.mark.real_time
def test_a_handshake_that_stalls() -> None:
    with (
        silent_server() as server,
        new_session(read(server.url, timeout=0.3)) as session,
        pytest.raises(ConnectTimeout),
    ):
        session.get(f"https://{server.netloc}/")


@pytest.mark.real_time
def test_a_call_may_have_more_time(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(delay=0.5))
    with new_session(read(sandbox.url, timeout=0.1)) as session:
        assert session.get(sandbox.url + PATH, timeout=10).ok


# --- The token ------------------------------------------------------------------------------------

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "pickle": lambda each: pickle.loads(pickle.dumps(each)),
}
rereads: list[Settings] = []


def reread() -> Settings:
    return rereads.pop()


def test_no_object_of_requests_holds_the_token(sandbox: Sandbox) -> None:
    with Session(reread, SyncClient(read(sandbox.url))) as session:
        response = session.get(sandbox.url + PATH)
        assert sandbox.requests[0].authorized
        for held in (response, response.request, session):
            assert TOKEN.encode() not in pickle.dumps(held)
        assert TOKEN not in str(dict(response.request.headers))


def test_whoever_says_who_asks_is_believed(sandbox: Sandbox, session: Session) -> None:
    for call in ({"headers": {"Authorization": "Bearer x"}}, {"auth": ("u", "p")}):
        assert session.get(sandbox.url + PATH, **call).status_code == 401


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_reads_the_connection_anew(sandbox: Sandbox, way: str) -> None:
    with Sandbox(token="user:2-renewed") as other:
        settings = read(sandbox.url)
        with Session(reread, SyncClient(settings)) as session:
            session.headers["X-A"] = "b"
            assert session.get(sandbox.url + PATH).ok
            with COPIES[way](session) as copied:
                assert (copied.headers["X-A"], other.connections) == ("b", 0)
                rereads.append(read(other.url, password="user:2-renewed"))
                assert [copied.get(other.url + PATH).ok for _ in range(2)] == [True, True]
                assert copied.get(sandbox.url + PATH).status_code == 401
                assert other.connections == 1 and rereads == []
            # Closing the copy did not close the other's connection.
            assert session.get(sandbox.url + PATH).ok
        assert sandbox.connections == 2
