"""
Gates of a triggerer that take turns: one free job slot opens one of them.

Where gates do not share their looks, before Airflow 3.3, it is the one whose answer comes first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from airflow_provider_useapi import clock as now
from airflow_provider_useapi.compat import SHARES_STREAMS
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.gate.turns import TAKEN_FOR, Share
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox
from airflow_provider_useapi.triggers.turns import line_at
from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.logs import record
from tests.helpers.triggerer import Triggerer, needs_streams, triggerer

pytestmark = pytest.mark.anyio
AVAILABLE = "/v1/kling/scheduler/available"


def gate(number: int = 0, **arguments: Any) -> UseApiAccountTrigger:
    """A gate that began to wait the earlier, the lower its number."""
    since = now.time() - 1000 + number
    condition = {"service": "kling", "min_free_job_slots": 1, "timeout": 9000.0}
    return UseApiAccountTrigger(**{"poke_interval": 5.0, "since": since, **condition, **arguments})


def start(running: Triggerer, *gates: UseApiAccountTrigger) -> list[asyncio.Task[Any]]:
    return [running.start(each) for each in gates]


def opened(tasks: list[asyncio.Task[Any]]) -> list[int]:
    return [number for number, task in enumerate(tasks) if task.done()]


def slots(*free: int) -> list[LinkedAccount]:
    return [
        LinkedAccount(f"kling-{number}@example.com", max_jobs=5, running=5 - each)
        for number, each in enumerate(free)
    ]


@pytest.fixture
def kling(sandbox: Sandbox) -> Sandbox:
    """Kling with two free job slots on one of its accounts."""
    sandbox.link("kling", *slots(2, 0))
    return sandbox


@needs_streams
async def test_of_many_gates_as_many_open_as_there_are_free_slots_the_oldest(
    kling: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        tasks = start(running, *(gate(number) for number in reversed(range(20))))
        await clock.advance(6)
        assert opened(tasks) == [18, 19]
        await clock.advance(TAKEN_FOR - 10)
        assert opened(tasks) == [18, 19]  # though the sandbox has no job yet, and two free slots
        await clock.advance(15)
        assert opened(tasks) == [16, 17, 18, 19]
        assert {task.result().payload["outcome"] for task in tasks if task.done()} == {"open"}


@needs_streams
async def test_it_costs_no_request(kling: Sandbox, clock: MovableClock) -> None:
    kling.link("kling", *slots(0))
    async with triggerer() as running:
        tasks = start(running, *(gate(number) for number in range(50)))
        await clock.advance(52)
        before = Counter(request.path for request in kling.requests)
        kling.link("kling", *slots(1))
        await clock.advance(50)
        assert opened(tasks) == [0]
        after = Counter(request.path for request in kling.requests) - before
    looks = before["/v2/account"]
    assert before == dict.fromkeys(("/v2/account", AVAILABLE, "/v1/kling/accounts"), looks)
    assert set(after.values()) == {10}
    assert looks in (10, 11)


async def test_who_is_passed_over_says_so(
    kling: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = record(monkeypatch, UseApiAccountTrigger)
    async with triggerer() as running:
        tasks = start(running, *(gate(number) for number in range(3)))
        await clock.advance(6)
        assert len(opened(tasks)) == 2
        assert opened(tasks) == [0, 1] or not SHARES_STREAMS
    assert log[-1] == (
        "INFO The gate is closed: kling: 2 free job slots, 2 of them just taken by other gates,"
        " 1 needed."
    )


@needs_streams
async def test_what_an_account_has_left_is_for_the_others(
    kling: Sandbox, clock: MovableClock
) -> None:
    kling.link("kling", *slots(2, 2))
    wants = [
        {"min_free_accounts": 1, "min_free_job_slots": None},
        {"min_free_job_slots": 3},
        {"min_free_accounts": 1, "min_free_job_slots": None},
        {"min_free_job_slots": 3},
        {"min_free_accounts": 1, "min_free_job_slots": None},
        {"min_free_job_slots": 1},
        {"min_free_job_slots": 5},
    ]
    async with triggerer() as running:
        tasks = start(running, *(gate(number, **each) for number, each in enumerate(wants)))
        await clock.advance(6)
        assert opened(tasks) == [0, 1]  # one account and three slots of four
        kling.link("kling", *slots(5, 5))
        await clock.advance(5)
        assert opened(tasks) == [0, 1, 2, 3, 5]  # ten slots, of which eight and one are taken


async def test_polls_of_other_intervals_share_the_count(
    kling: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        tasks = start(
            running, *(gate(number, poke_interval=5.0 + number % 2) for number in range(8))
        )
        await clock.advance(30)
        assert len(opened(tasks)) == 2


async def test_services_and_connections_do_not_touch_each_other(
    kling: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox() as other:
        other.link("kling", *slots(1))
        monkeypatch.setenv("AIRFLOW_CONN_OTHER", other.connection_json(max_attempts=1))
        kling.link("pixverse", LinkedAccount("p@example.com", max_jobs=3))
        async with triggerer() as running:
            of_kling = start(running, *(gate(number) for number in range(5)))
            of_other = start(running, *(gate(n, useapi_conn_id="other") for n in range(5)))
            of_pixverse = start(running, *(gate(n, service="pixverse") for n in range(5)))
            await clock.advance(8)
            assert [len(opened(each)) for each in (of_kling, of_other, of_pixverse)] == [2, 1, 3]


async def test_one_connection_under_two_names_shares_the_count(
    kling: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SAME", kling.connection_json(max_attempts=1))
    async with triggerer() as running:
        tasks = start(
            running,
            *(gate(n, useapi_conn_id=("useapi_default", "same")[n % 2]) for n in range(8)),
        )
        await clock.advance(30)
        assert len(opened(tasks)) == 2


async def test_a_gate_that_ends_otherwise_takes_nothing(
    kling: Sandbox, clock: MovableClock
) -> None:
    kling.link("kling", *slots(0))
    async with triggerer() as running:
        tasks = start(running, *(gate(number) for number in range(4)))
        short = start(running, gate(-1, timeout=1010.0))
        await clock.advance(12)
        assert short[0].result().payload["outcome"] == "timeout"
        tasks[0].cancel()
        kling.link("kling", *slots(2))
        await clock.advance(5)
        assert tasks[0].cancelled()
        assert len(opened(tasks[1:])) == 2
        assert opened(tasks) == [0, 1, 2] or not SHARES_STREAMS


@pytest.mark.real_time
async def test_a_gate_that_is_killed_when_its_turn_has_come_takes_nothing(kling: Sandbox) -> None:
    line = line_at(Mark.of(UseApiHook().reread()), "kling")
    async with triggerer() as running:
        (task,) = start(running, gate(poke_interval=1.0, since=None))
        while line.book.total == Share():
            await asyncio.sleep(0)
        task.cancel()  # in the moment between its turn and its end
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert line.book.total == Share()


async def test_gates_without_a_live_threshold_all_open(kling: Sandbox, clock: MovableClock) -> None:
    kling.link("kling", *slots(0))
    async with triggerer() as running:
        tasks = start(running, *(gate(number, min_free_job_slots=None) for number in range(10)))
        await clock.advance(6)
        assert len(opened(tasks)) == 10


@needs_streams
async def test_an_older_gate_that_still_reads_credits_is_waited_for(
    kling: Sandbox, clock: MovableClock
) -> None:
    kling.link("kling", *slots(1))
    async with triggerer() as running:
        # The younger ones know at once that they could open, the oldest asks for credits first.
        tasks = start(running, *(gate(n) for n in range(1, 5)), gate(0, min_credits=10))
        await clock.advance(6)
        assert opened(tasks) == [4]


@needs_streams
async def test_a_gate_that_joins_late_is_behind_those_that_wait(
    kling: Sandbox, clock: MovableClock
) -> None:
    kling.link("kling", *slots(1))
    async with triggerer() as running:
        tasks = start(running, *(gate(number) for number in range(3)))
        await clock.advance(6)
        assert opened(tasks) == [0]
        late = start(running, gate(5000, since=None))
        await clock.advance(TAKEN_FOR + 5)
        assert opened(tasks) == [0, 1]
        assert opened(late) == []


@needs_streams
async def test_an_old_look_does_not_open_for_who_joins_late(
    kling: Sandbox, clock: MovableClock
) -> None:
    kling.link("kling", *slots(1))
    async with triggerer() as running:
        tasks = start(running, *(gate(n, poke_interval=3000.0, since=None) for n in range(2)))
        await clock.advance(1)
        assert len(opened(tasks)) == 1
        await clock.advance(2 * TAKEN_FOR)
        late = start(running, gate(poke_interval=3000.0, since=None))
        await clock.advance(1)
        assert opened(late) == []  # it is told of the first look, and its slot is gone
