"""The notes and event payloads that an earlier release stored: they are read as they were meant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.outcome import (
    Failed,
    Opened,
    TimedOut,
    from_payload,
    to_payload,
)
from tests.helpers.golden import golden

NOTES, PAYLOADS = golden("notes"), golden("event_payloads")


def remembered(note: dict[str, Any]) -> Memory:
    """What a note says, field by field."""
    until = note["not_before"]
    return Memory(
        tuple(note["reasons"]), note["error"], datetime.fromisoformat(until) if until else None
    )


@pytest.mark.parametrize("name", NOTES)
def test_a_stored_note_is_read(name: str) -> None:
    memory = Memory.from_note(NOTES[name])
    assert memory == remembered(NOTES[name])
    assert memory.to_note() == NOTES[name]


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_stored_event_is_read(name: str) -> None:
    payload = PAYLOADS[name]
    ending = from_payload(payload)
    match payload["outcome"]:
        case "open":
            assert ending == Opened(payload["xcom"])
        case "failed":
            assert ending == Failed(payload["reason"])
        case "timeout":
            assert ending == TimedOut(remembered(payload["note"]))
    assert to_payload(ending) == payload
