"""Connections that are kept: for how long, and what becomes of a request if one turns out dead."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from airflow_provider_useapi import clock
from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.transport.async_client import AsyncClient
from tests.helpers.clients import CLIENTS, new_session
from tests.helpers.servers import SLACK, ForgetfulBox, Peer, SocketServer
from tests.helpers.settings import read

PATH = "/v2/account"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TIMEOUT = 1.2
FORGETS = ["swallowed", "reset", "end", "before"]
every_way = pytest.mark.parametrize("way", CLIENTS)
both_clients = pytest.mark.parametrize("way", ["sync", "async"])
"""For what takes its time: the session sends over the first of them."""


class Later(clock.Clock):
    """The system's clock, some seconds ahead."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


# --- How long -------------------------------------------------------------------------------------


@every_way
def test_an_idle_connection_is_given_up_after_a_minute(way: str) -> None:
    moved = Later()
    with Sandbox() as sandbox, CLIENTS[way](read(sandbox.url)) as get, clock.using(moved):
        for moved.ahead, connections in ((0, 1), (59, 1), (118, 1), (179, 2), (180, 2), (999, 3)):
            assert get(PATH).status == 200
            assert sandbox.connections == connections, moved.ahead


# --- A box that forgets ---------------------------------------------------------------------------


@pytest.mark.real_time
@every_way
@pytest.mark.parametrize("how", FORGETS)
def test_no_request_is_lost_to_a_box_that_forgets(how: str, way: str) -> None:
    with (
        Sandbox() as sandbox,
        ForgetfulBox(sandbox.port, how) as box,
        CLIENTS[way](read(box.url, timeout=TIMEOUT)) as get,
    ):
        for _ in range(3):
            began = time.monotonic()
            assert get(PATH).status == 200
            assert time.monotonic() - began < TIMEOUT
    assert len(sandbox.requests) == box.connections == 3
    assert box.forgotten == (0 if how == "before" else 2)


@pytest.mark.real_time
@pytest.mark.parametrize("how", FORGETS)
def test_nor_are_those_of_many_at_once(how: str) -> None:
    """One connection that is dead casts doubt on all that were idle for as long."""

    async def ask(client: AsyncClient) -> None:
        answers = await asyncio.gather(*(client.get(PATH) for _ in range(5)))
        assert {answer.status for answer in answers} == {200}

    async def ask_twice(url: str) -> None:
        async with AsyncClient(read(url, timeout=TIMEOUT)) as client:
            await ask(client)
            await ask(client)
            # The second of each five was on a new connection; this one alone finds five idle.
            assert (await client.get(PATH)).status == 200

    with Sandbox() as sandbox, ForgetfulBox(sandbox.port, how) as box:
        asyncio.run(ask_twice(box.url))
    assert len(sandbox.requests) == 11


@pytest.mark.real_time
@both_clients
def test_a_request_is_asked_again_once_and_in_its_time(way: str) -> None:
    """The kept connection is silent, and so is the new one."""
    heads: list[str] = []

    def handle(peer: Peer) -> None:
        heads.append(peer.read_head())
        if len(heads) == 1:
            peer.send(ANSWER)
        peer.hang()

    with SocketServer(handle) as server, CLIENTS[way](read(server.url, timeout=TIMEOUT)) as get:
        assert get(PATH).body == b"{}"
        began = time.monotonic()
        with pytest.raises(UseApiUnavailableError, match=r"within 1\.2 s"):
            get(PATH)
        assert TIMEOUT - 0.05 <= time.monotonic() - began <= TIMEOUT + SLACK
        assert server.connections == 2


@every_way
@pytest.mark.parametrize("part", [b"H", b"HTTP/1.1 200 OK\r\n", ANSWER[:-1]], ids=len)
def test_an_answer_that_has_begun_is_not_asked_for_again(part: bytes, way: str) -> None:
    heads: list[str] = []

    def handle(peer: Peer) -> None:
        while head := peer.read_head():
            heads.append(head)
            peer.send(ANSWER if len(heads) == 1 else part)
            if len(heads) > 1:
                return

    with SocketServer(handle) as server, CLIENTS[way](read(server.url)) as get:
        get(PATH)
        with suppress(UseApiUnavailableError):  # the session says so of a body as well
            assert get(PATH).flaw == "cut off"
    assert len(heads) == 2


@every_way
def test_a_new_connection_that_breaks_is_no_reason_to_ask_again(way: str) -> None:
    with Sandbox() as sandbox, CLIENTS[way](read(sandbox.url)) as get:
        sandbox.script(PATH, Answer(reset=True))
        with pytest.raises(UseApiUnavailableError):
            get(PATH)
        assert len(sandbox.requests) == 1


# --- A server that is slow, and not dead ----------------------------------------------------------


@pytest.mark.real_time
@both_clients
def test_the_connection_of_a_slow_answer_is_not_kept(way: str) -> None:
    """Else a request over it would be given up on the way, and asked again, each time."""
    with Sandbox() as sandbox, CLIENTS[way](read(sandbox.url, timeout=TIMEOUT)) as get:
        sandbox.script(PATH, Answer(delay=TIMEOUT * 0.8))
        assert (get(PATH).status, get(PATH).status) == (200, 200)
        assert len(sandbox.requests) == sandbox.connections == 2


@pytest.mark.real_time
@both_clients
def test_a_server_that_becomes_slow_is_answered_for(way: str) -> None:
    with Sandbox() as sandbox, CLIENTS[way](read(sandbox.url, timeout=TIMEOUT)) as get:
        sandbox.script(PATH, Answer(), Answer(delay=0.6), Answer(delay=0.6))
        assert (get(PATH).status, get(PATH).status) == (200, 200)
        assert sandbox.connections == 2


@pytest.mark.real_time
@both_clients
def test_a_slow_body_costs_no_connection(way: str) -> None:
    with Sandbox() as sandbox, CLIENTS[way](read(sandbox.url, timeout=TIMEOUT)) as get:
        for _ in range(2):
            sandbox.script(PATH, Answer(body=b"x" * 20, drip="body", drip_interval=0.02))
            assert get(PATH).body == b"x" * 20
        assert sandbox.connections == 1


# --- What must not be sent twice ------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_is_sent_once_on_a_new_connection(method: str) -> None:
    lines: list[str] = []

    def handle(peer: Peer) -> None:
        while head := peer.read_head():
            lines.append(head.split(" ")[0])
            peer.send(ANSWER)

    with SocketServer(handle) as server, new_session(read(server.url)) as session:
        for sent in ("GET", method, "GET", method):
            assert session.request(sent, server.url).content == b"{}"
    assert lines == ["GET", method, "GET", method]
    assert server.connections == 3
