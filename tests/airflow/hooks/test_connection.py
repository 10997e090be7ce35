"""The fields of a connection: what is taken, what is refused, and what is said about it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
from collections.abc import Iterator
from importlib import metadata
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_useapi.connection.settings import Settings, read_settings
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.servers import (
    ASKS,
    TOKEN,
    Outcome,
    Proxy,
    SocketServer,
    ask_async,
    ask_sync,
    define,
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


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def ask_both() -> Outcome:
    """The outcome of both transports, which must be one and the same."""
    sync, loop = ask_sync(), ask_async()
    assert sync == loop
    return sync


def read(
    host: str | None = "https://api.example.org",
    *,
    port: int | None = None,
    login: str | None = None,
    password: str | None = TOKEN,
    **extra: Any,
) -> Settings:
    """The settings of a connection with these fields."""
    return read_settings(
        "my_conn", host=host, port=port, login=login, password=password, extra=extra
    )


def refusal(*args: Any, **fields: Any) -> str:
    """The message with which these fields are refused."""
    with pytest.raises(UseApiConfigError) as caught:
        read(*args, **fields)
    assert caught.value.permanent
    message = str(caught.value)
    assert "'my_conn'" in message and TOKEN not in message and message.isprintable()
    return message


# --- Host -----------------------------------------------------------------------------------------

HOSTS: list[tuple[str | None, int | None, str]] = [
    (None, None, "https://api.useapi.net"),
    ("", None, "https://api.useapi.net"),
    ("   ", None, "https://api.useapi.net"),
    ("api.example.org", None, "https://api.example.org"),
    ("  api.example.org\n", None, "https://api.example.org"),
    ("api.example.org:8443", None, "https://api.example.org:8443"),
    ("https://api.example.org", None, "https://api.example.org"),
    ("HTTPS://API.Example.ORG", None, "https://api.example.org"),
    ("https://api.example.org/", None, "https://api.example.org"),
    ("https://api.example.org///", None, "https://api.example.org"),
    ("https://api.example.org", 8443, "https://api.example.org:8443"),
    ("https://api.example.org:8443", 9000, "https://api.example.org:8443"),
    ("api.example.org", 8443, "https://api.example.org:8443"),
    ("https://api.example.org/pre/fix/", None, "https://api.example.org/pre/fix"),
    ("api.example.org/pre", 8443, "https://api.example.org:8443/pre"),
    ("https://bücher.example", None, "https://xn--bcher-kva.example"),
    ("https://xn--bcher-kva.example", None, "https://xn--bcher-kva.example"),
    ("https://[::1]:8443", None, "https://[::1]:8443"),
    ("http://127.0.0.1:8080", None, "http://127.0.0.1:8080"),
    ("http://127.8.9.10", None, "http://127.8.9.10"),
    ("http://localhost", None, "http://localhost"),
    ("http://LOCALHOST", 80, "http://localhost:80"),
    ("http://[::1]", 8080, "http://[::1]:8080"),
]


@pytest.mark.parametrize(("host", "port", "base"), HOSTS)
def test_hosts_that_are_taken(host: str | None, port: int | None, base: str) -> None:
    assert read(host, port=port).base_url == base


@pytest.mark.parametrize(
    "host",
    [
        "https://",
        "https:///v2",
        "https://:8443",
        "https://api.example.org:port",
        "https://api.example.org:99999",
        "https://api.example.org:-1",
        "https://[::1",
        "https://[zz]",
        "ftp://api.example.org",
        "file:///etc/passwd",
        "javascript://x",
        "httpss://api.example.org",
        "://api.example.org",
        "https://api example.org",
        "https://api.example.org/a b",
        "https://api.example.org/\x7f",
        "https://api.exam\nple.org",
        "https://api.exam\tple.org",
        "https://user@api.example.org",
        "https://user:sesame@api.example.org",
        "https://@api.example.org",
        "https://api.example.org?x=1",
        "https://api.example.org/#part",
        f"https://{TOKEN}@api.example.org",
        "https://" + "a" * 64 + ".example.org",
        "https://a..example.org",
        "https://.example.org",
        "https://bü..example",
        "https://a|b.example.org",
        "https://a<b>.example.org",
        'https://a"b.example.org',
        "https://a^b.example.org",
        "https://a`b.example.org",
        "https://a{b}.example.org",
        "https://a%41.example.org",
        "https://a%zz.example.org",
        "https://a\\b.example.org",
        "https://good.example\\@evil.example",
        "https://*.example.org",
        "https://xn--a",
        "https://_é.example.org",
    ],
)
def test_hosts_that_are_refused(host: str) -> None:
    message = refusal(host)
    assert "https://api.useapi.net" in message
    assert "sesame" not in message


@pytest.mark.parametrize("port", [0, -1, 65536, 10**9])
def test_ports_that_are_refused(port: int) -> None:
    assert str(port) in refusal("https://api.example.org", port=port)


@pytest.mark.parametrize(
    "host",
    [
        "http://api.useapi.net",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "http://128.0.0.1",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://2130706433",
        "http://0x7f000001",
        "http://127.1.example",
        "HTTP://useapi.invalid",
    ],
)
def test_plain_http_is_refused(host: str) -> None:
    message = refusal(host)
    assert "allow_http" in message and "https://" in message
    for off in (False, "false", "", None, "no", "0"):
        assert "allow_http" in refusal(host, allow_http=off)
    assert read(host, allow_http=True).base_url.startswith("http://")


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
    def handle(peer: Any) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    try:
        server = SocketServer(handle, "::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
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


ODD_HOST = st.text(
    st.sampled_from("ab1.-_:/@?#[]%\\ *|~!$&'()+,;=<>{}\"^`ü。ßİ\u200b\u2024\uff0f\ud800é\t\n"),
    max_size=24,
)


def assert_libraries_agree(base_url: str) -> None:
    """What was taken must be an address for each library, and the same one."""
    ours = urlsplit(base_url)
    url = base_url + PATH
    theirs = urlsplit(requests.Request("GET", url).prepare().url or "")
    httpx_url = httpx.Request("GET", url).url
    assert ours.hostname == theirs.hostname == httpx_url.raw_host.decode()
    assert ours.port == theirs.port
    assert ours.scheme == theirs.scheme == httpx_url.scheme


@settings(max_examples=600, deadline=None, database=None, derandomize=True)
@given(ODD_HOST, st.sampled_from(["", "https://", "https://x.example/"]))
def test_any_host_is_refused_or_usable(text: str, before: str) -> None:
    try:
        taken = read(before + text)
    except UseApiConfigError as e:
        assert "my_conn" in str(e)
        return
    assert_libraries_agree(taken.base_url)


@pytest.mark.parametrize(("host", "port", "base"), HOSTS)
def test_libraries_agree_on_the_host(host: str | None, port: int | None, base: str) -> None:
    assert_libraries_agree(read(host, port=port).base_url)


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


def test_settings_do_not_show_the_token() -> None:
    shown = repr(read(proxy="http://u:secret@127.0.0.1:1"))
    assert TOKEN not in shown and "secret" not in shown


# --- Extras ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "read_as"),
    [
        ("timeout", None, 30.0),
        ("timeout", "", 30.0),
        ("timeout", 5, 5.0),
        ("timeout", 0.25, 0.25),
        ("timeout", "5", 5.0),
        ("timeout", " 2.5 ", 2.5),
        ("timeout", 86400, 86400.0),
        ("max_attempts", None, 3),
        ("max_attempts", "", 3),
        ("max_attempts", 1, 1),
        ("max_attempts", "4", 4),
        ("max_attempts", 4.0, 4),
        ("max_attempts", "4.0", 4),
        ("verify", None, True),
        ("verify", "", True),
        ("verify", True, True),
        ("verify", "True", True),
        ("verify", "on", True),
        ("verify", 1, True),
        ("verify", False, False),
        ("verify", "FALSE", False),
        ("verify", "off", False),
        ("verify", 0, False),
        ("verify", " bundle.pem ", "bundle.pem"),
        ("client_cert", "cert.pem", "cert.pem"),
        ("client_cert", "", None),
        ("proxy", "", None),
        ("proxy", None, None),
        ("proxy", " http://127.0.0.1:3128 ", "http://127.0.0.1:3128"),
        ("proxy", "HTTP://proxy.example.org", "HTTP://proxy.example.org"),
        (
            "proxy",
            "https://u:p@proxy.example.org:3128",
            "https://u:p@proxy.example.org:3128",
        ),
    ],
)
def test_extras_that_are_taken(field: str, value: object, read_as: object) -> None:
    found = getattr(read(**{field: value}), field)
    assert found == read_as and type(found) is type(read_as)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        *(("timeout", v, "seconds") for v in (0, -1, "0", "x", True, [], {}, 86401, 1e400)),
        *(("timeout", v, "seconds") for v in ("nan", "inf", "-inf", "1e999", "30s", "9" * 400)),
        *(("max_attempts", v, "whole number") for v in (0, -1, 1.5, "x", True, [], {}, "nan")),
        *(("verify", v, "CA bundle") for v in (2, 0.5, [], {}, ["a.pem"])),
        *(("allow_http", v, "true or false") for v in (2, "maybe", [], {}, "tru")),
        *(("client_cert", v, "string") for v in (1, True, [], {})),
        *(("client_key", v, "string") for v in (1, True, [], {})),
        *(("proxy", v, "string") for v in (1, True, [], {"http": "http://127.0.0.1:1"})),
        *(("proxy", v, "http://proxy.example.com:3128") for v in ("x", "127.0.0.1:3128", "http:")),
        *(("proxy", v, "http://proxy.example.com:3128") for v in ("ftp://x:1", "http://x:port")),
        *(("proxy", v, "http://proxy.example.com:3128") for v in ("http://[::1", "http://x:99999")),
        *(("proxy", v, "http://proxy.example.com:3128") for v in ("http://a..b:1", "http://a b:1")),
        ("proxy", "http://" + "a" * 64 + ".example:1", "http://proxy.example.com:3128"),
        ("proxy", "http://a|b:1", "http://proxy.example.com:3128"),
        *(
            ("proxy", v, "http://proxy.example.com:3128")
            for v in ("http://127.0.0.1\n:1", "http://\t127.0.0.1:1", "http://127.0.0.1:1/\x00")
        ),
        *(
            ("proxy", f"http://{v}:1", "http://proxy.example.com:3128")
            for v in ("ª.example", "☃.example", "_é.example", "xn--0.example")
        ),
        *(("proxy", f"{s}://127.0.0.1:1080", "SOCKS") for s in ("socks5", "SOCKS4", "socks5h")),
    ],
)
def test_extras_that_are_refused(field: str, value: object, wanted: str) -> None:
    message = refusal(**{field: value})
    assert f"'{field}'" in message and wanted in message


@pytest.mark.parametrize(
    "field", ["timeout", "max_attempts", "verify", "allow_http", "proxy", "client_cert"]
)
def test_token_in_the_wrong_field_is_not_shown(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    define(monkeypatch, "https://127.0.0.1:1", password=f"user:{CANARY}", **{field: CANARY})
    outcome = ask_both()
    assert outcome.kind == CONFIG
    assert "canary" not in outcome.text


def test_password_of_a_bad_proxy_is_not_shown() -> None:
    for proxy in (
        "ftp://u:sesame@x:1",
        "u:sesame@x:1",
        "socks5://u:sesame@x:1",
        "http://u:sesame@",
    ):
        assert "sesame" not in refusal(proxy=proxy)
    assert "sesame" not in refusal(proxy=["http://u:sesame@x:1"])


def test_proxy_with_a_password_works_or_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    define(monkeypatch, "https://api.example.org", proxy="http://u:p%zz%00ss@127.0.0.1:1")
    for ask in ASKS.values():
        assert ask().kind in (CONFIG, UNAVAILABLE)


def test_unknown_extra_is_warned_about() -> None:
    (warning,) = read(time_out=5, max_attempts=2).warnings
    assert "my_conn" in warning and "time_out" in warning and "timeout" in warning
    (warning,) = read(**{TOKEN: 1, "person@example.org": 2}).warnings
    assert TOKEN not in warning and "person" not in warning
    assert read().warnings == ()


EXTRA_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "timeout",
                "max_attempts",
                "verify",
                "allow_http",
                "proxy",
                "client_cert",
                "client_key",
                "other",
            ]
        ),
        EXTRA_VALUES | st.sampled_from(["http://", "http://x", "1", "true", "http://x:0"]),
        max_size=4,
    ),
    st.text(max_size=12) | st.none(),
    st.integers(-5, 70000) | st.none(),
)
def test_any_extra_is_refused_or_usable(
    extra: dict[str, Any], password: str | None, port: int | None
) -> None:
    try:
        found = read(password=password, port=port, **extra)
    except UseApiConfigError as e:
        assert "my_conn" in str(e)
        return
    assert 0 < found.timeout <= 86400 and found.max_attempts >= 1
    assert found.secrets and found.token.isprintable()


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
