"""TLS settings and proxies, on real sockets: for worker, loop and session."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.transport import async_client, sync_client, tls
from tests.helpers.servers import (
    CONN_ID,
    SLACK,
    TOKEN,
    WAYS,
    Outcome,
    Peer,
    Proxy,
    SocketServer,
    ask_all,
    ask_at_once,
    define,
    raw_server,
    same,
    silent_server,
)

pytestmark = pytest.mark.usefixtures("warm")

PATH = "/v2/account"
TIMEOUT = 0.5
UNAVAILABLE, CONFIG = "UseApiUnavailableError", "UseApiConfigError"


@dataclass(frozen=True)
class Authority:
    """
    A private certificate authority and the files that settings name.

    :param ca: the authority.
    :param bundle: its certificate.
    :param client: certificate and key of a client in one file.
    :param cert: the certificate of the client alone.
    :param key: its key alone.
    """

    ca: trustme.CA
    bundle: str
    client: str
    cert: str
    key: str

    def server(self, *names: str, ask_client: bool = False) -> ssl.SSLContext:
        """What a server for these names speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
        if ask_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    client = ca.issue_cert("client@example.org")
    names = ("bundle", "client", "cert", "key")
    files = {name: folder / f"{name}.pem" for name in names}
    ca.cert_pem.write_to_path(files["bundle"])
    client.private_key_and_cert_chain_pem.write_to_path(files["client"])
    client.cert_chain_pems[0].write_to_path(files["cert"])
    client.private_key_pem.write_to_path(files["key"])
    return Authority(ca, **{name: str(path) for name, path in files.items()})


@pytest.fixture
def secure(authority: Authority) -> Iterator[Sandbox]:
    """A sandbox that speaks https, with a certificate of the private authority."""
    with Sandbox(ssl_context=authority.server()) as sandbox:
        yield sandbox


def ask_each() -> Outcome:
    """The outcome of worker, loop and session, which must be one and the same."""
    return same(*ask_all())


# --- Certificates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verify", [None, True, "true"])
def test_private_authority_is_refused(
    monkeypatch: pytest.MonkeyPatch, secure: Sandbox, verify: object
) -> None:
    define(monkeypatch, secure.url, **({} if verify is None else {"verify": verify}))
    outcome = ask_each()
    assert (outcome.kind, outcome.permanent) == (UNAVAILABLE, False)
    assert "certificate" in outcome.message
    assert secure.requests == []


