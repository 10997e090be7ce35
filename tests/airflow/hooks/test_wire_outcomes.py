"""What comes over the wire: the same outcome in a worker, on a loop and by the session."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import math
import socket
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.responses import Answer as Received
from airflow_provider_useapi.api.responses import read_account
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.clock import MovableClock
from tests.helpers.servers import (
    ASKS,
    SLACK,
    TOKEN,
    WAYS,
    Outcome,
    SocketServer,
    ask_all,
    ask_at_once,
    define,
    error_outcome,
    raw_server,
    same,
    silent_server,
)

pytestmark = pytest.mark.usefixtures("warm")

PATH = "/v2/account"
AUTH, REQUEST = "UseApiAuthError", "UseApiRequestError"
UNAVAILABLE, RESPONSE, ACCOUNT = (
    "UseApiUnavailableError",
    "UseApiResponseError",
    "Account",
)
PERMANENT = {
    AUTH: True,
    REQUEST: True,
    UNAVAILABLE: False,
    RESPONSE: False,
    ACCOUNT: None,
}
MIB = 1024 * 1024
HTML = "<html><body><h1>Something in between</h1></body></html>"


def ask_each(sandbox: Sandbox, *answers: Answer | int) -> Outcome:
    """The outcome of one script by worker, loop and session, which must be one and the same."""
    outcomes = []
    for ask in WAYS.values():
        sandbox.script(PATH, *answers)
        outcomes.append(ask())
    return same(*outcomes)


def assert_is(outcome: Outcome, kind: str, status: int | None) -> None:
    """Check class, status and whether it is permanent."""
    found = (outcome.kind, outcome.status_code, outcome.permanent)
    assert found == (kind, None if kind == ACCOUNT else status, PERMANENT[kind]), outcome.message


# --- Every final status ---------------------------------------------------------------------------


def expected_kind(status: int, body: str) -> str:
    """The contract's table, written down again."""
    if status == 402 or (status == 200 and body == "json"):
        return ACCOUNT
    if status == 401 or (status == 403 and body == "json"):
        return AUTH
    if status == 403 or 200 <= status < 300:
        return RESPONSE
    if status == 596:
        return REQUEST
    if status in (408, 429) or status >= 500:
        return UNAVAILABLE
    return REQUEST


BODIES: dict[str, object] = {
    "json": {"error": "words of the API", "code": 1},
    "html": HTML,
    "empty": b"",
}


@pytest.mark.parametrize("body", BODIES)
def test_every_final_status(sandbox: Sandbox, body: str) -> None:
    statuses = range(200, 600)
    answers = [Answer(status=status, body=BODIES[body]) for status in statuses]
    sandbox.script(PATH, *answers, *answers)

    def outcome(account: Account) -> Outcome:
        return Outcome(ACCOUNT, account=account)

    sync, loop = [], []
    with UseApiHook() as hook:
        for _ in statuses:
            try:
                sync.append(outcome(hook.get_account()))
            except UseApiError as e:
                sync.append(error_outcome(e))

    async def look_at_all() -> None:
        for _ in statuses:
            try:
                loop.append(outcome(await UseApiHook().aget_account()))
            except UseApiError as e:
                loop.append(error_outcome(e))

    asyncio.run(look_at_all())
    assert [request.status for request in sandbox.requests] == [*statuses, *statuses]
    found = {
        status: (one.kind, one.status_code, one.permanent)
        for status, one in zip(statuses, sync, strict=True)
    }
    wanted = {}
    for status in statuses:
        kind = expected_kind(status, body)
        wanted[status] = (kind, None if kind == ACCOUNT else status, PERMANENT[kind])
    assert found == wanted
    assert sync == loop
    # A status without a body takes nothing away: all of it went over one connection.
    assert len({request.connection for request in sandbox.requests[: len(statuses)]}) == 1


@pytest.mark.parametrize("status", [600, 777, 999])
def test_status_beyond_http(sandbox: Sandbox, status: int) -> None:
    assert_is(ask_each(sandbox, Answer(status=status, body={})), RESPONSE, status)


