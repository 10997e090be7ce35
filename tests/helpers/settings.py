"""Settings from the plain fields of a connection, without Airflow."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_useapi.connection.settings import Settings, read_settings
from airflow_provider_useapi.exceptions import UseApiConfigError

TOKEN = "user:12345-sandbox"


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