def test_bundle_is_accepted(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    define(monkeypatch, secure.url, verify=authority.bundle)
    assert ask_each().kind == "Account"
    assert [request.authorized for request in secure.requests] == [True] * 3


@pytest.mark.parametrize("verify", [False, "false", "no", "0"])
def test_verify_false_accepts_any(
    monkeypatch: pytest.MonkeyPatch, secure: Sandbox, verify: object
) -> None:
    define(monkeypatch, secure.url, verify=verify)
    assert ask_each().kind == "Account"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificate_variables_neither_add_nor_remove_trust(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    tmp_path: Path,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, authority.bundle)
    define(monkeypatch, secure.url)
    assert "certificate" in ask_each().message
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    for verify in (authority.bundle, False):
        define(monkeypatch, secure.url, verify=verify)
        assert ask_each().kind == "Account"


def test_sslkeylogfile_gets_no_keys(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    tmp_path: Path,
) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    renewed = tmp_path / "another.pem"  # another setting, so another context
    renewed.write_bytes(authority.ca.cert_pem.bytes())
    define(monkeypatch, secure.url, verify=str(renewed))
    assert ask_each().kind == "Account"
    assert not log.exists() or log.read_text() == ""


def test_wrong_host_name_is_refused(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    with Sandbox(ssl_context=authority.server("other.example.org")) as sandbox:
        define(monkeypatch, sandbox.url, verify=authority.bundle)
        outcome = ask_each()
        assert (outcome.kind, outcome.permanent) == (UNAVAILABLE, False)
        assert "certificate" in outcome.message
        assert sandbox.requests == []
        define(monkeypatch, sandbox.url, verify=False)
        assert ask_each().kind == "Account"


def test_empty_folder_of_authorities_trusts_nobody(
    monkeypatch: pytest.MonkeyPatch, secure: Sandbox, tmp_path: Path
) -> None:
    define(monkeypatch, secure.url, verify=str(tmp_path))
    outcome = ask_each()
    assert outcome.kind == UNAVAILABLE and "certificate" in outcome.message


@pytest.mark.parametrize("apart", [False, True])
def test_client_certificate(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, apart: bool
) -> None:
    with Sandbox(ssl_context=authority.server(ask_client=True)) as sandbox:
        files = {"client_cert": authority.client}
        if apart:
            files = {"client_cert": authority.cert, "client_key": authority.key}
        define(monkeypatch, sandbox.url, verify=authority.bundle, **files)
        assert ask_each().kind == "Account"
        assert len(sandbox.requests) == 3


def test_client_certificate_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    with Sandbox(ssl_context=authority.server(ask_client=True)) as sandbox:
        define(monkeypatch, sandbox.url, verify=authority.bundle)
        sync, loop, session = ask_all()
        # In TLS 1.3 the server's refusal may come as an alert or as a reset: no equal sentences.
        for outcome in (sync, loop, session):
            assert (outcome.kind, outcome.permanent) == (UNAVAILABLE, False), outcome
        assert sandbox.requests == []


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> dict[str, str]:
    """Files that no setting can use, by what is wrong with them."""
    folder = tmp_path_factory.mktemp("bad")
    key = load_pem_private_key(Path(authority.key).read_bytes(), None)
    other = trustme.CA().issue_cert("other@example.org")
    texts = {
        "empty": b"",
        "garbage": b"\x00\xff no certificate",
        "broken": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "encrypted": key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
        ),
        "stranger": other.private_key_pem.bytes(),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    (folder / "folder").mkdir()
    return {"nul": "a\0b"} | {name: str(folder / name) for name in (*texts, "folder", "missing")}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(("verify", wrong) for wrong in ("missing", "empty", "garbage", "broken", "nul")),
        *(("client_cert", wrong) for wrong in ("missing", "empty", "garbage", "broken", "folder")),
        *(("client_key", wrong) for wrong in ("missing", "empty", "garbage", "folder")),
        ("client_key", "encrypted"),
        ("client_key", "stranger"),
    ],
)
def test_files_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    bad_files: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    field: str,
    wrong: str,
) -> None:
    files: dict[str, object] = {field: bad_files[wrong]}
    if field == "client_key":
        files["client_cert"] = authority.cert
    with raw_server() as server:
        define(monkeypatch, f"https://{server.netloc}", **files)
        outcome = ask_each()
        assert server.connections == 0
    assert (outcome.kind, outcome.permanent) == (CONFIG, True)
    assert CONN_ID in outcome.message and bad_files[wrong].partition("\0")[0] in outcome.message
    assert TOKEN not in outcome.text
    assert "pass phrase" not in "".join(capfd.readouterr())
    # What the button in the UI says is the same.
    with UseApiHook() as hook:
        assert hook.test_connection() == (False, outcome.message)