def test_200_is_the_account(sandbox: Sandbox) -> None:
    outcome = ask_each(sandbox)
    assert outcome.account is not None
    assert (outcome.account.id, outcome.account.subscription_is_active) == (12345, True)
    runway = outcome.account.service("runwayml")
    assert runway is not None and runway.allocations_left == 2
    assert all(request.authorized for request in sandbox.requests)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (None, "Account has no subscription or subscription expired"),
        ({"error": "Pay first", "id": 5, "subscriptionIsActive": True}, "Pay first"),
        (HTML, "Payment required"),
        (b"", "Payment required"),
        ([1, 2], "Payment required"),
    ],
)
def test_402_is_an_inactive_account(sandbox: Sandbox, body: object, error: str) -> None:
    outcome = ask_each(sandbox, Answer(status=402, body=body))
    assert outcome.account is not None
    assert outcome.account.subscription_is_active is False
    assert outcome.account.error == error


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (Answer(status=403, body={"error": "Forbidden"}), AUTH, 403),
        (Answer(status=403, body=[]), AUTH, 403),
        (Answer(status=403, body=HTML), RESPONSE, 403),
        (Answer(status=403, body={"error": "Forbidden"}, cut_off=True), RESPONSE, 403),
        (
            Answer(status=403, body={"error": "Forbidden"}, reset_in_body=True),
            RESPONSE,
            403,
        ),
        (
            Answer(status=403, body={"error": "Forbidden"}, oversized=MIB + 1),
            RESPONSE,
            403,
        ),
        (Answer(status=401, cut_off=True), AUTH, 401),
        (Answer(status=401, body=HTML, oversized=2 * MIB), AUTH, 401),
        (Answer(status=500, body=HTML, oversized=2 * MIB), UNAVAILABLE, 500),
        (Answer(status=404, reset_in_body=True), REQUEST, 404),
        (Answer(reset=True), UNAVAILABLE, None),
        (Answer(reset_in_body=True), RESPONSE, 200),
        (Answer(cut_off=True), RESPONSE, 200),
        (Answer(body=HTML), RESPONSE, 200),
        (Answer(body=b""), RESPONSE, 200),
        (
            Answer(body=HTML, headers={"Content-Type": "application/json"}),
            RESPONSE,
            200,
        ),
        (Answer(body=b"{}", headers={"Content-Type": "text/html"}), ACCOUNT, 200),
        (Answer(oversized=MIB), ACCOUNT, 200),
        (Answer(oversized=MIB + 1), RESPONSE, 200),
        (Answer(oversized=3 * MIB), RESPONSE, 200),
        (Answer(informational=(100,)), ACCOUNT, 200),
        (Answer(informational=(100, 102, 103, 103, 199)), ACCOUNT, 200),
        (Answer(informational=(103,), status=401), AUTH, 401),
        (Answer(headers={"Connection": "close"}), ACCOUNT, 200),
        (Answer(headers={"Content-Encoding": "nonsense"}), ACCOUNT, 200),
        (Answer(body=b'{"id": 1, "name": "\xff\xfe"}'), RESPONSE, 200),
        (Answer(body=b"\xff\xfe\x00"), RESPONSE, 200),
        (Answer(body=b"\xef\xbb\xbf{}"), ACCOUNT, 200),
        (Answer(body=b'{"id": 1}{"id": 2}'), RESPONSE, 200),
        (Answer(body=b'{"id": ' + b"9" * 5000 + b"}"), RESPONSE, 200),
        (Answer(body=b"[" * 200_000), RESPONSE, 200),
        (Answer(body=b'{"a":' * 100_000 + b"1" + b"}" * 100_000), RESPONSE, 200),
        (Answer(body=b"null"), RESPONSE, 200),
        (Answer(body=b"[]"), RESPONSE, 200),
        (Answer(body=b'"text"'), RESPONSE, 200),
        (Answer(body=b"NaN"), RESPONSE, 200),
        (Answer(body=b"true"), RESPONSE, 200),
        (Answer(body={}), ACCOUNT, 200),
    ],
    ids=repr,
)
def test_faults_of_the_sandbox(sandbox: Sandbox, answer: Answer, kind: str, status: int) -> None:
    assert_is(ask_each(sandbox, answer), kind, status)
    # Whatever happened, the next call is served.
    assert ask_each(sandbox).kind == ACCOUNT


ODD_TYPES: list[dict[str, Any]] = [
    {"subscriptionIsActive": "true"},
    {"subscriptionIsActive": 1},
    {"id": "12", "email": 5, "name": ["x"], "created": {}, "sub": 250405},
    {"accounts": []},
    {"accounts": "none"},
    {
        "accounts": {
            "Kling API": None,
            "": {},
            "Runway AP": {"total": "x", "active": -1},
        }
    },
    {"accounts": {"Kling API": {"total": 1e400, "active": 10**30, "error": 0.5}}},
    {
        "created": "2023-08-316T21:03:28.558Z",
        "sub": "259999",
        "maxAccountsPerAPI": None,
    },
    {"name": "\ud800", "error": {"message": "odd"}},
]


@pytest.mark.parametrize("body", ODD_TYPES, ids=repr)
def test_wrong_types_are_an_account(sandbox: Sandbox, body: dict[str, Any]) -> None:
    outcome = ask_each(sandbox, Answer(body=body))
    assert outcome.account is not None
    assert outcome.account.subscription_is_active is False
    assert outcome.account.renewed_on is None
    outcome.account.to_dict()


# --- Faults below HTTP ----------------------------------------------------------------------------

JSON = b'{"id": 7, "name": "x"}'
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(JSON)
LONG = b"Content-Length: 999\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%s\r\n" % (len(JSON), JSON)
GZIP = OK + b"Content-Encoding: gzip\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
BLANKS = b" " * 30_000_000


