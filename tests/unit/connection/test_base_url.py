"""The base URL of a connection: what is taken, what is refused, and what is said about it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.transport.request import address
from tests.helpers.settings import TOKEN, read, refusal

PATH = "/v2/account"

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


ODD_HOST = st.text(
    st.sampled_from("ab1.-_:/@?#[]%\\ *|~!$&'()+,;=<>{}\"^`ü。ßİ\u200b\u2024\uff0f\ud800é\t\n"),
    max_size=24,
)


def assert_libraries_agree(base_url: str) -> None:
    """What was taken must be an address for the wire and for requests, and the same one."""
    ours = urlsplit(base_url)
    url = base_url + PATH
    theirs = urlsplit(requests.Request("GET", url).prepare().url or "")
    wire = address(url)
    assert ours.hostname == theirs.hostname == wire.host.decode().strip("[]")
    assert ours.port == theirs.port
    assert wire.port in (ours.port, None)
    assert ours.scheme == theirs.scheme == wire.scheme.decode()


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