def test_key_without_certificate(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    define(monkeypatch, "https://127.0.0.1:9", client_key=authority.key)
    outcome = ask_each()
    assert outcome.kind == CONFIG and "client_cert" in outcome.message


def test_one_context_for_all(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    made: list[ssl.SSLContext] = []

    def spy(settings: Any) -> ssl.SSLContext:
        made.append(tls.tls_context(settings))
        return made[-1]

    monkeypatch.setattr(sync_client, "tls_context", spy)
    monkeypatch.setattr(async_client, "tls_context", spy)
    define(monkeypatch, secure.url, verify=authority.bundle)
    assert ask_each().kind == ask_each().kind == "Account"
    assert len(made) == 6 and len({id(context) for context in made}) == 1
    assert made[0].verify_mode is ssl.CERT_REQUIRED and made[0].check_hostname
    define(monkeypatch, secure.url, verify=False)
    assert ask_each().kind == "Account"
    assert len(made) == 9 and made[6] is made[7] is made[8] is not made[0]
    assert made[0].verify_mode is ssl.CERT_REQUIRED


def test_renewed_bundle_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    tmp_path: Path,
) -> None:
    bundle = tmp_path / "bundle.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    define(monkeypatch, secure.url, verify=str(bundle))
    assert "certificate" in ask_each().message
    authority.ca.cert_pem.write_to_path(bundle)
    assert ask_each().kind == "Account"


# --- TLS that goes wrong --------------------------------------------------------------------------


@pytest.mark.real_time
def test_stalled_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent_server() as server:
        define(monkeypatch, f"https://{server.netloc}", timeout=TIMEOUT)
        sync, loop, session = ask_at_once()
    assert sync == loop == session and sync.kind == UNAVAILABLE
    for outcome in (sync, loop, session):
        assert TIMEOUT - 0.05 <= outcome.seconds <= TIMEOUT + SLACK


@pytest.mark.real_time
def test_stalled_handshake_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A triggerer looks for days: what one look leaves open, a thousand leave open too."""
    left = threading.Event()

    def handle(peer: Peer) -> None:
        peer.hang()  # returns when the client has closed its side
        left.set()

    async def look() -> bool:
        with pytest.raises(UseApiUnavailableError):
            await UseApiHook().aget_account()
        return await asyncio.to_thread(left.wait, 3)

    with SocketServer(handle) as server:
        define(monkeypatch, f"https://{server.netloc}", timeout=TIMEOUT)
        assert asyncio.run(look())


@pytest.mark.real_time
def test_stalled_handshake_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session of get_conn() obeys the timeout too; this server gives up later than that."""
    with SocketServer(lambda peer: peer.pause(3)) as server:
        define(monkeypatch, f"https://{server.netloc}", timeout=TIMEOUT)
        start = time.monotonic()
        with UseApiHook() as hook, pytest.raises(requests.RequestException):
            hook.get_conn().get(f"https://{server.netloc}/")
        assert time.monotonic() - start <= TIMEOUT + SLACK


@pytest.mark.real_time
def test_dripped_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(peer: Peer) -> None:
        peer.send(b"\x16\x03\x03\x40\x00")  # a TLS record that announces 16 kB
        while True:
            peer.pause(0.02)
            peer.send(b"\x02")

    with SocketServer(handle) as server:
        define(monkeypatch, f"https://{server.netloc}", timeout=TIMEOUT)
        sync, loop, session = ask_at_once()
    assert sync == loop == session and sync.kind == UNAVAILABLE
    for outcome in (sync, loop, session):
        assert outcome.seconds <= TIMEOUT + SLACK


@pytest.mark.real_time
@pytest.mark.parametrize("part", ["headers", "body"])
def test_dripped_tls(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox, part: Any
) -> None:
    define(monkeypatch, secure.url, verify=authority.bundle, timeout=TIMEOUT)
    secure.script(PATH, *[Answer(drip=part, drip_interval=0.02)] * 3)
    sync, loop, session = ask_at_once()
    assert sync == loop == session
    assert (sync.kind, sync.status_code) == (
        UNAVAILABLE,
        200 if part == "body" else None,
    )
    for outcome in (sync, loop, session):
        assert TIMEOUT - 0.05 <= outcome.seconds <= TIMEOUT + SLACK


@pytest.mark.parametrize(
    "answer",
    [
        Answer(reset=True),
        Answer(cut_off=True),
        # Not reset_in_body: over TLS a reset may take the head along that is still unread.
        Answer(status=503),
    ],
    ids=repr,
)
def test_faults_over_tls(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    answer: Answer,
) -> None:
    define(monkeypatch, secure.url, verify=authority.bundle)
    secure.script(PATH, answer, answer, answer)
    assert ask_each().permanent is False


def test_https_to_a_server_that_speaks_http(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    with Sandbox() as sandbox:
        define(monkeypatch, sandbox.url.replace("http:", "https:"))
        outcome = ask_each()
    assert (outcome.kind, outcome.permanent) == (UNAVAILABLE, False)
    assert "TLS" in outcome.message


def test_http_to_a_server_that_speaks_https(
    monkeypatch: pytest.MonkeyPatch, secure: Sandbox
) -> None:
    define(monkeypatch, secure.url.replace("https:", "http:"))
    assert ask_each().kind == UNAVAILABLE
    assert secure.requests == []


def test_fifty_looks_over_tls_are_one_connection(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    define(monkeypatch, secure.url, verify=authority.bundle)
    with UseApiHook() as hook:
        for _ in range(50):
            hook.look()
    assert (secure.connections, len(secure.requests)) == (1, 50)


# --- Through a proxy ------------------------------------------------------------------------------

BASIC = "Basic " + b64encode(b"u:secret").decode()


@pytest.mark.parametrize("credentials", ["", "u:secret"])
@pytest.mark.parametrize("where", ["extra", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_https_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    where: str,
    credentials: str,
) -> None:
    with Proxy(credentials=credentials) as proxy:
        url = f"http://{credentials}@{proxy.netloc}" if credentials else proxy.url
        extra = {"proxy": url} if where == "extra" else {}
        if where != "extra":
            monkeypatch.setenv(where, url)
        define(monkeypatch, secure.url, verify=authority.bundle, **extra)
        assert ask_each().kind == "Account"
        assert len(proxy.requests) == proxy.connections == 3
        for request in proxy.requests:
            assert request.line.startswith(f"CONNECT 127.0.0.1:{secure.port} HTTP/1.")
            assert "authorization" not in request.headers
            assert request.headers.get("proxy-authorization") == (BASIC if credentials else None)
            assert TOKEN not in repr(request)
    assert [request.authorized for request in secure.requests] == [True] * 3


def test_proxy_credentials_stay_with_the_proxy(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    heads: list[str] = []

    def handle(peer: Peer) -> None:
        with authority.server().wrap_socket(peer.sock, server_side=True) as peer.sock:
            heads.append(peer.read_head().lower())
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with SocketServer(handle) as server, Proxy(credentials="u:secret") as proxy:
        url = f"http://u:secret@{proxy.netloc}"
        define(monkeypatch, f"https://{server.netloc}", verify=authority.bundle, proxy=url)
        assert ask_each().kind == "Account"
    assert len(heads) == 3
    for head in heads:
        assert f"authorization: bearer {TOKEN}" in head
        assert "proxy-authorization" not in head


def test_proxied_hook_keeps_its_connection(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    with Proxy() as proxy:
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=proxy.url)
        with UseApiHook() as hook:
            for _ in range(5):
                hook.look()
        assert (proxy.connections, secure.connections, len(secure.requests)) == (
            1,
            1,
            5,
        )


def test_name_is_resolved_by_the_proxy(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    context = authority.server("api.useapi.invalid")
    with Sandbox(ssl_context=context) as sandbox, Proxy(route=sandbox.port) as proxy:
        host = "https://api.useapi.invalid"
        define(monkeypatch, host, verify=authority.bundle, proxy=proxy.url)
        assert ask_each().kind == "Account"
        assert {r.line[:-1] for r in proxy.requests} == {"CONNECT api.useapi.invalid:443 HTTP/1."}


@pytest.mark.parametrize("status", [403, 407, 502, 503])
def test_proxy_that_refuses(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox, status: int
) -> None:
    with Proxy(refuse=status) as proxy:
        url = f"http://u:secret@{proxy.netloc}"
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=url)
        outcome = ask_each()
    assert (outcome.kind, outcome.permanent) == (UNAVAILABLE, False)
    assert str(proxy.port) in outcome.message
    assert "secret" not in outcome.text and b64encode(b"u:secret").decode() not in outcome.text
    assert secure.connections == 0


def test_proxy_that_wants_other_credentials(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    with Proxy(credentials="u:other") as proxy:
        url = f"http://u:secret@{proxy.netloc}"
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=url)
        outcome = ask_each()
    assert outcome.kind == UNAVAILABLE and "secret" not in outcome.text


# Percent-encoded credentials: what Basic authentication sends is UTF-8 (RFC 7617).
@pytest.mark.parametrize(
    ("user", "written"),
    [("u@x:p/w:d", "u%40x:p%2Fw%3Ad"), ("ü:pä", "%C3%BC:p%C3%A4"), ("Ω:π", "")],
)
def test_credentials_with_odd_characters(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    user: str,
    written: str,
) -> None:
    with Proxy(credentials=user) as proxy:
        url = f"http://{written or '%CE%A9:%CF%80'}@{proxy.netloc}"
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=url)
        assert ask_each().kind == "Account"


@pytest.mark.parametrize(("sent", "written"), [("key:", "key"), ("key:", "key:"), (":p", ":p")])
def test_half_of_the_credentials(
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    secure: Sandbox,
    sent: str,
    written: str,
) -> None:
    """Some proxies ask for a key alone, as the name or as the password."""
    with Proxy(credentials=sent) as proxy:
        url = f"http://{written}@{proxy.netloc}"
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=url)
        assert ask_each().kind == "Account"


@pytest.mark.real_time
@pytest.mark.parametrize("stage", ["before CONNECT", "after CONNECT", "in the answer to CONNECT"])
def test_proxy_that_stalls(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox, stage: str
) -> None:
    servers = {
        "before CONNECT": silent_server,
        "after CONNECT": lambda: Proxy(stall=True),
        "in the answer to CONNECT": lambda: raw_server(
            b"HTTP/1.1 200 OK\r\n", *[part for _ in range(200) for part in (0.02, b"X")]
        ),
    }
    with servers[stage]() as proxy:
        define(
            monkeypatch,
            secure.url,
            verify=authority.bundle,
            proxy=proxy.url,
            timeout=TIMEOUT,
        )
        sync, loop, session = ask_at_once()
    assert sync == loop == session and sync.kind == UNAVAILABLE
    for outcome in (sync, loop, session):
        assert TIMEOUT - 0.05 <= outcome.seconds <= TIMEOUT + SLACK


@pytest.mark.parametrize(
    "data", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 101 X\r\n\r\n"]
)
def test_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch, secure: Sandbox, data: bytes) -> None:
    with raw_server(data) as proxy:
        define(monkeypatch, secure.url, proxy=proxy.url)
        for ask in WAYS.values():
            outcome = ask()
            assert (outcome.kind, outcome.permanent) == (UNAVAILABLE, False)
    assert secure.connections == 0


def test_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch, secure: Sandbox) -> None:
    with raw_server() as gone:
        pass
    define(monkeypatch, secure.url, proxy=f"http://u:secret@{gone.netloc}")
    outcome = ask_each()
    assert outcome.kind == UNAVAILABLE and "refused" in outcome.message
    assert gone.netloc in outcome.message and "secret" not in outcome.text


def test_https_proxy(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    """TLS to the proxy, and TLS inside of it."""
    with Proxy(tls=authority.server(), credentials="u:secret") as proxy:
        url = f"https://u:secret@{proxy.netloc}"
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=url)
        assert ask_each().kind == "Account"
        assert len(proxy.requests) == 3
        define(monkeypatch, secure.url, proxy=url)
        assert "certificate" in ask_each().message


@pytest.mark.real_time
def test_https_proxy_keeps_the_timeout(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    with Proxy(tls=authority.server()) as proxy:
        url = f"https://{proxy.netloc}"
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=url, timeout=TIMEOUT)
        secure.script(PATH, *[Answer(drip="body", drip_interval=0.02)] * 3)
        sync, loop, session = ask_at_once()
    assert sync == loop == session and sync.kind == UNAVAILABLE
    assert sync.seconds <= TIMEOUT + SLACK


@pytest.mark.parametrize("where", ["extra", "HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_http_through_a_proxy_on_loopback(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "HTTP_PROXY":
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
    with Sandbox() as sandbox, Proxy(credentials="u:secret") as proxy:
        url = f"http://u:secret@{proxy.netloc}"
        if where != "extra":
            monkeypatch.setenv(where, url)
        define(monkeypatch, sandbox.url, **({"proxy": url} if where == "extra" else {}))
        assert ask_each().kind == "Account"
        assert [r.line for r in proxy.requests] == [f"GET {sandbox.url}{PATH} HTTP/1.1"] * 3
        assert [r.authorized for r in sandbox.requests] == [True] * 3


@pytest.mark.parametrize(
    "no_proxy",
    ["127.0.0.1", "*", "x.example.org, 127.0.0.1", "127.0.0.1:{port}", "fd00::/8,127.0.0.0/8"],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, variable: str) -> None:
    with Sandbox() as sandbox, Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.setenv(variable, no_proxy.format(port=sandbox.port))
        define(monkeypatch, sandbox.url)
        assert ask_each().kind == "Account"
        assert proxy.connections == 0
        assert sandbox.connections == 3


def test_no_proxy_of_other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox, Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "example.org,10.0.0.0/8,127.0.0.11")
        define(monkeypatch, sandbox.url)
        assert ask_each().kind == "Account"
        assert proxy.connections == 3


def test_extra_counts_more_than_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Sandbox() as sandbox, Proxy() as proxy, Proxy() as other:
        monkeypatch.setenv("HTTP_PROXY", other.url)
        monkeypatch.setenv("NO_PROXY", "*")
        define(monkeypatch, sandbox.url, proxy=proxy.url)
        assert ask_each().kind == "Account"
        assert (proxy.connections, other.connections) == (3, 0)


def test_https_does_not_take_the_http_variable(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        define(monkeypatch, secure.url, verify=authority.bundle)
        assert ask_each().kind == "Account"
        assert proxy.connections == 0


def test_variable_without_a_scheme(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.netloc)
        define(monkeypatch, secure.url, verify=authority.bundle)
        assert ask_each().kind == "Account"
        assert proxy.connections == 3


def test_session_goes_through_the_proxy_without_the_token(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, secure: Sandbox
) -> None:
    with Sandbox() as other, Proxy() as proxy:
        define(monkeypatch, secure.url, verify=authority.bundle, proxy=proxy.url)
        with UseApiHook() as hook:
            assert hook.get_conn().get(other.url + PATH).status_code == 401
        assert "authorization" not in proxy.requests[0].headers
        assert [request.authorized for request in other.requests] == [False]