def packed(body: bytes) -> bytes:
    """An answer with a body in gzip."""
    return GZIP + b"Content-Length: %d\r\n\r\n" % len(body) + body


RAW: dict[str, tuple[bytes, str, int | None]] = {
    "closes without a word": (b"", UNAVAILABLE, None),
    "garbage": (b"\x16\x03\x01 hello\r\n\r\n", UNAVAILABLE, None),
    "another protocol": (b"220 mail.example.org ESMTP\r\n", UNAVAILABLE, None),
    "http 0.9": (b"<html>hello</html>\n", UNAVAILABLE, None),
    "http 2 preface": (b"\0\0\x12\x04\0\0\0\0\0\0\x03", UNAVAILABLE, None),
    "http 2 in a line of text": (
        b"HTTP/2 200 OK\r\n" + LENGTH + JSON,
        UNAVAILABLE,
        None,
    ),
    "no status": (b"HTTP/1.1\r\n\r\n", UNAVAILABLE, None),
    "status of letters": (b"HTTP/1.1 abc OK\r\n\r\n", UNAVAILABLE, None),
    "status 099": (b"HTTP/1.1 099 X\r\n" + LENGTH + JSON, UNAVAILABLE, None),
    "status 1000": (b"HTTP/1.1 1000 X\r\n" + LENGTH + JSON, UNAVAILABLE, None),
    "cut in the status line": (b"HTTP/1.1 20", UNAVAILABLE, None),
    "cut in a header": (OK + b"Content-Le", UNAVAILABLE, None),
    "cut between headers": (OK + b"Content-Length: 5\r\n", UNAVAILABLE, None),
    "endless header": (
        OK + b"X-A: " + b"x" * 300_000 + b"\r\n" + LENGTH + JSON,
        UNAVAILABLE,
        None,
    ),
    "header of 20 kB": (
        OK + b"X-A: " + b"x" * 20_000 + b"\r\n" + LENGTH + JSON,
        ACCOUNT,
        200,
    ),
    "header beyond ASCII": (OK + b"X-A: \xff\xfe\r\n" + LENGTH + JSON, ACCOUNT, 200),
    "folded header": (OK + b"X-A: a\r\n b\r\n" + LENGTH + JSON, ACCOUNT, 200),
    "no reason": (b"HTTP/1.1 200\r\n" + LENGTH + JSON, ACCOUNT, 200),
    "http 1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + JSON, ACCOUNT, 200),
    "no length": (OK + b"\r\n" + JSON, ACCOUNT, 200),
    "two lengths": (
        OK + b"Content-Length: 3\r\n" + LENGTH + JSON,
        UNAVAILABLE,
        None,
    ),
    "100 and then nothing": (b"HTTP/1.1 100 Continue\r\n\r\n", UNAVAILABLE, None),
    "103 and then nothing": (EARLY * 3, UNAVAILABLE, None),
    "103 and then 200": (EARLY * 3 + OK + LENGTH + JSON, ACCOUNT, 200),
    "101": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        UNAVAILABLE,
        None,
    ),
    "chunked": (CHUNKED + CHUNK + b"0\r\n\r\n", ACCOUNT, 200),
    "chunked with a trailer": (CHUNKED + CHUNK + b"0\r\nX-A: b\r\n\r\n", ACCOUNT, 200),
    "chunked without an end": (CHUNKED + CHUNK, RESPONSE, 200),
    "chunk cut off": (CHUNKED + CHUNK[:10], RESPONSE, 200),
    "chunk size of letters": (CHUNKED + b"zz\r\n" + JSON, RESPONSE, 200),
    "chunk size below zero": (CHUNKED + b"-5\r\n" + JSON, RESPONSE, 200),
    "chunk size beyond all": (CHUNKED + b"f" * 18 + b"\r\n" + JSON, RESPONSE, 200),
    "gzip": (packed(gzip.compress(JSON)), ACCOUNT, 200),
    "deflate": (
        OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(JSON),
        ACCOUNT,
        200,
    ),
    "gzip that is none": (packed(JSON), RESPONSE, 200),
    "gzip cut off": (packed(gzip.compress(JSON))[:-12], RESPONSE, 200),
    "gzip that ends early": (packed(gzip.compress(JSON)[:-14]), RESPONSE, 200),
    "gzip bomb": (packed(gzip.compress(BLANKS)), RESPONSE, 200),
    "gzip bomb in gzip": (
        packed(gzip.compress(gzip.compress(BLANKS))).replace(b": gzip", b": gzip, gzip"),
        RESPONSE,
        200,
    ),
    "answer without an end": (OK + b"\r\n" + b" " * (2 * MIB), RESPONSE, 200),
    "401 cut in the body": (
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 99\r\n\r\n{",
        AUTH,
        401,
    ),
}


