"""Which server a connection leads to, from its plain fields: that one, or none at all."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_useapi.connection.hosts import is_loopback
from airflow_provider_useapi.connection.settings import Settings, read_settings
from airflow_provider_useapi.exceptions import UseApiConfigError

HOST = "api.example.org"


def read(
    host: str | None, *, port: int | None = None, schema: str | None = None, allow_http: bool = True
) -> Settings:
    """The settings of a connection with these fields."""
    return read_settings(
        "my_conn",
        host=host,
        port=port,
        schema=schema,
        login=None,
        password="user:12345-canary",
        extra={"allow_http": allow_http},
    )


def refusal(host: str | None, **fields: object) -> str:
    """The message with which these fields are refused."""
    with pytest.raises(UseApiConfigError) as caught:
        read(host, **fields)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "'my_conn'" in message and "canary" not in message and message.isprintable()
    return message


# --- Slips in the scheme --------------------------------------------------------------------------

SLIPS = [
    "https//{}",
    "https//{}/pre",
    "https//{}:8443",
    "http//{}",
    "HTTPS//{}",
    "https///{}",
    "https:/{}",
    "https:/{}/pre",
    "https:/{}:8443/pre",
    "http:/{}",
    "HTTPS:/{}",
    "https:{}",
    "https/{}",
    "http/{}",
    "https./{}",
    "https.//{}",
    "https;//{}",
    "https::/{}",
    "https:///{}",
    "https:////{}",
    "https:\\\\{}",
    "https:\\/\\/{}",
    "https:443/{}",
    "https:443",
    "htps:/{}",
    "htps://{}",
    "htps//{}",
    "htps/{}",
    "htps:{}",
    "httpss:/{}",
    "htpps/{}",
    "ttps:/{}",
    "ttps/{}",
    "htt:/{}",
    "htts/{}",
    "https https://{}",
    "https://https://{}",
    "https://http://{}",
    "http://https://{}",
    "https://https:/{}",
    "https://https//{}",
    "https://https/{}",
    "https://https:443/{}",
    "https://HTTPS./{}",
    "https://htps://{}",
    "https://htps:/{}",
    "https://htps//{}",
    "https://[::1]:/{}",
    "://{}",
    "//{}",
    "///{}",
    ":/{}",
    ":{}",
    "https",
    "http",
    "https:",
    "https:/",
    "https://",
    "https://https",
    "https://http:80",
    "https://https.",
    "ｈｔｔｐｓ//{}",
    "https://ｈｔｔｐｓ/{}",
]


@pytest.mark.parametrize("port", [None, 8443])
@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_in_the_scheme_is_refused(text: str, port: int | None) -> None:
    assert "https://api.useapi.net" in refusal(text.format(HOST), port=port)


@pytest.mark.parametrize("host", ["https", "http", "HTTPS", "https.", "htps", "ttps", "htpps"])
@pytest.mark.parametrize("schema", [HOST, f"/{HOST}", f"//{HOST}/pre"])
def test_a_slip_that_the_uri_parser_has_taken_apart_is_refused(host: str, schema: str) -> None:
    """Of ``useapi://:...@htps:/host`` Airflow makes the host ``htps`` and the schema ``host``."""
    assert "https://api.useapi.net" in refusal(host, schema=schema)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("https.example.org", "https://https.example.org"),
        ("https://https.example.org/http", "https://https.example.org/http"),
        ("https.io/pre", "https://https.io/pre"),
        ("http2/pre", "https://http2/pre"),
        ("http-gateway", "https://http-gateway"),
        ("http-gateway/pre", "https://http-gateway/pre"),
        ("gateway/pre", "https://gateway/pre"),
        ("gateway:8443/pre", "https://gateway:8443/pre"),
        ("localhost/v1.2", "https://localhost/v1.2"),
        ("httpd", "https://httpd"),
        ("https://httpd/pre", "https://httpd/pre"),
        ("https://proxy.example/https://api", "https://proxy.example/https://api"),
        ("https://api.example.org:", "https://api.example.org"),
    ],
)
def test_names_that_only_look_like_a_slip_are_taken(host: str, base: str) -> None:
    assert read(host).base_url == base


