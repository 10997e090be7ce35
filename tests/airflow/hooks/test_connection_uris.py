"""Connections as Airflow hands them over: from a URI, from JSON, through its own round trip."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from airflow.models.connection import Connection
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.connection.settings import Settings, read_settings
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.hooks.connection import settings_of
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.servers import TOKEN, ask_both, ipv6_server

VARIABLE = "AIRFLOW_CONN_USEAPI_DEFAULT"
LOGIN = f":{quote(TOKEN, safe='')}"
HOST = "api.example.org"
PATH = "/v2/account"


def _parsers() -> dict[str, Any]:
    found: dict[str, Any] = {"models": lambda uri: Connection(conn_id="my_conn", uri=uri)}
    try:
        from airflow.sdk.definitions.connection import Connection as OfTasks
    except ImportError:
        return found
    if hasattr(OfTasks, "from_uri"):
        found["sdk"] = lambda uri: OfTasks.from_uri(uri, conn_id="my_conn")
    return found


PARSERS = _parsers()
"""The URI parsers of this Airflow: that of its database, and from 3.x on that of its tasks."""


def read(connection: Any) -> Settings:
    """The settings of an Airflow connection."""
    return read_settings(
        "my_conn",
        host=connection.host,
        port=connection.port,
        schema=connection.schema,
        login=connection.login,
        password=connection.password,
        extra=connection.extra_dejson,
    )


URIS = [
    (f"useapi://{LOGIN}@", "https://api.useapi.net"),
    (f"useapi://{LOGIN}@{HOST}", f"https://{HOST}"),
    (f"useapi://{LOGIN}@{HOST}/", f"https://{HOST}"),
    (f"useapi://{LOGIN}@{HOST}/pre/fix", f"https://{HOST}/pre/fix"),
    (f"useapi://{LOGIN}@{HOST}/pre%2Ffix/?timeout=5", f"https://{HOST}/pre/fix"),
    (f"useapi://{LOGIN}@{HOST}:8443/pre", f"https://{HOST}:8443/pre"),
    (f"useapi://{LOGIN}@{HOST}/pre-%C3%BC", f"https://{HOST}/pre-%C3%BC"),
    (f"useapi://https://{LOGIN}@{HOST}:8443/pre/?timeout=3", f"https://{HOST}:8443/pre"),
    (f"useapi://{LOGIN}@https%3A%2F%2F{HOST}:8443/pre", f"https://{HOST}:8443/pre"),
    (f"useapi://{LOGIN}@https%3A%2F%2F{HOST}%2Fpre", f"https://{HOST}/pre"),
    (f"useapi://{LOGIN}@https%3A%2F%2F{HOST}%3A8443%2Fa/b", f"https://{HOST}:8443/a/b"),
    (f"useapi://{LOGIN}@/pre", "https://api.useapi.net/pre"),
    (f"useapi://{LOGIN}@[::1]", "https://[::1]"),
    (f"useapi://{LOGIN}@[::1]:8080", "https://[::1]:8080"),
    (f"useapi://{LOGIN}@[::1]:8080/pre", "https://[::1]:8080/pre"),
    (f"useapi://http://{LOGIN}@[::1]:8080/pre", "http://[::1]:8080/pre"),
    (f"useapi://{LOGIN}@http%3A%2F%2F%5B%3A%3A1%5D:8080", "http://[::1]:8080"),
    (f"useapi://{LOGIN}@%5B%3A%3A1%5D:8080", "https://[::1]:8080"),
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(("uri", "base"), URIS)
def test_uris(parser: str, uri: str, base: str) -> None:
    connection = PARSERS[parser](uri)
    assert read(connection).base_url == base
    assert read(PARSERS[parser](connection.get_uri())).base_url == base


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "host",
    [
        f"https//{HOST}",
        f"https:/{HOST}",
        f"htps:/{HOST}",
        f"htps/{HOST}",
        f"https%2F%2F{HOST}",
        f"https%3A%2F{HOST}",
        f"htps%3A%2F{HOST}",
        f"https%3A%2F%2Fhttps%3A%2F%2F{HOST}",
        f"htps%3A%2F%2F{HOST}",
        "https",
    ],
)
def test_slips_in_uris(parser: str, host: str) -> None:
    with pytest.raises(UseApiConfigError) as caught:
        read(PARSERS[parser](f"useapi://{LOGIN}@{host}"))
    assert "my_conn" in str(caught.value) and TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "base"),
    [
        ({"host": HOST, "schema": "pre"}, f"https://{HOST}/pre"),
        ({"host": f"https://{HOST}/a", "schema": "b", "port": 8443}, f"https://{HOST}:8443/a/b"),
        ({"host": "::1", "port": "8080"}, "https://[::1]:8080"),
        ({"host": "[::1]:8080", "schema": "/pre/"}, "https://[::1]:8080/pre"),
        ({"host": HOST, "schema": "https"}, f"https://{HOST}"),
    ],
)
def test_json_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], base: str
) -> None:
    whole = {"conn_type": "useapi", "password": TOKEN, **fields}
    monkeypatch.setenv(VARIABLE, json.dumps(whole))
    assert settings_of(UseApiHook()).base_url == base


@pytest.mark.parametrize(
    "host", [f"https//{HOST}", f"https:/{HOST}", f"htps:/{HOST}", f"https://https://{HOST}"]
)
def test_slips_are_no_host_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A gate would wait for the host ``https`` for ever, and send it the token."""
    whole = {"conn_type": "useapi", "password": TOKEN, "host": host}
    monkeypatch.setenv(VARIABLE, json.dumps(whole))
    outcome = ask_both()
    assert (outcome.kind, outcome.permanent) == ("UseApiConfigError", True)
    assert "useapi_default" in outcome.message and TOKEN not in outcome.text