@pytest.mark.parametrize("row", RAW)
def test_faults_below_http(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    data, kind, status = RAW[row]
    with raw_server(data) as server:
        define(monkeypatch, server.url)
        sync, loop, session = ask_all()
    assert_is(sync, kind, status)
    assert sync == loop == session


LENIENT: dict[str, bytes] = {
    "header without a colon": OK + b"no colon here\r\n" + LENGTH + JSON,
    "header name with a space": OK + b"Bad Name: x\r\n" + LENGTH + JSON,
    "space before the colon": OK + b"X-A : x\r\n" + LENGTH + JSON,
    "NUL in a header": OK + b"X-A: a\0b\r\n" + LENGTH + JSON,
    "150 headers": OK + b"X-A: x\r\n" * 150 + LENGTH + JSON,
    "header of 70 kB": OK + b"X-A: " + b"x" * 70_000 + b"\r\n" + LENGTH + JSON,
    "length of letters": OK + b"Content-Length: abc\r\n\r\n" + JSON,
    "length below zero": OK + b"Content-Length: -5\r\n\r\n" + JSON,
    "unknown transfer encoding": OK + b"Transfer-Encoding: foo\r\n\r\n" + JSON,
}


@pytest.mark.parametrize("row", LENIENT)
def test_heads_that_may_be_taken_or_refused(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    with raw_server(LENIENT[row]) as server:
        define(monkeypatch, server.url, timeout=5)
        sync, loop, session = ask_all()
    # Never a permanent failure, and never an exception of the library.
    assert sync.kind in (ACCOUNT, UNAVAILABLE, RESPONSE)
    assert sync == loop == session
    assert sync.seconds < 3


@pytest.mark.parametrize(
    ("parts", "reset"),
    [((), True), ((OK,), True), ((OK + b"X-A: ",), True), ((EARLY,), True)],
)
def test_reset_before_the_answer(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...], reset: bool
) -> None:
    with raw_server(*parts, reset=reset) as server:
        define(monkeypatch, server.url)
        sync, loop, session = ask_all()
    assert_is(sync, UNAVAILABLE, None)
    assert sync == loop == session


# --- Time -----------------------------------------------------------------------------------------

TIMEOUT = 0.5


def drip(data: bytes) -> tuple[bytes | float, ...]:
    """One byte every 20 ms: for each of them a plain socket's time-out starts again."""
    return tuple(part for byte in data for part in (bytes([byte]), 0.02))


SLOW: dict[str, tuple[Callable[[], SocketServer], str, int | None]] = {
    "never answers": (silent_server, UNAVAILABLE, None),
    "drips the status line": (
        lambda: raw_server(*drip(b"HTTP/1.1 200" * 10)),
        UNAVAILABLE,
        None,
    ),
    "drips headers": (
        lambda: raw_server(OK, *drip(b"X: y\r\n" * 30)),
        UNAVAILABLE,
        None,
    ),
    "stops in the headers": (lambda: raw_server(OK, hang=True), UNAVAILABLE, None),
    "drips 103": (lambda: raw_server(*drip(EARLY * 9)), UNAVAILABLE, None),
    "103 and then silence": (lambda: raw_server(EARLY, hang=True), UNAVAILABLE, None),
    "103 without an end": (
        lambda: raw_server(*[EARLY * 10, 0.01] * 500),
        UNAVAILABLE,
        None,
    ),
    "drips the body": (
        lambda: raw_server(OK + LONG, *drip(b" " * 200)),
        UNAVAILABLE,
        200,
    ),
    "stops in the body": (lambda: raw_server(OK + LONG, hang=True), UNAVAILABLE, 200),
    "drips chunks": (
        lambda: raw_server(CHUNKED, *drip(b"1\r\n \r\n" * 50)),
        UNAVAILABLE,
        200,
    ),
    "drips a chunk size": (
        lambda: raw_server(CHUNKED, *drip(b"0" * 200)),
        UNAVAILABLE,
        200,
    ),
    "drips trailers": (
        lambda: raw_server(CHUNKED + CHUNK + b"0\r\n", *drip(b"X: y\r\n" * 30)),
        UNAVAILABLE,
        200,
    ),
    "drips gzip": (
        lambda: raw_server(GZIP + b"\r\n", *drip(gzip.compress(bytes(range(256))))),
        UNAVAILABLE,
        200,
    ),
    "drips a body without a length": (
        lambda: raw_server(OK + b"\r\n", *drip(b" " * 200)),
        UNAVAILABLE,
        200,
    ),
    "drips the body of a 401": (
        lambda: raw_server(b"HTTP/1.1 401 X\r\n" + LONG, *drip(b" " * 200)),
        AUTH,
        401,
    ),
    "drips the body of a 404": (
        lambda: raw_server(b"HTTP/1.1 404 X\r\n" + LONG, *drip(b" " * 200)),
        REQUEST,
        404,
    ),
    "drips the body of a redirect": (
        lambda: raw_server(b"HTTP/1.1 302 X\r\nLocation: /\r\n" + LONG, *drip(b" " * 200)),
        REQUEST,
        302,
    ),
}


@pytest.mark.real_time
@pytest.mark.parametrize("row", SLOW)
def test_timeout_holds(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    make, kind, status = SLOW[row]
    with make() as server:
        define(monkeypatch, server.url, timeout=TIMEOUT)
        sync, loop, session = ask_at_once()
    assert_is(sync, kind, status)
    for outcome in (sync, loop, session):
        assert TIMEOUT - 0.05 <= outcome.seconds <= TIMEOUT + SLACK
    assert sync == loop == session


@pytest.mark.real_time
@pytest.mark.parametrize("part", ["headers", "body"])
def test_timeout_holds_against_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, part: Any
) -> None:
    define(monkeypatch, sandbox.url, timeout=TIMEOUT)
    outcome = ask_each(sandbox, Answer(drip=part, drip_interval=0.05))
    assert_is(outcome, UNAVAILABLE, {"headers": None, "body": 200}[part])
    assert outcome.seconds <= TIMEOUT + SLACK


@pytest.mark.real_time
@pytest.mark.parametrize("ask", WAYS)
def test_slow_but_in_time(sandbox: Sandbox, ask: str) -> None:
    sandbox.script(PATH, Answer(drip="body", drip_interval=0.0005, delay=0.1))
    assert WAYS[ask]().kind == ACCOUNT


def test_closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    define(monkeypatch, f"http://127.0.0.1:{port}")
    sync, loop, session = ask_all()
    assert_is(sync, UNAVAILABLE, None)
    assert "refused" in sync.message and sync == loop == session


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, "https://nowhere.invalid", timeout=5)
    sync, loop, session = ask_all()
    assert_is(sync, UNAVAILABLE, None)
    assert "resolve" in sync.message and "nowhere.invalid" in sync.message
    assert sync == loop == session


