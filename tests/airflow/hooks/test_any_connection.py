"""Whatever JSON or URI an environment holds for a connection: settings, or an error of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.hooks.connection import settings_of
from airflow_provider_useapi.hooks.useapi import UseApiHook
from tests.helpers.odd_json import TOKEN, Writer, assert_shown, written

FIELDS = ["conn_type", "host", "login", "password", "schema", "port", "extra", "uri"]
WHOLE: dict[str, Any] = {
    "conn_type": "useapi",
    "host": "https://api.example.org",
    "login": "",
    "password": TOKEN,
    "schema": "",
    "port": 443,
    "extra": {"timeout": 30, "proxy": "http://proxy.example.org:3128", "verify": "true"},
}
URIS = [
    "useapi://:user%3A98765-CanaryToken@api.example.org/",
    "useapi://:user%3A98765-CanaryToken@api.example.org:443/v1?timeout=5",
    "useapi://user:98765-CanaryToken@[::1]:8787/?__extra__=%7B%22timeout%22%3A5%7D",
]


def environment(write: Writer) -> str:
    """What the variable holds; an environment knows neither NUL nor lone surrogates."""
    random = write.random
    if random.random() < 0.2:
        uri = random.choice(URIS)
        at = random.randrange(len(uri))
        text = uri[:at] + write.text() + uri[at + random.randrange(3) :]
    else:
        whole = {**WHOLE, "extra": json.dumps(WHOLE["extra"])} if random.random() < 0.3 else WHOLE
        text = write.body(whole)
    return text.replace("\0", "").encode("utf-8", "replace").decode()


@given(written(FIELDS, environment))
@example('{"conn_type": "useapi", "password": 12345}')
@example('{"conn_type": "useapi", "password": ["user:98765-CanaryToken"]}')
@example('{"conn_type": "useapi", "password": "user:98765-CanaryToken", "host": 5}')
@example('{"conn_type": "useapi", "password": "user:98765-CanaryToken", "schema": true}')
@example('{"conn_type": "useapi", "password": "user:98765-CanaryToken", "login": {}}')
@example('{"conn_type": "useapi", "password": "user:98765-CanaryToken", "port": "x"}')
@example('{"conn_type": "useapi", "password": "user:98765-CanaryToken", "extra": [1]}')
def test_any_environment_is_a_connection_or_an_error_of_ours(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ODD", text)
        try:
            settings = settings_of(UseApiHook("odd"))
        except UseApiConfigError as e:
            assert_shown(str(e))
        else:
            assert settings.base_url.startswith("http")
            assert "CanaryToken" not in repr(settings)