@pytest.mark.parametrize("path", ["/pre/fix", "/pre%2Ffix", "/pre-%C3%BC"])
def test_the_path_of_a_uri_is_asked(
    monkeypatch: pytest.MonkeyPatch, useapi_sandbox: Sandbox, path: str
) -> None:
    origin = quote("http://127.0.0.1", safe="")
    uri = f"useapi://{LOGIN}@{origin}:{useapi_sandbox.port}{path}?max_attempts=1"
    monkeypatch.setenv(VARIABLE, uri)
    wanted = path.replace("%2F", "/") + PATH
    useapi_sandbox.script(wanted, 200, 200)
    assert ask_both().kind == "Account"
    assert [request.path for request in useapi_sandbox.requests] == [wanted] * 2


@pytest.mark.parametrize(
    "uri",
    [
        f"useapi://http://{LOGIN}@[::1]:{{}}",
        f"useapi://http://{LOGIN}@[::1]:{{}}/pre",
        f"useapi://{LOGIN}@http%3A%2F%2F%5B%3A%3A1%5D:{{}}",
    ],
)
def test_an_ipv6_address_in_a_uri_is_asked(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    with ipv6_server() as server:
        monkeypatch.setenv(VARIABLE, uri.format(server.port))
        assert ask_both().kind == "Account"


HOSTS = st.sampled_from(
    [HOST, "10.0.0.1", "[2001:db8::1]", "::1", "https://[::1]:99", f"https://{HOST}/a/b", "x_y"]
)
SCHEMAS = st.none() | st.text("ab/-_.~ü%2F", max_size=8)


@given(HOSTS, st.none() | st.integers(1, 65535), SCHEMAS)
def test_what_airflow_writes_as_a_uri_is_read_as_the_same(
    host: str, port: int | None, schema: str | None
) -> None:
    connection = Connection(
        conn_id="my_conn", conn_type="useapi", host=host, port=port, schema=schema, password=TOKEN
    )
    found = read(connection)
    for parse in PARSERS.values():
        assert read(parse(connection.get_uri())).base_url == found.base_url
