"""What comes after an answer is not taken for the next one; nothing else costs a connection."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import httpcore
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.transport.conversation import Trust
from airflow_provider_useapi.transport.deadline import until
from airflow_provider_useapi.transport.request import address, new_request
from airflow_provider_useapi.transport.sync_stream import Stream
from tests.helpers.clients import CLIENTS
from tests.helpers.servers import Peer, SocketServer
from tests.helpers.settings import read

OK = b"HTTP/1.1 200 OK\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BLANK = b"\r\n\r\n \n\n"


def with_length(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def in_chunks(body: bytes, *, trailer: bytes = b"") -> bytes:
    chunk = b"%x;a=b\r\n%s\r\n" % (len(body), body) if body else b""
    return CHUNKED + chunk + b"00\r\n%s\r\n" % trailer


ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "length": with_length,
    "length, blank lines": lambda body: with_length(body + BLANK),
    "length of 0": lambda _: with_length(b""),
    "early hints": lambda body: EARLY * 2 + with_length(body),
    "bare line feeds": lambda body: with_length(body).replace(b"\r\n", b"\n"),
    "chunks": in_chunks,
    "chunks, blank lines": lambda body: in_chunks(body + BLANK),
    "chunks, none": lambda _: in_chunks(b""),
    "chunks, a trailer": lambda body: in_chunks(body, trailer=b"X-A: b\r\nX-C: d\r\n"),
    "204": lambda _: b"HTTP/1.1 204 No Content\r\n\r\n",
    "304 with a length": lambda _: b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n",
}
STALE = with_length(b"stale")


# --- From real servers ----------------------------------------------------------------------------


@pytest.mark.parametrize("way", CLIENTS)
@pytest.mark.parametrize("surplus", [STALE, STALE[:20], b"\r\n", b"x"], ids=repr)
@pytest.mark.parametrize("answer", ["length", "chunks", "early hints", "204"])
def test_a_server_that_says_more_is_asked_on_a_new_connection(
    answer: str, surplus: bytes, way: str
) -> None:
    def handle(peer: Peer) -> None:
        while peer.read_head():
            peer.send(ANSWERS[answer](b"right") + surplus)

    with SocketServer(handle) as server, CLIENTS[way](read(server.url)) as get:
        bodies = {get("/v2/account").body for _ in range(4)}
        assert bodies == {b"" if answer == "204" else b"right"}
        assert server.connections == 4


@pytest.mark.parametrize("way", CLIENTS)
def test_what_a_server_says_unasked_a_while_later(way: str) -> None:
    asked, said = threading.Event(), threading.Event()

    def handle(peer: Peer) -> None:
        while peer.read_head():
            peer.send(with_length(b"right"))
            asked.wait(5)
            peer.send(STALE)
            said.set()

    with SocketServer(handle) as server, CLIENTS[way](read(server.url)) as get:
        for number in (1, 2):
            assert get("/v2/account").body == b"right"
            asked.set()
            assert said.wait(5)
            said.clear()
            assert server.connections == number


@pytest.mark.parametrize("way", CLIENTS)
def test_an_answer_in_a_tls_record_of_its_own(way: str, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")

    def handle(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as peer.sock:
            while peer.read_head():
                peer.send(with_length(b"right"))
                peer.send(STALE)

    with SocketServer(handle) as server:
        settings = read(f"https://{server.netloc}", verify=str(tmp_path / "bundle.pem"))
        with CLIENTS[way](settings) as get:
            assert {get("/v2/account").body for _ in range(4)} == {b"right"}
            assert server.connections == 4


@pytest.mark.parametrize("way", CLIENTS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_proper_answer_keeps_its_connection(answer: str, way: str) -> None:
    def handle(peer: Peer) -> None:
        number = 0
        while peer.read_head():
            number += 1
            peer.send(ANSWERS[answer](b"%d" % number))

    with SocketServer(handle) as server, CLIENTS[way](read(server.url)) as get:
        first, second = get("/v2/account"), get("/v2/account")
    assert first.flaw == second.flaw == ""
    assert server.connections == 1
    if first.body.strip():
        assert (first.body.strip(), second.body.strip()) == (b"1", b"2")


# --- However the bytes are cut --------------------------------------------------------------------


class Pieces:
    """A network that delivers given pieces."""

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        self.left = [data[a:b] for a, b in pairwise(places)]

    def receive(self, size: int, end: float) -> bytes:
        return self.left.pop(0) if self.left else b""

    def send(self, data: bytes, end: float) -> None:
        """Nobody listens."""

    def is_readable(self) -> bool:
        return bool(self.left)

    def close(self) -> None:
        """Nothing is open."""


@given(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 500), max_size=8), st.booleans())
def test_an_answer_ends_where_it_ends(answer: str, cuts: list[int], has_surplus: bool) -> None:
    data = ANSWERS[answer](b"body")
    network = Pieces(data + STALE * has_surplus, cuts)
    stream = Stream(network, Trust())  # type: ignore[arg-type]
    request = new_request("GET", address("http://127.0.0.1/"), [], until(10))
    connection = httpcore.HTTP11Connection(request.url.origin, stream)
    response = connection.handle_request(request)
    stream.talk.expect(b"GET", response)
    body = response.read()
    response.close()
    assert body.startswith(b"body") or body == b""
    assert connection.is_idle()
    assert connection.has_expired() is has_surplus
