"""An Airflow connection with these fields: whom it asks, or what it says, both ways alike."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
from collections.abc import Iterator
from importlib import metadata
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.servers import (
    ASKS,
    TOKEN,
    Proxy,
    ask_both,
    define,
    ipv6_server,
)

CONFIG, UNAVAILABLE = "UseApiConfigError", "UseApiUnavailableError"
NOT_FOUND = "UseApiConnectionNotFoundError"
REFUSES_EXTRAS = metadata.version("apache-airflow").startswith(("3.0.", "3.1."))
"""Whether this Airflow reads no connection whose ``extra`` is no object."""
PATH = "/v2/account"


@pytest.fixture(scope="module", autouse=True)
def find_open_sockets() -> Iterator[None]:
    yield
    gc.collect()


# --- Host -----------------------------------------------------------------------------------------


def test_plain_http_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        define(monkeypatch, "http://useapi.invalid")
        assert ask_both().kind == CONFIG
        define(monkeypatch, "http://useapi.invalid", proxy=proxy.url)
        assert ask_both().kind == CONFIG
        assert proxy.connections == 0


@pytest.mark.parametrize("allow", [True, "true", "1", 1, "Yes"])
def test_allow_http(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, allow: object) -> None:
    with Proxy(route=sandbox.port) as proxy:
        define(monkeypatch, "http://useapi.invalid:80", allow_http=allow, proxy=proxy.url)
        assert ask_both().kind == "Account"
        assert [request.authorized for request in sandbox.requests] == [True, True]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("path", ["", "/", "/pre/fix", "/pre-%C3%BC/x;y=1"])
def test_plain_http_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, name: str, path: str
) -> None:
    define(monkeypatch, f"http://{name}:{sandbox.port}{path}")
    wanted = path.rstrip("/") + PATH
    sandbox.script(wanted, 200, 200)
    assert ask_both().kind == "Account"
    assert [request.path for request in sandbox.requests] == [wanted, wanted]
    assert all(request.authorized for request in sandbox.requests)


def test_port_field(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    define(monkeypatch, "http://127.0.0.1", port=sandbox.port)
    assert ask_both().kind == "Account"


def test_ipv6_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with ipv6_server() as server:
        define(monkeypatch, f"http://[::1]:{server.port}")
        assert ask_both().kind == "Account"


def test_localhost_with_a_dead_address(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """A name with several addresses works as long as one of them answers."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("twice.localhost.invalid", b"twice.localhost.invalid"):
            return real(host, port, *args, **kwargs)
        dead = list(real("127.0.0.2", port, type=socket.SOCK_STREAM))
        return dead + real("127.0.0.1", port, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    define(
        monkeypatch,
        f"http://twice.localhost.invalid:{sandbox.port}",
        allow_http=True,
        timeout=5,
    )
    assert ask_both().kind == "Account"


# --- Token ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "warned"),
    [
        (TOKEN, False),
        (f"  {TOKEN}\n", False),
        (f"\t{TOKEN}\r\n", False),
        (f"\ufeff{TOKEN}".strip("\ufeff"), False),
        (f"Bearer {TOKEN}", True),
        (f"bearer   {TOKEN} ", True),
        (f" BEARER\t{TOKEN}", True),
        (f"Bearer\n{TOKEN}", True),
    ],
)
def test_tokens_that_work(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    sandbox: Sandbox,
    password: str,
    warned: bool,
) -> None:
    caplog.set_level(logging.WARNING)
    define(monkeypatch, sandbox.url, password=password)
    for ask in ASKS.values():
        assert ask().kind == "Account"
        logged = caplog.text + "".join(capfd.readouterr())
        assert ("Bearer" in logged and "useapi_default" in logged) is warned
        assert TOKEN not in logged
        caplog.clear()
    assert [request.authorized for request in sandbox.requests] == [True, True]


CANARY = "12345-canary"


@pytest.mark.parametrize(
    "password",
    [
        None,
        "",
        "  \n ",
        "Bearer",
        "Bearer ",
        " bearer \t",
        f"user:{CANARY} x",
        f"user: {CANARY}",
        f"Bearer Bearer user:{CANARY}",
        f"user:{CANARY}\nX-Header: y",
        f"user:{CANARY}\r\n\r\nGET / HTTP/1.1",
        f"user:\0{CANARY}",
        f"user:{CANARY}\x7f",
        f"user:{CANARY}\u200b",
        f"user:{CANARY}ü",
        f"user:{CANARY}\u00a0x",
        f"user:{CANARY}\ud800",
        f"\u202e{CANARY}",
    ],
)
def test_tokens_that_are_refused(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, password: str | None
) -> None:
    define(monkeypatch, sandbox.url, password=password)
    outcome = ask_both()
    # What Airflow itself cannot read is a connection that it does not find.
    kind = NOT_FOUND if "\ud800" in (password or "") else CONFIG
    assert (outcome.kind, outcome.permanent) == (kind, True)
    assert "'useapi_default'" in outcome.message and "password" in outcome.message
    assert "canary" not in outcome.text
    assert sandbox.connections == 0


