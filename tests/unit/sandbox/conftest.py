"""A sandbox that runs during a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_useapi.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as s:
        yield s
