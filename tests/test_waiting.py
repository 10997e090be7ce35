from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.gate import Verdict
from airflow_provider_useapi.waiting import REPEAT_AFTER, Memory, next_look

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECONDS = st.floats(0, 1e6)


def closed(*reasons: str) -> Verdict:
    return Verdict(reasons, (), subscription_is_active=True)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def held(seconds: float) -> Memory:
    return Memory().failed(UseApiUnavailableError("429", retry_after=seconds), NOW)


def test_the_first_finding_and_every_change_are_news() -> None:
    memory = Memory().closed(closed("a"))
    assert memory.is_news(NOW)
    memory = memory.told(NOW).closed(closed("a"))
    assert not memory.is_news(later(1))
    assert memory.closed(closed("a", "b")).is_news(later(1))
    failed = memory.failed(UseApiUnavailableError("503"), later(1))
    assert failed.is_news(later(1))
    assert failed.told(later(1)).closed(closed("a")).is_news(later(2))


def test_an_unchanged_finding_is_news_again_after_ten_minutes() -> None:
    memory = Memory().closed(closed("a")).told(NOW)
    assert not memory.is_news(NOW + REPEAT_AFTER - timedelta(seconds=1))
    assert memory.is_news(NOW + REPEAT_AFTER)


def test_what_a_timed_out_gate_says() -> None:
    gate = Memory().closed(closed("a", "b"))
    assert gate.timed_out(60) == "Timed out after 60 s; the gate is closed: a; b."
    failed = gate.failed(UseApiUnavailableError("503."), NOW)
    assert failed.timed_out(60) == "Timed out after 60 s; last known to be closed: a; b; then: 503."
    never = Memory().failed(UseApiUnavailableError("503."), NOW)
    assert never.timed_out(1.5) == "Timed out after 1.5 s without an answer: 503."


def test_an_answer_ends_the_wait_that_the_api_asked_for() -> None:
    assert held(20).is_held(later(19.9))
    assert not held(20).is_held(later(20))
    assert not held(20).closed(closed("a")).is_held(NOW)
    assert not Memory().failed(UseApiUnavailableError("503"), NOW).is_held(NOW)


@pytest.mark.parametrize("seconds", [9e99, 1e9, 0.0])
def test_any_wait_is_a_date(seconds: float) -> None:
    assert held(seconds).not_before is not None


@pytest.mark.parametrize(
    ("interval", "left", "asked", "wait", "is_look"),
    [
        (60, 600, None, 60, True),
        (1, 600, 20, 20, True),
        (60, 600, 20, 60, True),
        # The last look is at the time-out, not an interval later.
        (60, 10, None, 10, True),
        (1, 10, 20, 10, False),
        (1, 20, 20, 20, True),
        (5, -1, None, 0, True),
    ],
)
def test_when_to_look_again(
    interval: float, left: float, asked: float | None, wait: float, is_look: bool
) -> None:
    memory = Memory() if asked is None else held(asked)
    seconds, look = next_look(interval, left, memory, NOW)
    assert seconds == pytest.approx(wait, abs=0.02)
    assert look is is_look


@given(SECONDS, SECONDS, st.none() | SECONDS)
def test_no_look_comes_too_early_and_no_gate_times_out_late(
    interval: float, left: float, asked: float | None
) -> None:
    memory = Memory() if asked is None else held(asked)
    seconds, is_look = next_look(interval, left, memory, NOW)
    assert 0 <= seconds <= left + 0.011
    if is_look:
        assert not memory.is_held(later(seconds))
    assert seconds >= min(interval, left)


@given(st.lists(st.text()), st.text(), st.none() | SECONDS)
def test_a_note_brings_the_memory_to_another_process(
    reasons: list[str], error: str, asked: float | None
) -> None:
    memory = Memory(tuple(reasons), error, None if asked is None else later(asked))
    assert Memory.from_note(memory.to_note()) == memory


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["reasons", "error", "not_before"]) | st.text(), inner
            )
        ),
    )
)
def test_any_note_can_be_read(note: Any) -> None:
    assert isinstance(Memory.from_note(note), Memory)
