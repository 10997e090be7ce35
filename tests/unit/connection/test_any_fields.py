"""Whatever users write into a connection: it can be used, or one sentence says what is wrong."""

from __future__ import annotations

from typing import Any

import httpcore
from hypothesis import given

from airflow_provider_useapi.connection.fields import DEFAULTS
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.connection.settings import Settings, read_settings
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import secret_forms
from airflow_provider_useapi.transport.errors import no_answer, unavailable
from airflow_provider_useapi.transport.request import address, own_headers, pool_arguments
from tests.helpers.odd_json import TOKEN, Writer, assert_shown, decoded, written

HOSTS = [
    "", "https://", "http://", "//", "api.example.org", "127.0.0.1", "localhost", "[::1]", "::1",
    ":", ":443", ":0", ":99999", ":" + "9" * 5000, "/v1", "/", "?", "#", "@", "name:password@",
    "%", "%41", "xn--", "é", "。", "a" * 64, ".", "..", "https//", "htps:/", "\\", "socks5://",
    "[v1.a]", "[",
]  # fmt: skip
EXTRAS = [*DEFAULTS, "Timeout", "token"]
VALUES = ["true", "FALSE", "1", "0", "on", "no", "/etc/ssl", "\0", "30", "-1", "0.1", "86401", "١"]


def fields(write: Writer) -> dict[str, Any]:
    """Every field of a connection, as its form or JSON may hold it."""
    random = write.random

    def host() -> str:
        parts = (random.choice(HOSTS) for _ in range(random.randrange(4)))
        return "".join(parts) + (write.text() if random.random() < 0.1 else "")

    def value(name: str) -> Any:
        kind = random.randrange(4)
        if kind == 0:
            return decoded(write.value(2).replace("Canary", ""))
        if name == "proxy" and kind < 3:
            return random.choice(("http://name:pr0xy-canary@", "https://", "http://")) + host()
        # It is a secret where it is the password, and nowhere else.
        return random.choice(VALUES) if kind < 3 else write.text().replace("Canary", "")

    tokens = (TOKEN, f" Bearer {TOKEN}\n", f"{TOKEN} x", f"bearer{TOKEN}", write.text())
    return {
        "host": random.choice((None, host(), f"https://{host()}", write.text())),
        "port": random.choice((None, None, 443, 0, -1, 65536, 10**400)),
        "login": random.choice((None, None, "user", write.text())),
        "password": random.choice((None, TOKEN, *tokens)),
        "schema": random.choice((None, None, "https", "HTTP://", "v1", host(), write.text())),
        "extra": {
            name: value(name) for name in random.sample(EXTRAS, random.choice((0, 1, 1, 2, 4)))
        },
    }


def assert_usable(settings: Settings) -> None:
    """All that a client does with settings before the first byte."""
    url = address(settings.url("/v2/account"))
    httpcore.Request("GET", url, headers=own_headers(settings))
    if settings.proxy is None or settings.proxy.startswith("http"):
        pool_arguments(settings, None)
    assert 0 < settings.timeout <= 86400
    assert settings.max_attempts >= 1
    assert Mark.of(settings).fits(settings)
    assert all(secret_forms(secret) for secret in settings.secrets)
    for text in (
        repr(settings),
        str(unavailable(TimeoutError(), settings)),
        no_answer(OSError(), settings.base_url, settings.proxy, settings.timeout),
        *settings.warnings,
    ):
        assert settings.token not in text or len(settings.token) < 8
        assert "pr0xy-canary" not in text


@given(written(EXTRAS, fields))
def test_any_fields_are_settings_or_an_error_of_ours(found: dict[str, Any]) -> None:
    try:
        settings = read_settings("c", **found)
    except UseApiConfigError as e:
        assert_shown(str(e))
        assert "pr0xy-canary" not in str(e)
        assert e.permanent
    else:
        assert_usable(settings)
