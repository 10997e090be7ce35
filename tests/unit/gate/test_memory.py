from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiConnectionNotFoundError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.gate.memory import REPEAT_AFTER, Memory, consider
from airflow_provider_useapi.gate.verdict import Verdict

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


def test_a_look_at_a_closed_gate_says_why_once() -> None:
    step = consider(Memory(), closed("a"), NOW)
    assert step.lines == (("info", "The gate is closed: a."),)
    again = consider(step.memory, closed("a"), later(1))
    assert (again.lines, again.opened, again.failed) == ((), None, None)


def test_a_look_at_an_open_gate_ends_it_with_all_that_was_found() -> None:
    found = Verdict((), ("look at this",), subscription_is_active=True)
    step = consider(Memory(), found, NOW)
    assert step.opened is found
    assert [level for level, _ in step.lines] == ["warning", "info"]


def test_a_transient_error_delays_a_gate_and_a_permanent_one_ends_it() -> None:
    busy = UseApiUnavailableError("429.", retry_after=20)
    step = consider(Memory(), busy, NOW)
    assert step.memory.is_held(later(19))
    assert step.lines == (("warning", "The check failed: 429."),)
    refused = UseApiAuthError("401.")
    assert consider(step.memory, refused, NOW).failed is refused


LOST = UseApiConnectionNotFoundError("Connection 'x' is not defined.")


def test_a_connection_that_was_never_there_ends_a_gate() -> None:
    assert consider(Memory(), LOST, NOW).failed is LOST


@pytest.mark.parametrize("before", [closed("a"), UseApiUnavailableError("503.")])
def test_a_connection_that_was_there_before_is_waited_for(
    before: Verdict | UseApiUnavailableError,
) -> None:
    note = consider(Memory(), before, NOW).memory.to_note()
    step = consider(Memory.from_note(note), LOST, NOW)
    assert step.failed is None
    assert step.lines == (("warning", f"The check failed: {LOST}"),)
    again = consider(step.memory, LOST, later(1))
    assert (again.failed, again.lines) == (None, ())
    assert str(LOST) in again.memory.timed_out(60)


@given(st.booleans(), st.booleans())
def test_a_look_ends_a_gate_one_way_or_not_at_all(is_error: bool, flag: bool) -> None:
    kind = UseApiAuthError if flag else UseApiUnavailableError
    found = kind("no") if is_error else closed(*["a"] * flag)
    step = consider(Memory(), found, NOW)
    assert (step.opened is not None) == (not is_error and not flag)
    assert (step.failed is not None) == (is_error and flag)


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