# --- Redirects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_redirects_are_not_followed(sandbox: Sandbox, status: int) -> None:
    with Sandbox() as other:
        location = {"Location": f"{other.url}{PATH}"}
        assert_is(ask_each(sandbox, Answer(status=status, headers=location)), REQUEST, status)
        assert (other.connections, other.requests) == (0, [])
    assert [request.status for request in sandbox.requests] == [status] * 3


@pytest.mark.parametrize(
    "location",
    [
        "",
        "//",
        "http://[::1",
        "http://user@:99999/",
        "http://a b/",
        "http://" + "a" * 300 + "/",
        "javascript:alert(1)",
        "%zz",
        "http://exämple\u2028/",
        "/v2/account",
        ".." * 5000,
    ],
)
def test_odd_locations(sandbox: Sandbox, location: str) -> None:
    outcome = ask_each(sandbox, Answer(status=302, headers={"Location": location}))
    assert_is(outcome, REQUEST, 302)


# --- What the environment says --------------------------------------------------------------------


@pytest.mark.parametrize("where", ["NETRC", "HOME"])
def test_netrc_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sandbox: Sandbox, where: str
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1\nlogin mallory\npassword secret\n")
    netrc.chmod(0o600)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv(where, str(netrc if where == "NETRC" else tmp_path))
    assert ask_each(sandbox).kind == ACCOUNT
    assert [request.authorized for request in sandbox.requests] == [True] * 3


@pytest.mark.parametrize(
    "variable",
    ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"],
)
def test_certificate_variables_are_not_read(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, variable: str
) -> None:
    monkeypatch.setenv(variable, "/nonsense/that/is/not/there")
    assert ask_each(sandbox).kind == ACCOUNT


# --- Nothing secret is shown ----------------------------------------------------------------------

EMAIL = "canary.person@example.org"
SECRET = "user:98765-CanaryToken"
QUOTED = [
    SECRET,
    SECRET.removeprefix("user:"),
    quote(SECRET, safe=""),
    quote_plus(SECRET),
    quote(SECRET, safe="").replace("%3A", "%3a"),
    SECRET.replace(":", "\\u003a"),
    f"Bearer {SECRET}",
    repr(SECRET),
    SECRET.replace(":", "&#58;"),
]
LEAKS = [
    "98765-CanaryToken",
    EMAIL,
    EMAIL.replace("@", "%40"),
    "canary.person",
    "example.org",
]
ECHO = f"{' '.join(QUOTED)} {EMAIL} {EMAIL.replace('@', '%40')}"
LEAKY_ANSWERS = [
    *(Answer(status=status, body={"error": ECHO}) for status in (400, 401, 403, 404, 429, 500)),
    *(Answer(status=status, body=f"<p>{ECHO}</p>") for status in (302, 401, 403, 418, 502, 596)),
    Answer(body=f"<p>{ECHO}</p>"),
    Answer(body=[ECHO]),
    Answer(status=500, body={"error": {"message": ECHO}}),
    Answer(status=500, body={"error": {"code": ECHO, "mail": EMAIL}}),
    Answer(status=500, body={"detail": [ECHO, {"x": EMAIL}]}),
    Answer(
        status=401,
        headers={"X-Echo": ECHO, "WWW-Authenticate": ECHO, "Retry-After": ECHO},
    ),
    Answer(status=302, headers={"Location": f"http://{quote(SECRET)}@127.0.0.1/{EMAIL}"}),
    Answer(cut_off=True),
    Answer(reset_in_body=True),
    Answer(status=500, body={"error": "x" * 190 + SECRET}),
    Answer(status=500, body={"error": "x" * 190 + " " + EMAIL}),
    Answer(status=500, body="\n" * 5000 + ECHO),
    Answer(reset=True),
    Answer(status=503, body={"error": ECHO}, headers={"Retry-After": "200"}),
    Answer(),
    Answer(status=402, body={"error": ECHO, "email": EMAIL}),
]


