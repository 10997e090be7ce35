"""Whatever bytes a server sends: both clients make the same of them, in time, and go on clean."""

from __future__ import annotations

import gzip
import select
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest
from hypothesis import given

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.responses import Answer, read_account
from airflow_provider_useapi.exceptions import UseApiError, UseApiUnavailableError
from tests.helpers.clients import CLIENTS, Get
from tests.helpers.odd_json import Writer, assert_shown, written
from tests.helpers.servers import SLACK, Peer, SocketServer
from tests.helpers.settings import read

TIMEOUT = 6
STAYS = 0.2
"""Seconds for which a server waits for the next request: whoever waits for more gets its end."""
BODY = b'{"id": 12345, "accounts": {}}'
CHUNKS = b"5\r\n%s\r\n18;a=b\r\n%s\r\n0\r\nX-A: b\r\n\r\n" % (BODY[:5], BODY[5:])
OK = b"HTTP/1.1 200 OK\r\n"


def whole(body: bytes, *headers: bytes) -> bytes:
    lines = (b"Content-Length: %d" % len(body), *headers)
    return OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


ANSWERS = [
    whole(BODY),
    whole(b""),
    whole(BODY).replace(b"\r\n", b"\n"),
    whole(BODY, b"Connection: close"),
    whole(gzip.compress(BODY), b"Content-Encoding: gzip"),
    whole(zlib.compress(BODY), b"Content-Encoding: deflate"),
    whole(gzip.compress(gzip.compress(BODY)), b"Content-Encoding: gzip, gzip"),
    whole(gzip.compress(b"0" * 5_000_000), b"Content-Encoding: gzip"),
    OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    OK + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n" + CHUNKS,
    OK + b"\r\n" + BODY,
    b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + whole(BODY),
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 429 X\r\nRetry-After: 20\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
]
HEADS = [
    b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: +5",
    b"Content-Length: 1_0", b"Content-Length: " + b"9" * 5000, b"Content-Length: 99999999999",
    b"content-length : 5", b"Content-Length:", b"Content-Length: 5, 5", b"Content-Length: 0x5",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x",
    b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: deflate, gzip",
    b"Content-Encoding: " + b"gzip," * 500, b"Connection: close", b"Connection: keep-alive",
    b"Retry-After: " + b"9" * 400, b"Retry-After: Thu, 32 Foo 99999 25:61:61 +9999", b": x",
    b"X-Long: " + b"x" * 200_000, b"X-\xff: \xff\xfe", b"X: \0", b" folded", b"Set-Cookie: a=b",
    b"Upgrade: h2c", b"X" * 70_000,
]  # fmt: skip
STARTS = [
    b"HTTP/1.1 000 X", b"HTTP/1.1 99 X", b"HTTP/1.1 1000 X", b"HTTP/1.1 -20 X", b"HTTP/2 200",
    b"HTTP/1.1  200 OK", b"HTTP/1.1 200", b"http/1.1 200 OK", b"HTTP/1.1 200 \xff", b"ICY 200 OK",
    b"HTTP/1.1 103 Early", b"HTTP/1.1 101 X", b"HTTP/1.1 999 X", b"HTTP/9.9 200 OK", b"", b"\0",
]  # fmt: skip


def garbled(write: Writer) -> tuple[bytes, bool]:
    """An answer with some of it changed, and whether the server leaves the connection open."""
    random: Random = write.random
    data = random.choice(ANSWERS)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        data = random.choice(CHANGES)(random, data)
    return data + random.choice(TAILS), random.random() < 0.3


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _put(random: Random, data: bytes) -> bytes:
    at, new = random.randrange(len(data) + 1), random.randbytes(random.choice((1, 1, 2, 20)))
    return data[:at] + new + data[at + random.randrange(3) :]


def _twice(random: Random, data: bytes) -> bytes:
    first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:]


def _head(random: Random, data: bytes) -> bytes:
    start, end, rest = data.partition(b"\r\n")
    return start + end + random.choice(HEADS) + b"\r\n" + rest


def _start(random: Random, data: bytes) -> bytes:
    return random.choice(STARTS) + b"\r\n" + data.partition(b"\r\n")[2]


def _digit(random: Random, data: bytes) -> bytes:
    places = [at for at, byte in enumerate(data[:400]) if chr(byte).isdigit()]
    if not places:
        return data
    at = random.choice(places)
    return data[:at] + b"%d" % random.randrange(100) + data[at + 1 :]


Change = Callable[[Random, bytes], bytes]
CHANGES: list[Change] = [_cut, _put, _put, _twice, _head, _head, _start, _digit]
TAILS = [b""] * 6 + [whole(b"stale"), whole(b"stale")[:20], b"\r\n", b"x", b"0\r\n\r\n"]


class Server(SocketServer):
    """Sends ``odd`` to whoever asks for an account, and the number of the request otherwise."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.odd, self.stays, self.number = b"", False, 0

    def _answer(self, peer: Peer) -> None:
        while head := peer.read_head():
            if "/fresh" in head:
                peer.send(whole(b"%d" % self.number))
                continue
            peer.send(self.odd)
            if not self.stays or not select.select([peer.sock], [], [], STAYS)[0]:
                return


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def clients(server: Server) -> Iterator[dict[str, Get]]:
    """The client of a worker and that of a triggerer, each with the connections that it keeps."""
    settings = read(server.url, timeout=TIMEOUT)
    with ExitStack() as opened:
        yield {way: opened.enter_context(CLIENTS[way](settings)) for way in ("sync", "async")}


def outcome(get: Get) -> tuple[Any, ...]:
    """What came of a request; nothing but our own errors, and in time."""
    began = time.monotonic()
    try:
        answer = get("/v2/account")
    except UseApiUnavailableError as e:
        assert_shown(str(e))
        return (str(e),)
    finally:
        assert time.monotonic() - began < TIMEOUT + SLACK
    return answer.status, answer.headers, answer.body, answer.flaw, means(answer)


def means(answer: Answer) -> Any:
    try:
        account = read_account(answer, conn_id="c")
    except UseApiError as e:
        assert_shown(str(e))
        return type(e), str(e)
    assert isinstance(account, Account)
    return account


@given(written((), garbled))
def test_both_clients_make_the_same_of_it(
    server: Server, clients: dict[str, Get], drawn: tuple[bytes, bool]
) -> None:
    server.odd, server.stays = drawn
    found = {way: outcome(get) for way, get in clients.items()}
    assert found["sync"] == found["async"]
    for way, get in clients.items():
        server.number += 1
        assert get("/fresh").body == b"%d" % server.number, f"{way}: that was left over"