# --- IPv6 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "port", "base"),
    [
        ("::1", None, "https://[::1]"),
        ("::1", 8080, "https://[::1]:8080"),
        ("[::1]", None, "https://[::1]"),
        ("[::1]", 8080, "https://[::1]:8080"),
        ("[::1]:8080", None, "https://[::1]:8080"),
        ("[::1]:8080/pre", None, "https://[::1]:8080/pre"),
        ("::1/pre", 8080, "https://[::1]:8080/pre"),
        ("http://::1", 8080, "http://[::1]:8080"),
        ("https://::1/pre", None, "https://[::1]/pre"),
        ("2001:DB8::0001", None, "https://[2001:db8::1]"),
        ("0:0:0:0:0:0:0:1", 8080, "https://[::1]:8080"),
        ("2001:db8:1:2:3:4:5:6", 8080, "https://[2001:db8:1:2:3:4:5:6]:8080"),
        ("::ffff:127.0.0.1", 80, "https://[::ffff:7f00:1]:80"),
        ("::ffff:0.0.0.0", None, "https://[::ffff:0:0]"),
        ("::", None, "https://[::]"),
    ],
)
def test_ipv6_with_and_without_brackets(host: str, port: int | None, base: str) -> None:
    assert read(host, port=port).base_url == base


@pytest.mark.parametrize(
    "host",
    [
        "x[::1]",
        "[::1]x",
        "[::1]:8080x",
        "[::1",
        "::1]",
        "[[::1]]",
        "[::1][::1]",
        "[]",
        "[]:8080",
        "[v1.a]",
        "[api.example.org]",
        "[127.0.0.1]",
        "[::1]:8080:8080",
        ":::1",
        "1:2:3:4:5:6:7:8:8080",
        "12345::",
        "::1:port",
        "::1%eth0",
        "fe80::1%eth0",
        "[fe80::1%25eth0]:8080",
        "evil.example:80:80",
    ],
)
def test_what_is_not_quite_ipv6_is_refused(host: str) -> None:
    for text in (host, f"https://{host}"):
        assert "https://api.useapi.net" in refusal(text)


@pytest.mark.parametrize("host", ["http://::1", "http://[::1]", "http://::ffff:127.0.0.1"])
def test_plain_http_to_this_machine_over_ipv6(host: str) -> None:
    assert read(host, port=8080, allow_http=False).base_url.startswith("http://[::")


@pytest.mark.parametrize("host", ["http://::2", "http://::ffff:10.0.0.1", "http://::1:8080"])
def test_plain_http_to_another_machine_over_ipv6(host: str) -> None:
    assert "allow_http" in refusal(host, allow_http=False)


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("::ffff:127.0.0.1", True), ("::ffff:127.9.9.9", True), ("::ffff:10.0.0.1", False)],
)
def test_a_mapped_address_is_loopback_if_the_one_inside_is(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


@pytest.mark.parametrize("host", ["https://api.example.org:0", "[::1]:0", "[::1]:65536"])
def test_ports_that_do_not_exist_are_refused(host: str) -> None:
    """Port 0 was passed over, and the one of another field taken."""
    assert "https://api.useapi.net" in refusal(host, port=8443)


# --- Paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "port", "schema", "base"),
    [
        (HOST, None, "pre", "https://api.example.org/pre"),
        (HOST, 8443, "pre/fix", "https://api.example.org:8443/pre/fix"),
        (HOST, None, "pre/fix/", "https://api.example.org/pre/fix"),
        (HOST, None, "/pre", "https://api.example.org/pre"),
        (HOST, None, " pre ", "https://api.example.org/pre"),
        (f"https://{HOST}", None, "pre", "https://api.example.org/pre"),
        (f"https://{HOST}/", None, "pre", "https://api.example.org/pre"),
        (f"https://{HOST}/a", None, "b", "https://api.example.org/a/b"),
        (f"{HOST}:8443/a/", None, "/b/", "https://api.example.org:8443/a/b"),
        ("::1", 8080, "pre", "https://[::1]:8080/pre"),
        ("http://::1", 8080, "pre", "http://[::1]:8080/pre"),
        (None, None, "pre", "https://api.useapi.net/pre"),
        ("", 8443, "pre", "https://api.useapi.net:8443/pre"),
        (HOST, None, "", "https://api.example.org"),
        (HOST, None, "/", "https://api.example.org"),
        (HOST, None, "  ", "https://api.example.org"),
        (HOST, None, "https/pre", "https://api.example.org/https/pre"),
        (HOST, None, "ü", "https://api.example.org/%C3%BC"),
        (f"{HOST}/ü", None, None, "https://api.example.org/%C3%BC"),
        (HOST, None, "50%/a%2Fb", "https://api.example.org/50%25/a%2Fb"),
        (HOST, None, "x;y=1,(z)~@:!$&'*+", "https://api.example.org/x;y=1,(z)~@:!$&'*+"),
    ],
)
def test_a_path_is_part_of_the_base_url(
    host: str | None, port: int | None, schema: str | None, base: str
) -> None:
    found = read(host, port=port, schema=schema)
    assert (found.base_url, found.warnings) == (base, ())