@pytest.mark.parametrize("answer", LEAKY_ANSWERS, ids=range(len(LEAKY_ANSWERS)))
def test_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    sandbox: Sandbox,
    answer: Answer,
) -> None:
    caplog.set_level(logging.INFO)
    define(monkeypatch, sandbox.url, password=SECRET)
    sandbox.token = SECRET
    sandbox.account |= {"email": EMAIL, "name": EMAIL, "replyUrl": f"https://x/{EMAIL}"}
    outcome = ask_each(sandbox, answer)
    with UseApiHook() as hook:
        sandbox.script(PATH, answer)
        works, sentence = hook.test_connection()
    out, err = capfd.readouterr()
    shown = "\n".join([outcome.text, repr(outcome.message), sentence, caplog.text, out, err])
    shown += repr(UseApiHook().__dict__)
    assert [leak for leak in LEAKS if leak.lower() in shown.lower()] == []
    assert works is (outcome.kind == ACCOUNT)
    assert len(outcome.message) <= 200 + 200


HALVES = {
    "no length": OK + b"\r\n",
    "http 1.0": b"HTTP/1.0 200 OK\r\n\r\n",
    "length of the half": OK + b"Content-Length: 58\r\n\r\n",
}


@pytest.mark.parametrize("row", HALVES)
def test_half_an_account_is_not_shown(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    """A half that HTTP takes for the whole holds a name, and an address without its at sign."""
    half = b'{"id": 12345, "name": "Canary Person", "email": "canary.pe'
    assert len(half) == 58
    with raw_server(HALVES[row] + half) as server:
        define(monkeypatch, server.url)
        sync, loop, session = ask_all()
    assert_is(sync, RESPONSE, 200)
    assert sync == loop == session
    assert "canary" not in sync.text.lower()


def test_broken_headers_are_not_logged(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    head = OK + f"no colon here\r\nX-Echo: {ECHO}\r\n".encode()
    with raw_server(head + LENGTH + JSON) as server:
        define(monkeypatch, server.url, password=SECRET)
        outcomes = [ask() for ask in WAYS.values()]
    shown = "\n".join([*(outcome.text for outcome in outcomes), caplog.text, *capfd.readouterr()])
    assert [leak for leak in LEAKS if leak.lower() in shown.lower()] == []


@pytest.mark.parametrize("ask", WAYS)
def test_libraries_do_not_log_the_token(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    sandbox: Sandbox,
    ask: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    define(monkeypatch, sandbox.url, password=SECRET)
    sandbox.script(PATH, 500)
    outcome = WAYS[ask]()
    assert outcome.status_code == 500
    shown = "\n".join([outcome.text, caplog.text, *capfd.readouterr()])
    assert sandbox.requests and "CanaryToken" not in shown


# The characters that a token could hold and that a quoting changes.
ODD_SECRET = "user:1-a/b+c=d~Canary"


@pytest.mark.parametrize(
    "form",
    [
        ODD_SECRET,
        quote(ODD_SECRET, safe=""),
        quote(ODD_SECRET),
        quote_plus(ODD_SECRET),
        quote(ODD_SECRET, safe="").lower().replace("canary", "Canary"),
        ODD_SECRET.replace("/", "\\/"),
    ],
)
def test_no_form_of_a_token_is_shown(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, form: str
) -> None:
    define(monkeypatch, sandbox.url, password=ODD_SECRET)
    outcome = ask_each(sandbox, Answer(status=500, body=f'{{"detail": "<{form}>"}}'))
    assert "Canary" not in outcome.text


# --- Retry-After ----------------------------------------------------------------------------------


def http_date(seconds: float) -> str:
    """An HTTP date that many seconds from now."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def iso(seconds: float) -> str:
    """An ISO time that many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


Made = Callable[[], str]
RETRY_AFTER: dict[str, tuple[Made | None, Made | None, float | None]] = {
    "seconds": (lambda: "300", None, 300),
    "float": (lambda: "300.5", None, 300.5),
    "blanks around": (lambda: "  300  ", None, 300),
    "0": (lambda: "0", None, 0),
    "negative": (lambda: "-5", None, None),
    "empty": (lambda: "", None, None),
    "inf": (lambda: "inf", None, None),
    "nan": (lambda: "nan", None, None),
    "1e3": (lambda: "1e3", None, None),
    "underscore": (lambda: "1_000", None, None),
    "other digits": (lambda: "٣٠٠", None, None),
    "a day": (lambda: "86400", None, 86400),
    "35 nines": (lambda: "9" * 35, None, None),
    "an epoch time": (lambda: "1772366400", None, None),
    "400 nines": (lambda: "9" * 400, None, None),
    "date in the past": (lambda: http_date(-600), None, 0),
    "date to come": (lambda: http_date(600), None, 600),
    "date of another zone": (lambda: "Fri, 31 Dec 1999 23:59:59 +0130", None, 0),
    "junk date": (lambda: "Mon, 99 Foo 2077 99:99:99 GMT", None, None),
    "junk": (lambda: "in a while", None, None),
    "two": (lambda: "5, 10", None, None),
    "body": (None, lambda: iso(600), 600),
    "body in the past": (None, lambda: iso(-600), 0),
    "body with Z": (None, lambda: iso(600).replace("+00:00", "Z"), 600),
    "body is junk": (None, lambda: "soon", None),
    "body is malformed": (None, lambda: "2023-08-316T21:03:28.558Z", None),
    "both, the body later": (lambda: "10", lambda: iso(600), 600),
    "both, the header later": (lambda: "900", lambda: iso(600), 900),
    "both, junk in the body": (lambda: "900", lambda: "soon", 900),
    "both, junk in the header": (lambda: "soon", lambda: iso(600), 600),
    "none": (None, None, None),
}


@pytest.mark.parametrize("status", [404, 503])
@pytest.mark.parametrize("row", RETRY_AFTER)
def test_retry_after_is_read(sandbox: Sandbox, row: str, status: int) -> None:
    header, body, wait = RETRY_AFTER[row]
    answer = Answer(
        status=status,
        headers={"Retry-After": header()} if header else {},
        body={"error": "later", **({"retryAfter": body()} if body else {})},
    )
    found = []
    for ask in ASKS.values():
        sandbox.script(PATH, answer)
        outcome = ask()
        assert_is(outcome, {404: REQUEST, 503: UNAVAILABLE}[status], status)
        found.append(outcome.retry_after)
    # A date has whole seconds, and a moment comes nearer while the test runs.
    assert found == [
        wait and pytest.approx(wait, abs=2.5),
        wait and pytest.approx(wait, abs=2.5),
    ]


@pytest.mark.parametrize("value", [5, None, [], {}, True, "", "9" * 5000])
def test_retry_after_of_the_wrong_type(sandbox: Sandbox, value: object) -> None:
    outcome = ask_each(sandbox, Answer(status=503, body={"error": "x", "retryAfter": value}))
    assert outcome.retry_after is None


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Answer(status=429, headers={"Retry-After": "121"}), 121),
        (Answer(status=503, headers={"Retry-After": "86400"}), 86400),
        (Answer(status=503, headers={"Retry-After": http_date(3600)}), 3600),
        (
            Answer(
                status=429,
                headers={"Retry-After": "1"},
                body={"error": "", "retryAfter": iso(3600)},
            ),
            3600,
        ),
        (Answer(body=HTML, headers={"Retry-After": "600"}), 600),
    ],
)
def test_long_retry_after_is_handed_on(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    ask: str,
    answer: Answer,
    wait: float,
) -> None:
    define(monkeypatch, sandbox.url, max_attempts=3)
    sandbox.script(PATH, answer)
    outcome = ASKS[ask]()
    assert outcome.permanent is False
    # The table is made at collection time, which may be a while ago.
    assert wait / 2 <= (outcome.retry_after or 0) <= wait
    assert len(sandbox.requests) == 1
    assert outcome.seconds < 0.5


