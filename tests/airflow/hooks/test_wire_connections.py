"""Connections: how many, for whom the token is, what the UI's button says, what gets masked."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.hooks.questions import has_new_token
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.servers import (
    ASKS,
    TOKEN,
    Peer,
    SocketServer,
    ask_async,
    ask_sync,
    define,
    raw_server,
)

PATH = "/v2/account"


@pytest.fixture(scope="module", autouse=True)
def find_open_sockets() -> Iterator[None]:
    yield
    gc.collect()


# --- How many -------------------------------------------------------------------------------------


def test_constructor_does_nothing(sandbox: Sandbox) -> None:
    hook = UseApiHook("this connection is not defined")
    hook.close()
    assert sandbox.connections == 0


def test_fifty_looks_are_one_connection(sandbox: Sandbox) -> None:
    with UseApiHook() as hook:
        for _ in range(25):
            hook.look()
            hook.get_account()
    assert (sandbox.connections, len(sandbox.requests)) == (1, 50)


def test_session_shares_the_connection(sandbox: Sandbox) -> None:
    with UseApiHook() as hook:
        hook.look()
        assert hook.get_conn() is hook.get_conn()
        assert hook.get_conn().get(sandbox.url + PATH).json()["id"] == 12345
        hook.look()
    assert sandbox.connections == 1
    assert all(request.authorized for request in sandbox.requests)


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(status=status) for status in (401, 402, 403, 404, 429, 500, 503)),
        Answer(status=204),
        Answer(status=304),
        Answer(status=302, headers={"Location": "/elsewhere"}),
        Answer(status=500, body="<p>" + "x" * 200_000 + "</p>"),
        Answer(body=[1]),
        Answer(informational=(100, 103)),
    ],
    ids=lambda answer: f"{answer.status}",
)
def test_connection_is_kept_after_an_error(sandbox: Sandbox, answer: Answer) -> None:
    sandbox.script(PATH, answer)
    with UseApiHook() as hook:
        try:
            hook.look()
        except UseApiError as e:
            assert e.status_code == answer.status
        hook.look()
    first, second = sandbox.requests
    assert (first.status, second.status) == (answer.status, 200)
    assert first.connection == second.connection == sandbox.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(cut_off=True),
        Answer(reset=True),
        Answer(reset_in_body=True),
        Answer(oversized=2 * 1024 * 1024),
        Answer(headers={"Connection": "close"}),
        Answer(informational=(103,), nothing_after=True),
    ],
    ids=repr,
)
def test_connection_is_replaced_after_a_fault(sandbox: Sandbox, answer: Answer) -> None:
    sandbox.script(PATH, answer)
    with UseApiHook() as hook:
        try:
            hook.look()
        except UseApiError as e:
            assert not e.permanent
        assert hook.look().id == 12345
    assert (sandbox.connections, len(sandbox.requests)) == (2, 2)


def test_server_that_restarts_costs_no_look(sandbox: Sandbox) -> None:
    with UseApiHook() as hook:
        hook.look()
        sandbox.stop()
        sandbox.start()
        assert hook.look().id == 12345
    assert [request.status for request in sandbox.requests] == [200, 200]


def test_second_answer_to_one_request_is_not_taken_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def handle(peer: Peer) -> None:
        while head := peer.read_head():
            assert "GET" in head
            answers = (
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'id': %d}" % n for n in (1, 2)
            )
            peer.send(b"".join(answers).replace(b"'", b'"'))

    with SocketServer(handle) as server:
        define(monkeypatch, server.url)
        with UseApiHook() as hook:
            assert [hook.look().id for _ in range(3)] == [1, 1, 1]


def test_closed_hook_opens_again(sandbox: Sandbox) -> None:
    hook = UseApiHook()
    for _ in range(2):
        hook.look()
        hook.close()
        hook.close()
    assert (sandbox.connections, len(sandbox.requests)) == (2, 2)


def test_attempts_of_one_call_share_a_connection(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    define(monkeypatch, sandbox.url, max_attempts=3)
    for ask in ASKS.values():
        before = sandbox.connections
        sandbox.script(PATH, *[Answer(status=503, headers={"Retry-After": "0"})] * 2)
        assert ask().kind == "Account"
        assert sandbox.connections == before + 1


def test_many_at_once_on_one_loop(sandbox: Sandbox) -> None:
    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(UseApiHook().aget_account() for _ in range(30)))

    assert {account.id for account in asyncio.run(all_at_once())} == {12345}
    assert len(sandbox.requests) == 30


def test_cancelled_call_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    def handle(peer: Peer) -> None:
        peer.read_head()
        peer.hang()  # returns when the client has closed its side
        left.append(True)

    async def cancel() -> None:
        task = asyncio.create_task(UseApiHook().aget_account())
        while not server.connections:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not left:
            await asyncio.sleep(0.01)

    with SocketServer(handle) as server:
        define(monkeypatch, server.url)
        asyncio.run(asyncio.wait_for(cancel(), 5))


def test_both_send_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[str] = []

    def handle(peer: Peer) -> None:
        heads.append(peer.read_head())
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with SocketServer(handle) as server:
        define(monkeypatch, f"{server.url}/pre/fix/")
        assert ask_sync() == ask_async()
    sync, loop = (
        [line if i == 0 else line.partition(":")[0].lower() + line.partition(":")[2]
         for i, line in enumerate(head.split("\r\n"))]
        for head in heads
    )  # fmt: skip
    assert sync[0] == "GET /pre/fix/v2/account HTTP/1.1"
    assert sorted(sync) == sorted(loop)
    assert f"authorization Bearer {TOKEN}" in sync


# --- For whom the token is ------------------------------------------------------------------------


def test_token_is_for_its_own_origin_only(sandbox: Sandbox) -> None:
    with Sandbox() as other, UseApiHook() as hook:
        session = hook.get_conn()
        assert session.get(sandbox.url + PATH).status_code == 200
        assert session.get(sandbox.url + "/another/path").status_code == 404
        for url in (
            other.url,  # another port is another origin
            f"http://localhost:{other.port}",
            f"http://localhost:{sandbox.port}",  # and so is another name
            f"http://user:password@127.0.0.1:{other.port}",
        ):
            assert session.get(url + PATH).status_code == 401
        assert [request.authorized for request in other.requests] == [False] * 3
        assert [request.authorized for request in sandbox.requests] == [
            True,
            True,
            False,
        ]


def test_no_header_of_another_origin_holds_the_token(sandbox: Sandbox) -> None:
    heads: list[str] = []

    def handle(peer: Peer) -> None:
        heads.append(peer.read_head())
        peer.send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    with SocketServer(handle) as other, UseApiHook() as hook:
        hook.get_conn().get(f"{other.url}/?next={sandbox.url}")
        hook.get_conn().get(f"{other.url}/@{sandbox.url.removeprefix('http://')}/")
    assert len(heads) == 2
    for head in heads:
        assert "authorization" not in head.lower() and TOKEN not in head


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_session_follows_no_redirect(sandbox: Sandbox, status: int) -> None:
    with Sandbox() as other, UseApiHook() as hook:
        sandbox.script(PATH, Answer(status=status, headers={"Location": other.url + PATH}))
        response = hook.get_conn().get(sandbox.url + PATH, allow_redirects=True)
        assert (response.status_code, response.history) == (status, [])
        assert other.connections == 0


def test_netrc_does_not_reach_the_session(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Any
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login mallory password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Sandbox() as other, UseApiHook() as hook:
        assert hook.get_conn().get(sandbox.url + PATH).status_code == 200
        assert hook.get_conn().get(other.url + PATH).request.headers.get("Authorization") is None


@pytest.mark.real_time
def test_session_obeys_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(hang=True) as server:
        define(monkeypatch, server.url, timeout=0.3)
        with UseApiHook() as hook, pytest.raises(requests.Timeout):
            hook.get_conn().get(server.url)


def test_changed_token_is_used(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    with UseApiHook() as hook:
        hook.look()
        assert has_new_token(hook) is False
        sandbox.token = "user:2-rotated"
        with pytest.raises(UseApiAuthError):
            hook.look()
        define(monkeypatch, sandbox.url, password=sandbox.token)
        assert has_new_token(hook) is True
        assert hook.look().id == 12345


# --- What the button says -------------------------------------------------------------------------

MAIL = "user@example.com"


@pytest.mark.parametrize(
    ("answer", "works", "words"),
    [
        (Answer(), True, ["Connected", "12345", "is active"]),
        (Answer(status=402), True, ["not active"]),
        (Answer(status=401), False, ["401", "token", "refused"]),
        (Answer(status=403), False, ["403", "refused"]),
        (Answer(status=403, body="<p>Blocked</p>"), False, ["403", "from a proxy or CDN"]),
        (Answer(status=503), False, ["503"]),
        (Answer(status=429, headers={"Retry-After": "1"}), False, ["429", "rate limited"]),
        (Answer(status=302, headers={"Location": "/"}), False, ["302", "redirect"]),
        (Answer(status=404), False, ["404"]),
        (Answer(body="<html>hello</html>"), False, ["not JSON"]),
        (Answer(body=[]), False, ["not a JSON object"]),
        (Answer(body={}), False, ["not from useapi.net"]),
        (Answer(body={"status": "up"}), False, ["not from useapi.net"]),
        (Answer(reset=True), False, ["no answer"]),
        (Answer(body={"id": 1, "email": MAIL}), True, ["account 1", "not active"]),
        (Answer(body={"email": MAIL}), True, ["not active"]),
    ],
    ids=repr,
)
def test_button(sandbox: Sandbox, answer: Answer, works: bool, words: list[str]) -> None:
    sandbox.script(PATH, answer)
    works_not, sentence = UseApiHook().test_connection()
    assert works_not is works
    assert [word for word in words if word not in sentence] == []
    assert sentence.isprintable() and len(sentence) < 400
    assert TOKEN not in sentence and MAIL not in sentence
    assert (len(sandbox.requests), sandbox.requests[0].authorized) == (1, True)


@pytest.mark.parametrize("attempts", [1, 3])
def test_button_asks_once(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, attempts: int) -> None:
    define(monkeypatch, sandbox.url, max_attempts=attempts)
    sandbox.script(PATH, 500, 500)
    assert UseApiHook().test_connection()[0] is False
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("host", "password", "words"),
    [
        ("http://useapi.invalid", TOKEN, ["http://", "allow_http"]),
        ("https://useapi.invalid", TOKEN, ["useapi.invalid", "resolve"]),
        ("http://127.0.0.1:1", TOKEN, ["127.0.0.1:1", "refused"]),
        ("ftp://useapi.invalid", TOKEN, ["ftp"]),
        ("http://127.0.0.1:1", "", ["password is empty"]),
        ("http://127.0.0.1:1", None, ["password is empty"]),
    ],
)
def test_button_for_a_connection_that_cannot_work(
    monkeypatch: pytest.MonkeyPatch, host: str, password: str | None, words: list[str]
) -> None:
    define(monkeypatch, host, password=password)
    works, sentence = UseApiHook().test_connection()
    assert works is False
    assert [word for word in [*words, "useapi_default"] if word not in sentence] == []
    assert TOKEN not in sentence


def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Airflow find nothing beyond the environment variables."""
    from airflow.secrets.metastore import MetastoreBackend

    def nothing(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(MetastoreBackend, "get_connection", nothing)


def test_connection_that_is_not_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    _no_database(monkeypatch)
    works, sentence = UseApiHook("nowhere").test_connection()
    assert works is False
    assert "'nowhere' is not defined" in sentence
    sync, loop = ask_sync("nowhere"), ask_async("nowhere")
    assert (sync.kind, sync.permanent) == ("UseApiConnectionNotFoundError", True)
    assert sync == loop
    assert sync.message == sentence


def test_connection_that_is_no_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", '{"password": "user:1-canary"')
    works, sentence = UseApiHook().test_connection()
    assert works is False
    assert "useapi_default" in sentence and "canary" not in sentence
    assert "canary" not in "".join(capfd.readouterr())


# --- What gets masked -----------------------------------------------------------------------------


def masker() -> Callable[[str], object]:
    """What Airflow passes log texts through, in tasks of the running version."""
    try:
        from airflow.sdk._shared.secrets_masker import redact
    except ImportError:
        try:
            from airflow.sdk.execution_time.secrets_masker import redact
        except ImportError:
            from airflow.utils.log.secrets_masker import redact
    return redact


@pytest.mark.parametrize("ask", ASKS)
def test_token_is_masked_after_a_look(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, ask: str
) -> None:
    token = f"user:4711-masked/by+{ask}="
    part = token.removeprefix("user:")
    for index, form in enumerate((token, part)):
        for shown in (form, quote(form, safe="")):
            assert masker()(f"x {shown} {index} y") == f"x {shown} {index} y"
    define(monkeypatch, sandbox.url, password=token)
    sandbox.token = token
    assert ASKS[ask]().kind == "Account"
    for form in (
        token,
        part,
        quote(token, safe=""),
        quote(part, safe=""),
        f"Bearer {token}",
    ):
        assert part not in str(masker()(f"x {form} y"))
        assert quote(part, safe="") not in str(masker()(f"x {form} y"))


@pytest.mark.parametrize("ask", ASKS)
def test_password_of_the_proxy_is_masked(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, ask: str
) -> None:
    secret = f"gate keeper/{ask}"
    proxy = f"http://u:{quote(secret, safe='')}@127.0.0.1:1"
    define(monkeypatch, sandbox.url, proxy=proxy)
    assert secret in str(masker()(f"x {secret} y"))
    assert ASKS[ask]().kind == "UseApiUnavailableError"
    for form in (secret, quote(secret, safe=""), proxy):
        shown = str(masker()(f"x {form} y"))
        assert secret not in shown and quote(secret, safe="") not in shown


def test_token_is_masked_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    define(monkeypatch, sandbox.url, password="user:4712-never-refused")
    with UseApiHook() as hook:
        hook.get_conn()
        assert "4712" not in str(masker()("x user:4712-never-refused y"))
    assert sandbox.connections == 0
