"""Hooks, sessions and sensors that were used are copied without their connection and the token."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_useapi.exceptions import UseApiAuthError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.servers import define

PATH = "/v2/account"
SECRET, PROXY_SECRET = "user:12345-canary", "pr0xy-canary"
RENEWED = "user:12345-renewed"
WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "pickle": lambda each: pickle.loads(pickle.dumps(each)),
}
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Sandbox:
    """The sandbox of every test, with a token that is looked for."""
    sandbox.token = SECRET
    define(monkeypatch, sandbox.url, password=SECRET)
    return sandbox


class OwnHook(UseApiHook):
    """A hook of a user, which finds its connection by itself."""

    def get_connection(self, conn_id: str) -> Any:  # type: ignore[override]
        return super().get_connection(conn_id.removeprefix("own_"))


@every_way
@pytest.mark.parametrize(
    ("kind", "conn_id"), [(UseApiHook, "useapi_default"), (OwnHook, "own_useapi_default")]
)
def test_a_used_hook(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, way: str, kind: Any, conn_id: str
) -> None:
    with kind(conn_id) as hook:
        hook.log.info("used")
        hook.look()
        hook.get_conn()
        with WAYS[way](hook) as copied:
            assert (copied.useapi_conn_id, copied.settings) == (conn_id, None)
            sandbox.token = RENEWED
            define(monkeypatch, sandbox.url, password=RENEWED)
            assert copied.look().id == 12345
            assert copied.get_conn().get(sandbox.url + PATH).ok
        with pytest.raises(UseApiAuthError):
            hook.look()  # with what it has, over its own connection
    assert [request.connection for request in sandbox.requests] == [1, 2, 2, 1]


@every_way
@pytest.mark.parametrize("conn_id", ["useapi_default", "own_useapi_default"])
def test_the_session_of_a_used_hook(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, way: str, conn_id: str
) -> None:
    kind = OwnHook if conn_id.startswith("own") else UseApiHook
    with kind(conn_id) as hook:
        session = hook.get_conn()
        session.headers["X-A"] = "b"
        assert session.get(sandbox.url + PATH).ok
        with WAYS[way](session) as copied:
            assert copied.headers["X-A"] == "b"
            sandbox.token = RENEWED
            define(monkeypatch, sandbox.url, password=RENEWED)
            assert [copied.get(sandbox.url + PATH).status_code for _ in range(2)] == [200, 200]
        assert session.get(sandbox.url + PATH).status_code == 401
    assert [request.connection for request in sandbox.requests] == [1, 2, 2, 1]


def test_what_is_pickled_of_a_used_hook_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    proxy = f"http://u:{PROXY_SECRET}@127.0.0.1:1"
    for extra in ({}, {"proxy": proxy}):
        define(monkeypatch, sandbox.url, password=SECRET, **extra)
        with UseApiHook() as hook:
            session = hook.get_conn()
            if not extra:
                hook.look()
                response = session.get(sandbox.url + PATH)
                assert b"canary" not in pickle.dumps(response)
            for held in (hook, session, copy.copy(hook), copy.deepcopy(session)):
                assert b"canary" not in pickle.dumps(held)
                assert "canary" not in repr(vars(copy.copy(held)))


@every_way
@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_a_used_sensor(sandbox: Sandbox, way: str, mode: str) -> None:
    sandbox.script(PATH, Answer(body={"subscriptionIsActive": False}))
    sensor = UseApiAccountSensor(task_id="gate", mode=mode)
    assert not sensor.poke({}).is_done
    assert b"canary" not in pickle.dumps(sensor)
    assert WAYS[way](sensor).poke({}).is_done