@pytest.mark.real_time
@pytest.mark.parametrize("ask", ASKS)
def test_short_retry_after_is_slept_exactly(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, ask: str
) -> None:
    define(monkeypatch, sandbox.url, max_attempts=2)
    sandbox.script(PATH, Answer(status=429, headers={"Retry-After": "1"}))
    assert ASKS[ask]().kind == ACCOUNT
    first, second = sandbox.requests
    assert 0.99 <= second.time - first.time <= 1 + SLACK


# --- Attempts -------------------------------------------------------------------------------------

AT_ONCE = {"Retry-After": "0"}


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("attempts", [1, 2, 5])
@pytest.mark.parametrize("status", [200, 403, 408, 429, 500, 503, 204])
def test_transient_errors_are_tried_exactly_so_often(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    ask: str,
    attempts: int,
    status: int,
) -> None:
    define(monkeypatch, sandbox.url, max_attempts=attempts)
    sandbox.script(PATH, *[Answer(status=status, body=HTML, headers=AT_ONCE)] * 9)
    outcome = ASKS[ask]()
    assert (outcome.permanent, outcome.status_code) == (False, status)
    assert len(sandbox.requests) == attempts


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 412, 418, 422, 596])
def test_permanent_errors_are_tried_once(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, ask: str, status: int
) -> None:
    define(monkeypatch, sandbox.url, max_attempts=5)
    sandbox.script(PATH, *[Answer(status=status, headers=AT_ONCE)] * 5)
    assert ASKS[ask]().permanent is True
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("ask", ASKS)
def test_three_attempts_by_default_with_backoff(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, airflow_clock: MovableClock, ask: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_json())
    sandbox.script(PATH, Answer(reset=True), Answer(cut_off=True))
    assert ASKS[ask]().kind == ACCOUNT
    first, second, third = (request.time for request in sandbox.requests)
    assert 0.45 <= second - first <= 1.05 + SLACK
    assert 0.95 <= third - second <= 1.55 + SLACK


