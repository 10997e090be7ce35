"""The notes and event payloads that an earlier release stored: they are read as they were meant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from airflow_provider_useapi.api.kept_credits import Kept
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.outcome import (
    Failed,
    Opened,
    Retry,
    TimedOut,
    from_payload,
    to_payload,
)
from tests.helpers.golden import golden

MARKED = golden("notes_with_marks")
NOTES = golden("notes") | MARKED
PAYLOADS = golden("event_payloads") | golden("event_payloads_with_marks")
WHO = Settings("useapi_default", "user:12345-golden")
"""Whom the stored marks stand for."""


def remembered(note: dict[str, Any]) -> Memory:
    """What a note says, field by field."""
    mark = Mark(note["salt"], note["mark"]) if "mark" in note else None
    return Memory(
        tuple(note["reasons"]),
        note["error"],
        moment(note["not_before"]),
        moment(note.get("refused_until", "")),
        moment(note.get("ends", "")),
        mark,
        {
            ref: Kept(moment(told["until"]), told["total"], told["plan"], told["failed"])
            for ref, told in note.get("credits", {}).items()
        },
    )


def moment(written: str) -> Any:
    """A moment that is written in a note; ``None`` if there is none."""
    return datetime.fromisoformat(written) if written else None


@pytest.mark.parametrize("name", NOTES)
def test_a_stored_note_is_read(name: str) -> None:
    memory = Memory.from_note(NOTES[name])
    assert memory == remembered(NOTES[name])
    assert memory.to_note().items() <= NOTES[name].items()
    assert NOTES[name].keys() - memory.to_note().keys() <= {"try"}, "which its owner adds"


@pytest.mark.parametrize("name", MARKED)
def test_a_stored_mark_still_stands_for_whom_it_stood_for(name: str) -> None:
    memory = Memory.from_note(MARKED[name])
    assert memory.mark is not None
    assert memory.mark.fits(WHO)
    assert memory.used_by(WHO).held_until == memory.held_until
    other = memory.used_by(Settings("useapi_default", "user:12345-another"))
    assert (other.held_until, other.kept) == (None, {})


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_stored_event_is_read(name: str) -> None:
    payload = PAYLOADS[name]
    ending = from_payload(payload)
    match payload["outcome"]:
        case "open":
            assert ending == Opened(payload["xcom"])
        case "failed":
            mark = Mark(payload["salt"], payload["mark"]) if "mark" in payload else None
            assert ending == Failed(payload["reason"], mark, payload.get("since"))
        case "retry":
            assert ending == Retry(payload["reason"])
        case "timeout":
            assert ending == TimedOut(remembered(payload["note"]))
        case other:
            pytest.fail(f"nobody reads {other}")
    assert to_payload(ending) == payload
