"""What a trigger tells the worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.outcome import (
    Ending,
    Failed,
    Opened,
    Retry,
    TimedOut,
    from_payload,
    to_payload,
)
from tests.helpers.bodies import any_json, evenly

ENDINGS = [
    Opened({"slug": "kling", "active": 2}),
    Failed("Connection 'c': the API answered with 412."),
    Failed("Connection 'c': the API token was refused.", Mark("00" * 16, "ab"), 1000.5),
    Retry("Connection 'c' is not defined."),
    TimedOut(Memory(("closed",), "503.", datetime(2026, 3, 1, tzinfo=UTC))),
]
FIELDS = ["xcom", "note", "reason", "since", "mark", "salt"]
JSON = any_json(depth=3, keys=st.sampled_from(["outcome", *FIELDS]) | st.text())
PAYLOADS = st.fixed_dictionaries(
    {"outcome": st.sampled_from(["open", "timeout", "failed", "retry"])},
    optional=dict.fromkeys(FIELDS, JSON),
)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_crosses_processes_as_json(ending: Ending) -> None:
    assert from_payload(json.loads(json.dumps(to_payload(ending)))) == ending


@given(evenly(JSON, PAYLOADS))
def test_what_cannot_be_read_is_not_an_open_gate(payload: Any) -> None:
    ending = from_payload(payload)
    is_open = isinstance(payload, dict) and payload.get("outcome") == "open"
    if not (is_open and isinstance(payload.get("xcom"), dict)):
        assert not isinstance(ending, Opened)


@pytest.mark.parametrize("payload", [None, "success", {}, {"outcome": "open"}, {"outcome": "odd"}])
def test_a_trigger_that_says_nothing_is_a_failure_that_says_so(payload: Any) -> None:
    ending = from_payload(payload)
    assert isinstance(ending, Failed)
    assert "without saying how" in ending.reason