def test_backoff_has_jitter_and_a_ceiling() -> None:
    from tenacity import Future, RetryCallState, Retrying

    from airflow_provider_useapi.exceptions import UseApiUnavailableError
    from airflow_provider_useapi.transport.attempts import retrying

    again = Retrying(**retrying(99))
    for attempt, shortest in ((1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (20, 29.0)):
        waits = set()
        for _ in range(20):
            state = RetryCallState(again, None, (), {})
            state.attempt_number = attempt
            state.outcome = Future.construct(attempt, UseApiUnavailableError("x"), True)
            waits.add(again.wait(state))
        assert shortest <= min(waits) <= max(waits) <= min(shortest + 0.5, 30.5) + 1
        assert len(waits) > 10 or attempt == 20


@pytest.mark.parametrize("ask", ASKS)
def test_one_look_is_one_request(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, ask: str
) -> None:
    define(monkeypatch, sandbox.url, max_attempts=1)
    sandbox.script(PATH, 503)
    assert ASKS[ask]().status_code == 503
    assert len(sandbox.requests) == 1


# --- Any answer at all ----------------------------------------------------------------------------

STATUSES = st.integers(100, 999)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "email",
                    "accounts",
                    "Kling API",
                    "total",
                    "active",
                    "error",
                    "message",
                    "sub",
                    "subscriptionIsActive",
                    "maxAccountsPerAPI",
                    "retryAfter",
                    "replyUrl",
                ]
            )
            | st.text(max_size=8),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
DATES = st.lists(
    st.sampled_from(
        [
            "Mon,",
            "31",
            "Dec",
            "1999",
            "23:59:59",
            "GMT",
            "-0000",
            "+9999999999",
            ",",
            "",
            "0",
            "-",
            "99999999999999999999",
            "Feb",
            "30",
            "Z",
            "24:00",
            "1.5",
            ":",
            "::",
            "Jan-",
            "1999-01",
        ]
    ),
    max_size=8,
).map(" ".join)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "location", "content-type"]) | st.text(max_size=8),
    DATES | st.text(max_size=40),
    max_size=3,
)


def read(status: int, headers: dict[str, str], body: bytes, flaw: str = "") -> None:
    """Read an answer; anything but an account or a proper error is a failure."""
    answer = Received(status, headers, body, flaw)
    try:
        account = read_account(answer, conn_id="c", secrets=(TOKEN,))
    except UseApiError as e:
        assert e.status_code == status
        assert e.retry_after is None or (e.retry_after >= 0 and math.isfinite(e.retry_after))
        assert str(e).isprintable() and len(str(e)) < 400
    else:
        assert isinstance(account, Account)
        account.to_dict(redact=("email",))
        repr(account)
        assert account.renewed_on is None or account.renewed_on.year >= 2000


@given(STATUSES, HEADERS, st.binary(max_size=60), st.sampled_from(["", "cut off"]))
def test_reading_any_bytes(status: int, headers: dict[str, str], body: bytes, flaw: str) -> None:
    read(status, headers, body, flaw)


@given(st.sampled_from([200, 402, 403, 429, 500]) | STATUSES, HEADERS, JSON_VALUES)
def test_reading_any_json(status: int, headers: dict[str, str], value: object) -> None:
    read(status, headers, json.dumps(value).encode())


@pytest.mark.parametrize("unit", ["a", "@", "a@", "a@a.", "%40", "\\u0040", " ", "\u2028", "user:"])
def test_reading_a_megabyte_is_quick(unit: str) -> None:
    body = (unit * MIB)[:MIB].encode()[:MIB]
    start = time.process_time()
    read(500, {}, body)
    read(200, {}, body)
    assert time.process_time() - start < 4
