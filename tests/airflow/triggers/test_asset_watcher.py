"""The trigger of an asset watcher: one event an edge, whatever happens."""

from __future__ import annotations

import json
from importlib import metadata
from itertools import pairwise
from typing import Any

import pytest

from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger, UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.dag_runs import load
from tests.helpers.logs import Logged, record
from tests.helpers.triggerer import needs_streams, triggerer
from tests.helpers.watching import Store, watch, watching, with_stores

IS_3 = metadata.version("apache-airflow").startswith("3.")
PATH = "/v2/account"
CLOSED = Answer(body={"subscriptionIsActive": False})
OPEN = Answer(body={"subscriptionIsActive": True})
pytestmark = pytest.mark.anyio


@pytest.fixture
def watcher_log(monkeypatch: pytest.MonkeyPatch) -> Logged:
    return record(monkeypatch, UseApiAccountEventTrigger)


def watcher(*stores: Store, **arguments: Any) -> UseApiAccountEventTrigger:
    trigger = UseApiAccountEventTrigger(**{"poke_interval": 1, **arguments})
    return with_stores(trigger, *stores) if stores else trigger


async def test_a_state_that_lasts_is_one_event(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.script(PATH, CLOSED)
    assert await watch(clock, watcher(), 4.5) == ["open"]
    assert len(sandbox.requests) >= 4


@pytest.mark.parametrize(
    ("fire_on", "expected"),
    [("open", ["open"]), ("close", ["closed"] * 2), ("change", ["closed", "open", "closed"])],
)
async def test_each_edge_is_one_event(
    sandbox: Sandbox, clock: MovableClock, fire_on: str, expected: list[str]
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    # What goes wrong for a moment is no edge.
    sandbox.script(PATH, OPEN, CLOSED, 503, CLOSED, OPEN)
    assert await watch(clock, watcher(fire_on=fire_on), 6.5) == expected


@pytest.mark.parametrize("emit_initial", [True, False])
async def test_the_first_look_fires_where_that_was_asked_for(
    sandbox: Sandbox, clock: MovableClock, emit_initial: bool
) -> None:
    assert await watch(clock, watcher(emit_initial=emit_initial), 1.5) == ["open"] * emit_initial


@pytest.mark.real_time
async def test_the_event_is_small_and_says_why(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 200, CLOSED)
    trigger = watcher(fire_on="close", service="minimax")
    events = trigger.run()
    payload = (await anext(events)).payload
    await events.aclose()
    assert payload["state"] == "closed"
    assert payload["reasons"] == [
        "the subscription is not active",
        "minimax: 0 of 0 accounts active, 1 needed",
    ]
    assert payload["slug"] == "minimax"
    assert len(json.dumps(payload)) < 600


async def test_a_new_triggerer_does_not_fire_again(sandbox: Sandbox, clock: MovableClock) -> None:
    store = Store()
    sandbox.script(PATH, CLOSED)
    assert await watch(clock, watcher(store), 1.5) == ["open"]
    assert await watch(clock, watcher(store), 1.5) == []
    sandbox.script(PATH, CLOSED)
    assert await watch(clock, watcher(store), 1.5) == ["open"], (
        "an edge while nobody looked is one as well"
    )


async def test_another_condition_is_another_state_and_all_assets_have_it(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    first, second = Store(), Store()
    await watch(clock, watcher(first, second, service="minimax"), 0.5)
    await watch(clock, watcher(first, service="kling"), 0.5)
    await watch(clock, watcher(first, service="kling", poke_interval=2, fire_on="close"), 0.5)
    assert sorted(first.values.values()) == ["closed", "open"]
    assert list(second.values.values()) == ["open"]


async def test_a_store_out_of_reach_neither_fires_nor_ends_a_watcher(
    sandbox: Sandbox, clock: MovableClock, watcher_log: Logged
) -> None:
    store = Store()
    store.broken = True
    sandbox.script(PATH, CLOSED)
    assert await watch(clock, watcher(store, emit_initial=True), 2.5) == []
    assert "WARNING The last state cannot be read; the next check tries again." in watcher_log


async def test_a_store_that_is_back_is_read_though_the_account_is_the_same(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    store = Store()
    store.broken = True
    async with watching(watcher(store, emit_initial=True)) as states:
        await clock.advance(1)
        assert states == []
        store.broken = False
        await clock.advance(2.5)
    assert states == ["open"]


async def test_what_is_free_right_now_is_watched_though_the_account_is_the_same(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    busy = LinkedAccount("a@example.com", max_jobs=1, running=1)
    sandbox.link("kling", busy)
    trigger = watcher(service="kling", min_free_job_slots=1, fire_on="change")
    async with watching(trigger) as states:
        for running in (0, 1):
            await clock.advance(1.5)
            busy.running = running
        await clock.advance(1.5)
    assert states == ["open", "closed"]


async def test_a_permanent_error_is_logged_once_and_mended_by_the_connection(
    sandbox: Sandbox, clock: MovableClock, watcher_log: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, CLOSED)
    good = sandbox.connection_uri()
    async with watching(watcher()) as states:
        await clock.settle()
        sandbox.token = "user:1-another"
        await clock.advance(3)
        assert [request.status for request in sandbox.requests] == [200, 401]
        assert len([line for line in watcher_log if line.startswith("ERROR")]) == 1
        monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
        assert good != sandbox.connection_uri()
        await clock.advance(4)
    assert states == ["open"]


async def test_a_connection_that_is_lost_is_logged_once_and_mended_when_it_is_back(
    sandbox: Sandbox, clock: MovableClock, watcher_log: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, CLOSED)
    async with watching(watcher()) as states:
        await clock.settle()
        monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT")
        await clock.advance(3)
        assert len([line for line in watcher_log if line.startswith("ERROR")]) == 1
        assert [line for line in watcher_log if line.startswith("WARNING")] == []
        monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
        await clock.advance(4)
    assert states == ["open"]


async def test_a_permanent_error_is_looked_at_again_after_ten_minutes(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, 403, 401, CLOSED)
    assert await watch(clock, watcher(), 1202) == ["open"]
    first, second, third = [request.time for request in sandbox.requests[:3]]
    assert 600 <= second - first < 601
    assert 600 <= third - second < 601


async def test_a_watcher_alone_looks_less_often_while_nobody_answers(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, *[503] * 50)
    assert await watch(clock, watcher(), 9) == []
    # After 0, 1, 3 and 7 seconds.
    assert len(sandbox.requests) == 4


@needs_streams
async def test_a_gate_that_waits_as_well_keeps_the_pace(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, *[503] * 4)
    fired: list[Any] = []
    async with triggerer() as running:
        running.start(watcher(emit_initial=True), fired)
        gate = running.start(UseApiAccountTrigger(poke_interval=1, timeout=60))
        event = await clock.finish(gate, 5)
        await clock.settle()
    assert event.payload["outcome"] == "open"
    assert [each.payload["state"] for each in fired] == ["open"]
    assert len(sandbox.requests) >= 4


@needs_streams
async def test_a_gate_that_begins_amid_a_permanent_error_gets_a_look_of_its_own(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, 401)
    async with triggerer() as running:
        running.start(watcher())
        await clock.advance(1.5)
        assert len(sandbox.requests) == 1
        began = clock.monotonic()
        event = await clock.finish(
            running.start(UseApiAccountTrigger(poke_interval=1, timeout=60)), 3
        )
        assert event.payload["outcome"] == "open"
        assert clock.monotonic() - began < 1
        assert len(sandbox.requests) == 2


async def test_a_typing_slip_is_said_and_does_not_end_the_triggerer(
    sandbox: Sandbox, clock: MovableClock, watcher_log: Logged
) -> None:
    assert await watch(clock, watcher(fire_on="opens"), 1.5) == []
    (line,) = watcher_log
    assert "fire_on must be 'open', 'close' or 'change'; it is 'opens'" in line


@pytest.mark.skipif(not IS_3, reason="assets have watchers from Airflow 3 on")
def test_airflow_stores_the_watcher_of_the_example() -> None:
    from airflow.triggers.base import BaseEventTrigger

    dag = load("dags_examples/runs_when_kling_is_ready.py")["useapi_runs_when_kling_is_ready"]
    (asset,) = dag.timetable.asset_condition.objects
    (its_watcher,) = asset.watchers
    _, stored = json.loads(json.dumps(its_watcher.trigger.serialize()))
    again = UseApiAccountEventTrigger(**stored)
    assert again.serialize() == its_watcher.trigger.serialize()
    assert BaseEventTrigger.hash(*again.serialize()) == BaseEventTrigger.hash(
        *watcher(service="kling", min_active_accounts=1, poke_interval=60).serialize()
    )


async def test_a_poll_never_hurries(sandbox: Sandbox, clock: MovableClock) -> None:
    await watch(clock, watcher(poke_interval=0), 3.5)
    times = [request.time for request in sandbox.requests]
    assert len(times) == 4
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(times))