def test_uri_whose_colon_was_not_quoted(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    host = quote("http://127.0.0.1", safe="")
    name = "AIRFLOW_CONN_USEAPI_DEFAULT"
    monkeypatch.setenv(name, f"useapi://user:{CANARY}@{host}:{sandbox.port}")
    outcome = ask_both()
    assert outcome.kind == CONFIG
    assert "useapi_default" in outcome.message and "%3A" in outcome.message
    assert "canary" not in outcome.text
    assert sandbox.connections == 0
    sandbox.token = f"user:{CANARY}"
    monkeypatch.setenv(name, f"useapi://:user%3A{CANARY}@{host}:{sandbox.port}?max_attempts=1")
    assert ask_both().kind == "Account"


def test_login_beside_a_whole_token(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    for login in ("user", "somebody"):
        define(monkeypatch, sandbox.url, login=login)
        assert ask_both().kind == "Account"


# --- Extras ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", ["timeout", "max_attempts", "verify", "allow_http", "proxy", "client_cert"]
)
def test_token_in_the_wrong_field_is_not_shown(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    define(monkeypatch, "https://127.0.0.1:1", password=f"user:{CANARY}", **{field: CANARY})
    outcome = ask_both()
    assert outcome.kind == CONFIG
    assert "canary" not in outcome.text


def test_proxy_with_a_password_works_or_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    define(monkeypatch, "https://api.example.org", proxy="http://u:p%zz%00ss@127.0.0.1:1")
    for ask in ASKS.values():
        assert ask().kind in (CONFIG, UNAVAILABLE)


# --- Proxies of the environment -------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "SOCKS5"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_socks_is_refused(monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str) -> None:
    monkeypatch.setenv(variable, f"{scheme}://u:sesame@127.0.0.1:1080")
    define(monkeypatch, "https://127.0.0.1:1")
    outcome = ask_both()
    assert outcome.kind == CONFIG
    assert "SOCKS" in outcome.message and variable.upper() in outcome.message
    assert "useapi_default" in outcome.message and "sesame" not in outcome.text


def test_socks_that_is_not_for_this_host(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    define(monkeypatch, sandbox.url)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    assert ask_both().kind == CONFIG
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert ask_both().kind == "Account"
    monkeypatch.delenv("NO_PROXY")
    # A proxy on another machine is no way to this one for a token in plain http.
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.invalid:1080")
    assert ask_both().kind == "Account"


def test_proxy_elsewhere_is_no_way_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    define(monkeypatch, sandbox.url)
    assert ask_both().kind == "Account"
    define(monkeypatch, sandbox.url, proxy="http://proxy.invalid:3128")
    outcome = ask_both()
    assert outcome.kind == CONFIG and "'proxy'" in outcome.message


@pytest.mark.parametrize(
    "value",
    ["http://[::1", "http://x:port", "ftp://x:1", "http://", "http://a..b:1", "a b:1"],
)
def test_variables_that_are_no_proxy(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    define(monkeypatch, "https://127.0.0.1:1")
    outcome = ask_both()
    assert outcome.kind == CONFIG and "HTTPS_PROXY" in outcome.message


# Airflow 2.11 says what it thinks of such an extra.
@pytest.mark.filterwarnings("ignore:Encountered")
@pytest.mark.parametrize("extra", ["[1, 2]", '"text"', "5", "null", "", "{not json", [1], 5])
def test_extra_that_is_no_object_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, extra: object
) -> None:
    fields = {"conn_type": "useapi", "host": sandbox.url, "password": TOKEN, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", json.dumps(fields))
    assert ask_both().kind == (NOT_FOUND if REFUSES_EXTRAS and extra else "Account")


def test_both_read_the_connection_of_the_moment(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    hook = UseApiHook()
    with Sandbox() as other:
        for server in (sandbox, other):
            define(monkeypatch, server.url)
            assert asyncio.run(hook.aget_account()).id == 12345
            assert len(server.requests) == 1
