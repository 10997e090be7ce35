"""What tests over the wire share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.servers import ask_both, define


@pytest.fixture(scope="module")
def warm() -> Iterator[None]:
    """Import all that a first call imports, so that no test measures it; find sockets left open."""
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        define(patch, sandbox.url)
        assert ask_both().kind == "Account"
    yield
    gc.collect()
