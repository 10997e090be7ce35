"""The sandbox as a server: what it records, how it starts and stops, how Airflow finds it."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from airflow_provider_useapi.sandbox import Answer, Request, Sandbox
from tests.helpers.sandbox_client import PATH, Client, get, wait_until

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


# Robustness


def test_an_account_that_is_not_json_is_told_and_not_fatal(sandbox: Sandbox) -> None:
    sandbox.account["id"] = object()
    status, _, body = get(sandbox)
    assert (status, "not JSON serializable" in json.loads(body)["error"]) == (500, True)
    sandbox.account["id"] = 1
    assert get(sandbox)[0] == 200


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
