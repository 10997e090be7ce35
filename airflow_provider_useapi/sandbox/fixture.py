"""
The pytest fixture ``useapi_sandbox``.

Every pytest run of an environment imports this module: the sandbox itself is imported on use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_useapi.sandbox import Sandbox


@pytest.fixture
def useapi_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A running sandbox, to which the connection ``useapi_default`` leads during the test."""
    from airflow_provider_useapi.sandbox import Sandbox

    with Sandbox() as sandbox:
        monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
        yield sandbox
