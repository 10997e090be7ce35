"""What a triggerer keeps of a look, and for whom: a base URL and a token, and nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger, UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.logs import record
from tests.helpers.triggerer import needs_streams, run_alone, triggerer

pytestmark = pytest.mark.anyio
PATH = "/v2/account"
CLOSED = Answer(body={"subscriptionIsActive": False})
LEFT_ALONE = Answer(status=429, headers={"Retry-After": "3600"})


def gate(**arguments: Any) -> UseApiAccountTrigger:
    return UseApiAccountTrigger(**{"poke_interval": 30, "timeout": 7200, **arguments})


def statuses(sandbox: Sandbox) -> list[int | None]:
    return [request.status for request in sandbox.requests]


def lead_to(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Let the connection lead to a sandbox, with its token of this moment."""
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())


# --- A refused token ----------------------------------------------------------------------------


async def test_a_gate_that_was_answered_waits_for_a_new_token(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountTrigger)
    sandbox.script(PATH, CLOSED, 401)
    async with triggerer() as running:
        waiting = running.start(gate())
        await clock.advance(200)
        assert statuses(sandbox) == [200, 401], "the connection is read without a request"
        sandbox.token = "user:1-renewed"
        lead_to(monkeypatch, sandbox)
        event = await clock.finish(waiting, 31)
    assert event.payload["outcome"] == "open"
    assert statuses(sandbox) == [200, 401, 200]
    (error,) = [line for line in logged if line.startswith("ERROR")]
    assert "Put a new one into the connection" in error
    assert "renewed" not in "".join(logged)


@pytest.mark.parametrize("status", [401, 403])
async def test_the_same_token_is_tried_once_more_after_five_minutes(
    sandbox: Sandbox, clock: MovableClock, status: int
) -> None:
    sandbox.script(PATH, CLOSED, status, status)
    event = await clock.finish(run_alone(gate()), 400)
    assert event.payload["outcome"] == "failed"
    assert statuses(sandbox) == [200, status, status]
    _, refused, again = sandbox.requests
    assert 300 <= again.time - refused.time < 331
    hook_mark = Mark.from_note(event.payload)
    with UseApiHook() as hook:
        assert hook_mark is not None
        assert hook_mark.fits(hook.reread())
    assert sandbox.token not in str(event.payload)


async def test_a_token_that_is_taken_again_is_no_reason_to_fail(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, 401, CLOSED, 401, CLOSED)
    event = await clock.finish(run_alone(gate()), 1000)
    assert event.payload["outcome"] == "open"
    assert statuses(sandbox) == [200, 401, 200, 401, 200, 200]


async def test_each_refused_token_has_its_five_minutes(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, CLOSED, 401)
    async with triggerer() as running:
        waiting = running.start(gate())
        await clock.advance(250)
        monkeypatch.setenv(
            "AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri().replace("sandbox", "wrong")
        )
        await clock.advance(250)
        assert not waiting.done()
        assert statuses(sandbox) == [200, 401, 401]
        assert (await clock.finish(waiting, 120)).payload["outcome"] == "failed"
    assert statuses(sandbox) == [200, 401, 401, 401]


@needs_streams
async def test_a_newcomer_makes_a_look_of_its_own_unless_one_is_young(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED)
    async with triggerer() as running:
        waiting = running.start(gate())
        await clock.advance(15)
        sandbox.token = "user:1-another"
        await clock.advance(30)
        assert statuses(sandbox) == [200, 401]
        for requests in (2, 2):
            event = await clock.finish(running.start(gate()), 1)
            assert event.payload["outcome"] == "failed"
            assert len(sandbox.requests) == requests
        await clock.advance(40)
        event = await clock.finish(running.start(gate()), 1)
        assert event.payload["outcome"] == "failed"
        assert len(sandbox.requests) == 3
        assert not waiting.done()


@needs_streams
async def test_a_task_that_is_cleared_after_its_connection_was_mended_is_not_told_the_old_refusal(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri().replace("sandbox", "wrong")
    )
    async with triggerer() as running:
        assert (await clock.finish(running.start(gate()), 1)).payload["outcome"] == "failed"
        lead_to(monkeypatch, sandbox)
        await clock.advance(3)
        assert (await clock.finish(running.start(gate()), 1)).payload["outcome"] == "open"
    assert statuses(sandbox) == [401, 200]


# --- A wish to be left alone --------------------------------------------------------------------


