"""
What a triggerer asks its supervisor to read a connection, look after look.

Each message wakes the supervisor, which then asks the database all that it asks in a turn.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_useapi.compat import READS_DATABASE_AS_BACKEND, has_task_sdk
from airflow_provider_useapi.exceptions import UseApiConnectionNotFoundError
from airflow_provider_useapi.triggers.connection_client import ConnectionClient
from tests.helpers.supervisor import supervised

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not has_task_sdk(), reason="Airflow 2 has no supervisor"),
]
counts_messages = pytest.mark.skipif(
    not READS_DATABASE_AS_BACKEND, reason="Airflow 3.0 masks a connection whenever it is read"
)
CONN_ID = "useapi_kept"
VARIABLE = f"AIRFLOW_CONN_{CONN_ID.upper()}"
PLAIN = {"password": "user:1-plain"}
WITH_EXTRA = {"password": "user:1-extra", "extra": json.dumps({"timeout": 20})}


def in_environment(fields: dict[str, Any]) -> str:
    """A connection, as a variable of the environment."""
    return json.dumps({"conn_type": "useapi", **fields})


def masked(messages: list[dict[str, Any]]) -> set[str]:
    """The texts that the supervisor was told to mask."""
    values = [each["value"] for each in messages if each["type"] == "MaskSecret"]
    texts = [value if isinstance(value, list) else [value] for value in values]
    return {text for each in texts for text in each if isinstance(text, str)}


@counts_messages
@pytest.mark.parametrize("fields", [PLAIN, WITH_EXTRA])
async def test_an_unchanged_connection_in_the_database_is_one_message_a_look(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    async with supervised(monkeypatch, **{CONN_ID: fields}) as supervisor:
        client = ConnectionClient(CONN_ID)
        first = await client.read()
        assert first.token in masked(supervisor.take())
        for _ in range(3):
            assert await client.read() is first
            assert supervisor.heard() == ["GetConnection"]


@counts_messages
@pytest.mark.parametrize("fields", [PLAIN, WITH_EXTRA])
async def test_an_unchanged_connection_in_the_environment_is_no_message_at_all(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setenv(VARIABLE, in_environment(fields))
    async with supervised(monkeypatch) as supervisor:
        client = ConnectionClient(CONN_ID)
        first = await client.read()
        assert first.token in masked(supervisor.take())
        for _ in range(3):
            assert await client.read() is first
            assert supervisor.heard() == []


@counts_messages
@pytest.mark.parametrize("fields", [PLAIN, WITH_EXTRA])
async def test_a_connection_that_is_new_is_masked_with_two_messages(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    async with supervised(monkeypatch, **{CONN_ID: fields}) as supervisor:
        token = (await ConnectionClient(CONN_ID).read()).token
        messages = supervisor.take()
    rest = token.removeprefix("user:")
    assert {token, f"user%3A{rest}", rest} <= masked(messages)
    assert fields.get("extra", token) in masked(messages)
    assert [each["type"] for each in messages] == ["GetConnection", "MaskSecret", "MaskSecret"]


async def test_an_extra_that_is_no_json_is_left_to_airflows_own_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = {**PLAIN, "extra": "{oops"}
    async with supervised(monkeypatch, **{CONN_ID: fields}) as supervisor:
        client = ConnectionClient(CONN_ID)
        first = await client.read()
        assert fields["extra"] in masked(supervisor.take())
        assert await client.read() is first


@pytest.mark.parametrize("is_stored", [True, False])
async def test_a_new_token_is_used_and_masked_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    async with supervised(monkeypatch) as supervisor:
        client = ConnectionClient(CONN_ID)
        for token in ("user:1-old", "user:1-new", "user:1-newest"):
            fields = {**WITH_EXTRA, "password": token}
            if is_stored:
                supervisor.stored[CONN_ID] = fields
            else:
                monkeypatch.setenv(VARIABLE, in_environment(fields))
            assert (await client.read()).token == token
            assert token in masked(supervisor.take())


async def test_a_secret_in_an_extra_that_is_not_ours_is_masked_as_airflow_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with supervised(monkeypatch, **{CONN_ID: WITH_EXTRA}) as supervisor:
        client = ConnectionClient(CONN_ID)
        await client.read()
        extra = json.dumps({"timeout": 20, "api_key": "a-secret-of-others"})
        supervisor.stored[CONN_ID] = {**WITH_EXTRA, "extra": extra}
        supervisor.take()
        await client.read()
        messages = supervisor.take()
    assert extra in masked(messages)
    values = [each["value"] for each in messages if each["type"] == "MaskSecret"]
    lists = [each for value in values for each in (value if isinstance(value, list) else [value])]
    assert json.loads(extra) in lists, "Airflow looks for telling names in it"


async def test_a_connection_that_is_gone_is_not_found_and_one_that_is_back_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with supervised(monkeypatch, **{CONN_ID: PLAIN}) as supervisor:
        client = ConnectionClient(CONN_ID)
        await client.read()
        del supervisor.stored[CONN_ID]
        for _ in range(2):
            with pytest.raises(UseApiConnectionNotFoundError):
                await client.read()
        supervisor.stored[CONN_ID] = WITH_EXTRA
        assert (await client.read()).token == WITH_EXTRA["password"]


async def test_a_connection_that_moves_in_front_of_the_kept_one_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with supervised(monkeypatch, **{CONN_ID: PLAIN}):
        client = ConnectionClient(CONN_ID)
        await client.read()
        monkeypatch.setenv(VARIABLE, in_environment(WITH_EXTRA))
        assert (await client.read()).token == WITH_EXTRA["password"]
        monkeypatch.delenv(VARIABLE)
        assert (await client.read()).token == PLAIN["password"]


async def test_a_proxy_of_the_environment_is_seen_though_the_connection_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with supervised(monkeypatch, **{CONN_ID: PLAIN}) as supervisor:
        client = ConnectionClient(CONN_ID)
        assert (await client.read()).proxy is None
        supervisor.take()
        monkeypatch.setenv("HTTPS_PROXY", "http://somebody:hush-hush@proxy.invalid:3128")
        assert (await client.read()).proxy
        assert "hush-hush" in masked(supervisor.take())


class Backend:
    """A secrets backend of the user's own, in front of all others; it answers or raises."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def get_connection(self, conn_id: str) -> None:
        self.asked += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [None, ConnectionError("away"), PermissionError("denied")])
async def test_a_backend_in_front_that_has_it_not_is_asked_no_more_than_airflow_does(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    from airflow.sdk.execution_time import supervisor as airflow_supervisor

    backend, load = Backend(), airflow_supervisor.ensure_secrets_backend_loaded
    monkeypatch.setattr(
        airflow_supervisor, "ensure_secrets_backend_loaded", lambda: [backend, *load()]
    )
    backend.error = error
    async with supervised(monkeypatch, **{CONN_ID: PLAIN}) as supervisor:
        client = ConnectionClient(CONN_ID)
        first = await client.read()
        supervisor.take(), setattr(backend, "asked", 0)
        assert await client.read() is first
        if isinstance(error, PermissionError):  # what follows from that is Airflow's to say
            assert backend.asked == 1 + READS_DATABASE_AS_BACKEND
        else:
            heard = supervisor.heard()
            assert (backend.asked, heard.count("GetConnection")) == (1, 1)
            assert heard == ["GetConnection"] or not READS_DATABASE_AS_BACKEND
