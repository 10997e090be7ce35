"""Whatever is stored of a gate, or told by its trigger: it is read, and can be used."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiRequestError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.outcome import Failed, TimedOut, from_payload, to_payload
from airflow_provider_useapi.gate.schedule import given_up_after, next_look
from airflow_provider_useapi.gate.step import consider, not_made
from airflow_provider_useapi.gate.verdict import Verdict
from tests.helpers.golden import golden
from tests.helpers.odd_json import TEXTS, decoded, written

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SETTINGS = Settings("c", "user:1-a")
SAID = (
    Verdict(("closed",), (), subscription_is_active=True),
    UseApiAuthError("401."),
    UseApiRequestError("412."),
    UseApiUnavailableError("503.", retry_after=60.0),
)

KEYS = [
    "reasons", "error", "not_before", "refused_until", "ends", "mark", "salt", "credits", "until",
    "total", "plan", "failed", "outcome", "xcom", "note", "reason", "since",
]  # fmt: skip
STORED = [
    *golden("notes").values(),
    *golden("notes_with_marks").values(),
    {
        **Mark.of(SETTINGS).to_note(),
        "reasons": ["closed"],
        "error": "",
        "not_before": "2026-03-01T12:01:00+00:00",
        "refused_until": "2026-03-01T12:05:00+00:00",
        "ends": "2026-03-01T13:00:00+00:00",
        "credits": {"abc123": {"until": "2026-03-01T12:05:00+00:00", "total": 5, "plan": "Pro"}},
    },
]
PAYLOADS = [
    *golden("event_payloads").values(),
    *golden("event_payloads_with_marks").values(),
    {"outcome": "failed", "reason": "401.", "since": 1.5, **Mark.of(SETTINGS).to_note()},
]


def stored(*documented: Any) -> st.SearchStrategy[str]:
    return written(KEYS, lambda write: write.body(*documented))


def assert_usable(memory: Memory) -> None:
    """All that a gate does with what it remembers."""
    assert Memory.from_note(memory.to_note()) == memory
    for known in (memory, memory.used_by(SETTINGS), memory.only_hold(), memory.ending(NOW)):
        assert isinstance(known.is_held(NOW), bool)
        wait, _ = next_look(30.0, 600.0, known, NOW)
        assert 0 <= wait <= 600.1
        assert isinstance(known.timed_out(60.0), str)
        not_made(known, NOW)
        for found in SAID:
            step = consider(known.told(NOW), found, NOW + timedelta(hours=1), Mark.of(SETTINGS))
            assert Memory.from_note(step.memory.to_note()) is not None


@given(stored(*STORED))
@example('{"reasons": [], "error": "", "not_before": "2026-03-01T12:01:00"}')
@example('{"reasons": [], "error": "", "refused_until": "2026-03-01"}')
@example('{"reasons": [], "error": "", "not_before": "0001-01-01T00:00:00+23:59"}')
def test_any_note_can_be_used(note: str) -> None:
    assert_usable(Memory.from_note(decoded(note)))


# Two surrogates that come together are one character to JSON.
WHOLE_TEXTS = TEXTS.map(lambda text: text.encode("utf-16", "replace").decode("utf-16"))


@given(
    st.builds(
        Memory,
        reasons=st.lists(WHOLE_TEXTS, max_size=3).map(tuple),
        error=WHOLE_TEXTS,
        not_before=st.none() | st.datetimes(timezones=st.just(UTC)),
        refused_until=st.none() | st.datetimes(timezones=st.just(UTC)),
        ends=st.none() | st.datetimes(timezones=st.just(UTC)),
        mark=st.none() | st.just(Mark.of(SETTINGS)),
    )
)
def test_a_note_is_stored_and_comes_back(memory: Memory) -> None:
    assert Memory.from_note(json.loads(json.dumps(memory.to_note()))) == memory
    assert_usable(memory)


@given(stored(*PAYLOADS))
@example('{"outcome": "failed", "reason": "401.", "since": NaN}')
@example(f'{{"outcome": "failed", "reason": "401.", "since": 1{"0" * 400}}}')
def test_any_payload_is_an_ending(payload: str) -> None:
    ending = from_payload(decoded(payload))
    again = from_payload(json.loads(json.dumps(to_payload(ending))))
    assert to_payload(again) == to_payload(ending)
    if isinstance(ending, TimedOut):
        assert_usable(ending.memory)
    if isinstance(ending, Failed) and ending.since is not None:
        assert isfinite(ending.since)
        assert given_up_after(ending.since) >= timedelta(0)
