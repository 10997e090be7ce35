"""The extras of a connection: what is taken, what is refused, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.exceptions import UseApiConfigError
from tests.helpers.bodies import any_json, evenly
from tests.helpers.settings import TOKEN, read, refusal


def test_settings_do_not_show_the_token() -> None:
    shown = repr(read(proxy="http://u:secret@127.0.0.1:1"))
    assert TOKEN not in shown and "secret" not in shown


@pytest.mark.parametrize("field", ["verify", "client_cert", "client_key"])
def test_settings_do_not_show_a_token_in_the_wrong_field(field: str) -> None:
    assert TOKEN not in repr(read(**{"client_cert": "here.pem", field: TOKEN}))


def test_settings_do_not_show_a_token_in_the_path() -> None:
    assert TOKEN not in repr(read(host=f"https://api.example.org/{TOKEN}"))


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


def test_password_of_a_bad_proxy_is_not_shown() -> None:
    for proxy in (
        "ftp://u:sesame@x:1",
        "u:sesame@x:1",
        "socks5://u:sesame@x:1",
        "http://u:sesame@",
    ):
        assert "sesame" not in refusal(proxy=proxy)
    assert "sesame" not in refusal(proxy=["http://u:sesame@x:1"])


def test_unknown_extra_is_warned_about() -> None:
    (warning,) = read(time_out=5, max_attempts=2).warnings
    assert "my_conn" in warning and "time_out" in warning and "timeout" in warning
    (warning,) = read(**{TOKEN: 1, "person@example.org": 2}).warnings
    assert TOKEN not in warning and "person" not in warning
    assert read().warnings == ()


EXTRA_VALUES = any_json(depth=2, keys=st.text(max_size=3))


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
        evenly(
            EXTRA_VALUES,
            st.sampled_from(["http://", "http://x", "1", "true", "http://x:0"]),
        ),
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
