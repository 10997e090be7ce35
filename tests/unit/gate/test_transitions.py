"""When a watcher fires."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.gate.transitions import CLOSED, OPEN, fires, problem_of

STATES = st.sampled_from([OPEN, CLOSED])
FIRE_ON = ("open", "close", "change")


@pytest.mark.parametrize(
    ("previous", "state", "fire_on", "expected"),
    [
        (CLOSED, OPEN, "open", True),
        (CLOSED, OPEN, "close", False),
        (CLOSED, OPEN, "change", True),
        (OPEN, CLOSED, "open", False),
        (OPEN, CLOSED, "close", True),
        (OPEN, CLOSED, "change", True),
    ],
)
def test_an_edge(previous: str, state: str, fire_on: str, expected: bool) -> None:
    assert fires(previous, state, fire_on) is expected


@given(STATES, st.sampled_from(FIRE_ON), st.booleans())
def test_a_state_that_lasts_is_no_edge(state: str, fire_on: str, emit_initial: bool) -> None:
    assert not fires(state, state, fire_on, emit_initial=emit_initial)


@pytest.mark.parametrize("fire_on", FIRE_ON)
@pytest.mark.parametrize("state", [OPEN, CLOSED])
def test_the_first_look_is_an_edge_where_that_was_asked_for(state: str, fire_on: str) -> None:
    wanted = {"open": [OPEN], "close": [CLOSED], "change": [OPEN, CLOSED]}[fire_on]
    assert not fires(None, state, fire_on)
    assert fires(None, state, fire_on, emit_initial=True) == (state in wanted)


@pytest.mark.parametrize("fire_on", ["opens", "", None, 1, ["open"], {}])
def test_what_a_watcher_cannot_wait_for_is_said(fire_on: object) -> None:
    assert "'open', 'close' or 'change'" in str(problem_of(fire_on))
    assert [problem_of(known) for known in FIRE_ON] == [None] * 3
