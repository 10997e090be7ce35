from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.kept_credits import Kept
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiConnectionNotFoundError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.gate.memory import REPEAT_AFTER, Memory
from airflow_provider_useapi.gate.step import REFUSAL_PATIENCE, consider
from airflow_provider_useapi.gate.verdict import Verdict
from tests.helpers.bodies import any_json, evenly

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


# --- A refused token ------------------------------------------------------------------------------

REFUSED = UseApiAuthError("401.", status_code=401)
MINE, OTHER = Mark("00" * 16, "mine"), Mark("00" * 16, "other")


def refused_after(*seconds: float, mark: Mark = MINE) -> Memory:
    """The memory of a gate that was closed at first, and refused at these moments."""
    memory = consider(Memory(), closed("a"), NOW, mark).memory
    for moment in seconds:
        step = consider(memory, REFUSED, later(moment), mark)
        assert step.failed is None
        memory = step.memory
    return memory


def test_a_token_that_is_refused_at_the_first_look_ends_the_gate() -> None:
    assert consider(Memory(), REFUSED, NOW, MINE).failed is REFUSED
    never = consider(Memory(), UseApiUnavailableError("503."), NOW, MINE).memory
    assert consider(never, REFUSED, later(1), MINE).failed is REFUSED, "it was never answered"


def test_a_gate_that_was_answered_has_five_minutes() -> None:
    memory = refused_after(1)
    assert memory.is_held(later(300))
    assert not memory.is_held(later(301))
    assert consider(memory, REFUSED, later(300), MINE).failed is None
    assert consider(memory, REFUSED, later(301), MINE).failed is REFUSED


def test_the_five_minutes_begin_with_the_first_refusal_of_a_token() -> None:
    assert refused_after(1, 100, 200).refused_until == later(301)
    other = consider(refused_after(1), REFUSED, later(200), OTHER)
    assert other.failed is None
    assert other.memory.refused_until == later(500)


def test_an_answer_ends_them_and_a_failure_does_not() -> None:
    memory = refused_after(1)
    assert consider(memory, closed("a"), later(2), MINE).memory.refused_until is None
    busy = consider(memory, UseApiUnavailableError("503."), later(2), MINE).memory
    assert busy.refused_until == later(301)


def test_the_time_out_cuts_them_short() -> None:
    memory = refused_after(1).ending(later(60))
    assert memory.refused_until == memory.ends == later(60)
    assert memory.ending(later(90)).ends == later(60), "it is told once"
    assert consider(memory, REFUSED, later(60), MINE).failed is REFUSED
    late = refused_after().ending(later(60))
    assert consider(late, REFUSED, later(60), MINE).failed is REFUSED
    assert consider(late, REFUSED, later(30), MINE).memory.refused_until == later(60)


def test_a_refusal_is_said_once_and_what_to_do_about_it() -> None:
    step = consider(refused_after(), REFUSED, later(1), MINE)
    ((level, line),) = step.lines
    assert level == "error"
    assert "Put a new one into the connection" in line and line.endswith(" 401.")
    assert consider(step.memory, REFUSED, later(2), MINE).lines == ()


@given(st.lists(st.sampled_from(["closed", "refused", "busy", "lost"]), max_size=12), SECONDS)
def test_a_gate_that_was_answered_never_fails_within_five_minutes(
    looks: list[str], pace: float
) -> None:
    found = {
        "closed": closed("a"),
        "refused": REFUSED,
        "busy": UseApiUnavailableError("503."),
        "lost": LOST,
    }
    memory, since = consider(Memory(), closed("a"), NOW, MINE).memory, None
    for number, name in enumerate(looks, 1):
        moment = later(number * pace)
        step = consider(memory, found[name], moment, None if name == "lost" else MINE)
        if name == "closed":
            since = None
        elif name == "refused":
            assert (step.failed is not None) == (
                since is not None and moment >= since + REFUSAL_PATIENCE
            )
            since = since or moment
        if step.failed:
            return
        memory = Memory.from_note(step.memory.to_note())


def test_of_another_try_only_the_wish_of_the_api_counts() -> None:
    memory = consider(refused_after(1), UseApiUnavailableError("429", retry_after=60), NOW, MINE)
    only = memory.memory.only_hold()
    assert (only.reasons, only.refused_until, only.mark) == ((), None, MINE)
    assert only.is_held(later(59))
    assert refused_after(1).only_hold() == Memory()


def test_a_look_at_which_nobody_was_asked_ends_no_hold() -> None:
    held_by = consider(refused_after(), UseApiUnavailableError("429", retry_after=60), NOW, MINE)
    lost = consider(held_by.memory, LOST, later(1), None).memory
    assert lost.is_held(later(59))
    assert lost.mark == MINE


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


NOTE = ["reasons", "error", "not_before", "refused_until", "ends", "mark", "salt", "credits"]
ANY = any_json(depth=3, keys=st.sampled_from(NOTE) | st.text())
# Without these two it is no note.
WHOLE = st.fixed_dictionaries(
    {"reasons": st.lists(ANY, max_size=3), "error": ANY},
    optional=dict.fromkeys(NOTE[2:], ANY),
)


@given(evenly(ANY, st.dictionaries(st.sampled_from(NOTE), ANY), WHOLE))
def test_any_note_can_be_read(note: Any) -> None:
    assert isinstance(Memory.from_note(note), Memory)


def test_credits_are_kept_for_whom_they_were_told_to() -> None:
    kept = {"abc123": Kept(NOW, 500, "Pro")}
    told = Verdict((), (), subscription_is_active=True, kept=kept)
    memory = Memory(mark=Mark("00" * 16, "ab" * 8)).closed(replace(told, reasons=("x",)))
    assert memory.kept == kept
    assert Memory.from_note(memory.to_note()).kept == kept
    assert memory.closed(replace(told, reasons=("x",), kept=None)).kept == kept
    assert memory.only_hold().kept == {}
    assert "credits" not in Memory().to_note()
