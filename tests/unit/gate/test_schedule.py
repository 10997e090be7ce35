"""When a gate looks again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.schedule import RECHECK, backoff, next_backoff, next_look, phase

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECONDS = st.floats(0, 1e6)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def held(seconds: float) -> Memory:
    return Memory().failed(UseApiUnavailableError("429", retry_after=seconds), NOW)


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
    seconds, is_look = next_look(interval, left, memory, NOW, recheck=inf)
    assert 0 <= seconds <= left + 0.011
    if is_look:
        assert not memory.is_held(later(seconds))
    assert seconds >= min(interval, left)


@pytest.mark.parametrize(
    ("interval", "asked", "wait"), [(1, 59, 59), (1, 3600, RECHECK), (90, 3600, 90), (30, 61, 60)]
)
def test_a_gate_that_is_held_for_long_reads_its_connection_again(
    interval: float, asked: float, wait: float
) -> None:
    assert next_look(interval, 7200, held(asked), NOW) == (wait, True)


@pytest.mark.parametrize("interval", [0.0, 0.5, 1, 60, 1e9])
@pytest.mark.parametrize("max_wait", [None, 1.0, 60.0])
def test_backoff_has_a_next_look_after_any_time(interval: float, max_wait: float | None) -> None:
    for elapsed in (0.0, 17 * 3600.0, 86400.0):
        wait = next_backoff(elapsed, interval, max_wait, "a gate")
        assert 0 < wait < 2**34
        assert max_wait is None or wait <= max_wait


@given(SECONDS, st.none() | st.floats(0, 1e5), st.text())
def test_backoff_waits_longer_and_longer_up_to_a_limit(
    interval: float, max_wait: float | None, seed: str
) -> None:
    moments = [0.0, *islice(backoff(interval, max_wait, seed), 12)]
    waits = [after - before for before, after in pairwise(moments)]
    assert min(waits) >= 0.99
    if max_wait is None:
        for looks, wait in enumerate(waits, 1):
            least = max(int(interval * 2.0 ** (looks - 2)), 1)
            assert least - 0.01 <= wait < 2 * least + 0.01
    else:
        assert max(waits) <= max(max_wait, 1.0) + 0.01


def test_backoff_goes_on_where_it_was_in_another_process() -> None:
    first, second = (list(islice(backoff(5, 60, "dag#gate"), 20)) for _ in range(2))
    assert first == second
    assert first != list(islice(backoff(5, 60, "dag#other"), 20))


def test_backoff_never_overflows() -> None:
    assert next(islice(backoff(1e9, 10, "x"), 5000, None)) == pytest.approx(50010)


@given(
    st.sampled_from([0.0, 0.3, 0.5, 1.0, 7.5, 60.0]),
    st.none() | st.sampled_from([0.0, 0.7, 1.0, 45.5, 60.0]),
    st.floats(0, 5000),
)
def test_backoff_after_a_while_is_what_it_would_be_from_the_beginning(
    interval: float, max_wait: float | None, elapsed: float
) -> None:
    moments = backoff(interval, max_wait, "a gate")
    expected = next(moment for moment in moments if moment > elapsed)
    assert elapsed + next_backoff(elapsed, interval, max_wait, "a gate") == pytest.approx(expected)


@pytest.mark.parametrize(("interval", "max_wait"), [(0.0, None), (0.5, 1.0), (60.0, 60.0)])
def test_a_gate_that_waits_for_ages_does_not_count_its_looks(
    interval: float, max_wait: float | None
) -> None:
    # A look for each of these seconds would take until tomorrow.
    assert 0 < next_backoff(1e12, interval, max_wait, "a gate") <= 60


@given(st.text(), SECONDS)
def test_a_phase_lies_in_the_interval_and_stays(seed: str, interval: float) -> None:
    assert 0 <= phase(seed, interval) <= interval
    assert phase(seed, interval) == phase(seed, interval)


def test_phases_spread_over_the_interval() -> None:
    phases = sorted(phase(f"dag#gate_{number}", 60) for number in range(600))
    per_second = [sum(second <= p < second + 1 for p in phases) for second in range(60)]
    assert max(per_second) < 30
    assert min(per_second) > 0