@pytest.mark.parametrize("alone", [True, pytest.param(False, marks=needs_streams)])
async def test_whoever_leads_elsewhere_is_not_held(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    sandbox.script(PATH, CLOSED, LEFT_ALONE)
    with Sandbox(token="user:2-other") as other:
        async with triggerer() as running:
            waiting = running.track(run_alone(gate())) if alone else running.start(gate())
            await clock.advance(120)
            assert statuses(sandbox) == [200, 429]
            lead_to(monkeypatch, other)
            event = await clock.finish(waiting, 61)
    assert event.payload["outcome"] == "open"
    assert (len(sandbox.requests), len(other.requests)) == (2, 1)


async def test_another_token_is_not_held(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, LEFT_ALONE)
    async with triggerer() as running:
        waiting = running.track(run_alone(gate()))
        await clock.advance(5)
        sandbox.token = "user:1-other"
        lead_to(monkeypatch, sandbox)
        assert (await clock.finish(waiting, 61)).payload["outcome"] == "open"
    assert len(sandbox.requests) == 2


@needs_streams
async def test_a_wish_binds_every_poll_of_the_same_url_and_token(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountTrigger)
    sandbox.script(PATH, LEFT_ALONE)
    monkeypatch.setenv("AIRFLOW_CONN_SAME", sandbox.connection_uri())
    async with triggerer() as running:
        waiting = [running.start(gate())]
        await clock.advance(5)
        waiting += [running.start(gate(poke_interval=10))]
        waiting += [running.start(gate(useapi_conn_id="same", poke_interval=10))]
        waiting += [running.track(run_alone(gate(poke_interval=7)))]
        await clock.advance(600)
        assert len(sandbox.requests) == 1
        assert not any(task.done() for task in waiting)
        told = [line for line in logged if "asked for no request before" in line]
        assert len(told) >= 3, "a look that is not made is said"
        for task in waiting:
            assert (await clock.finish(task, 3700)).payload["outcome"] == "open"
    assert sandbox.requests[1].time - sandbox.requests[0].time >= 3600


async def test_a_worker_s_note_holds_only_whom_it_was_told(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with UseApiHook() as hook:
        mine = Mark.of(hook.reread(), salt=b"0123456789abcdef")
    busy = UseApiUnavailableError("429.", retry_after=600)
    others = {"mark": "0" * 16, "salt": "1" * 32}
    for whose, mark in {"mine": mine.to_note(), "older": {}, "another's": others}.items():
        before, began = len(sandbox.requests), clock.time()
        memory = Memory().failed(busy, datetime.fromtimestamp(began, UTC))
        note = {**memory.to_note(), **mark}
        arguments = {"since": began, "looked": began, "note": note, "poke_interval": 20}
        await clock.finish(run_alone(gate(**arguments)), 700)
        waited = sandbox.requests[before].time - began
        assert (waited >= 600) == (whose != "another's"), whose


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=429, headers={"Retry-After": "1772366400"}),
        Answer(status=503, headers={"Retry-After": "3600000"}),
        Answer(status=429, headers={"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"}),
        Answer(status=429, body={"error": "slow", "retryAfter": "2099-01-01T00:00:00Z"}),
    ],
    ids=["epoch", "milliseconds", "far date", "body"],
)
async def test_a_retry_after_of_decades_is_not_believed(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    logged = record(monkeypatch, UseApiAccountTrigger)
    sandbox.script(PATH, answer)
    event = await clock.finish(run_alone(gate()), 40)
    assert event.payload["outcome"] == "open"
    assert any("more than 24 hours, which is ignored" in line for line in logged)


async def test_a_watcher_is_held_as_well(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.script(PATH, CLOSED, LEFT_ALONE)
    async with triggerer() as running:
        running.track(run_alone(UseApiAccountEventTrigger(poke_interval=30)))
        await clock.advance(3500)
        assert len(sandbox.requests) == 2
        await clock.advance(200)
        assert len(sandbox.requests) >= 3


# --- Take-overs and clocks ----------------------------------------------------------------------


@pytest.mark.parametrize(("began", "outcome"), [(0, "retry"), (50, "retry"), (70, "timeout")])
async def test_a_gate_that_is_taken_over_has_looked(
    sandbox: Sandbox,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    began: float,
    outcome: str,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT")
    taken_over = gate(timeout=600, poke_interval=10)
    until = datetime.fromtimestamp(clock.time(), UTC) + timedelta(seconds=600 + 60 - began)
    taken_over.timeout_after = until
    event = await clock.finish(run_alone(taken_over), 700)
    assert event.payload["outcome"] == outcome


async def test_a_gate_that_is_taken_over_waits_for_its_token(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, 401, 401)
    taken_over = gate(timeout=600, poke_interval=10)
    taken_over.timeout_after = datetime.fromtimestamp(clock.time(), UTC) + timedelta(seconds=500)
    event = await clock.finish(run_alone(taken_over), 700)
    assert event.payload["outcome"] == "failed"
    first, second = sandbox.requests
    assert second.time - first.time >= 300, "a take-over starts the five minutes anew"


@needs_streams
@pytest.mark.parametrize("ahead", [-3600.0, -20.0, 0.0, 20.0, 3600.0])
async def test_the_clocks_of_worker_and_triggerer_may_be_apart(
    sandbox: Sandbox, clock: MovableClock, ahead: float
) -> None:
    there = clock.time() + ahead
    async with triggerer() as running:
        waiting = gate(since=there, looked=there, poke_interval=5, timeout=7200)
        await clock.finish(running.start(waiting), 5.5)
    times = [request.time for request in sandbox.requests]
    assert len(times) == 1
    assert all(later - sooner >= 5 for sooner, later in pairwise(times))