@pytest.mark.parametrize("schema", ["a b", "a?x=1", "a#b", "a\nb", "a\x7f", "?", "#", "a\u200b"])
def test_paths_that_are_refused(schema: str) -> None:
    assert "https://api.useapi.net" in refusal(HOST, schema=schema)
    assert "https://api.useapi.net" in refusal(f"{HOST}/{schema}")


@pytest.mark.parametrize("schema", ["https", "HTTPS", " https ", "https:", "https://"])
def test_a_scheme_in_the_schema_is_no_path(schema: str) -> None:
    """As connections of Airflow's HTTP hook have it; before, the schema was not read at all."""
    found = read(HOST, schema=schema)
    assert found.base_url == "https://api.example.org"
    (warning,) = found.warnings
    assert "'my_conn'" in warning and "schema" in warning


@pytest.mark.parametrize("schema", ["http", "HTTP", "http://"])
def test_plain_http_in_the_schema_is_refused(schema: str) -> None:
    assert "schema" in refusal(HOST, schema=schema)


@pytest.mark.parametrize("schema", ["https", "http"])
def test_beside_a_scheme_that_name_is_a_path(schema: str) -> None:
    found = read(f"https://{HOST}", schema=schema)
    assert (found.base_url, found.warnings) == (f"https://{HOST}/{schema}", ())


# --- Any text -------------------------------------------------------------------------------------


def named_in(text: str) -> str:
    """The host that a text names, read by its letters alone: up to the path, without a port."""
    rest = text.strip().lower().removeprefix("https://").removeprefix("http://")
    netloc = rest.partition("/")[0]
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc if netloc.count(":") > 1 else netloc.partition(":")[0]


def is_same(host: str, named: str) -> bool:
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(named)
    except ValueError:
        return host == named


PIECES = st.sampled_from(
    [
        "https", "http", "htps", "ttps", "://", ":/", "//", "/", ":", ".", "[", "]", "@", "?", "#",
        "%", "::", "::1", "[::1]", "127.0.0.1", "ffff:", "8443", "0", "a", "api.example.org",
        "evil.example", "x", "v1.", "\\", ",", ";", "user:1", " ",
    ]
)  # fmt: skip
TEXT = st.lists(PIECES | st.characters(), max_size=7).map("".join)


@given(TEXT, st.none() | TEXT, st.none() | st.integers(1, 65535))
@example("x[::1]", None, None)
@example("[v1.a]", None, None)
@example("https://https://api.example.org", None, None)
def test_any_text_is_that_host_or_refused(text: str, schema: str | None, port: int | None) -> None:
    try:
        base = urlsplit(read(text, schema=schema, port=port).base_url)
    except UseApiConfigError as e:
        assert "my_conn" in str(e)
        return
    host = base.hostname or ""
    assert host.rstrip(".") not in ("http", "https")
    assert base.path == "" or (base.path[0] == "/" and base.path[1:2] != "/")
    assert base.geturl().isascii() and not base.query and not base.fragment
    if text.strip() and named_in(text).isascii() and "xn--" not in host:
        assert is_same(host, named_in(text)), text
    if port and not text.strip():
        assert base.port == port
