"""``min_credits`` in every mode: asked for last, by one for all, and kept for ten minutes."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from airflow_provider_useapi.sandbox.account_lists import SECRET
from airflow_provider_useapi.sensors import useapi as sensors
from airflow_provider_useapi.sensors.on_worker import WorkerGate
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from airflow_provider_useapi.triggers import shared_credits
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger, UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.triggerer import needs_streams, run_alone, triggerer

pytestmark = pytest.mark.anyio
ONE, TWO = "studio1@mail.example.com", "studio2@mail.example.com"
PAGE = "/v1/kling/accounts/"


def sensor(**arguments: Any) -> UseApiAccountSensor:
    wanted = {"service": "kling", "min_credits": 500, "poke_interval": 0.01, "timeout": 5}
    return UseApiAccountSensor(task_id="gate", **{**wanted, **arguments})


def gate(**arguments: Any) -> UseApiAccountTrigger:
    wanted = {"service": "kling", "min_credits": 500, "poke_interval": 1, "timeout": 60}
    return UseApiAccountTrigger(**{**wanted, **arguments})


async def in_trigger(**arguments: Any) -> dict[str, Any]:
    payload: dict[str, Any] = (await run_alone(gate(**arguments))).payload
    return payload


def credit_requests(sandbox: Sandbox) -> int:
    return sum(request.path.startswith(PAGE) for request in sandbox.requests)


@pytest.fixture
def kling(sandbox: Sandbox) -> Sandbox:
    sandbox.link("kling", LinkedAccount(ONE, credits=300), LinkedAccount(TWO, credits=400))
    return sandbox


# --- When it is open ------------------------------------------------------------------------------


async def test_one_account_has_to_have_enough_and_never_all_together(
    kling: Sandbox, airflow_clock: MovableClock
) -> None:
    said = (
        "kling: 500 credits needed on one account: st***o1@mail.example.com 300,"
        " st***o2@mail.example.com 400"
    )
    with pytest.raises(AirflowSensorTimeout, match=r"st\*\*\*o1@mail.example.com 300"):
        sensor(timeout=0.1).execute({})
    payload = await airflow_clock.finish(in_trigger(timeout=1.5))
    assert payload["note"]["reasons"] == [said]
    kling.capacity["kling"][1].credits = 500
    assert sensor().execute({})["slug"] == "kling"
    airflow_clock.sleep(601)
    assert (await airflow_clock.finish(in_trigger()))["outcome"] == "open"


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (LinkedAccount(ONE, credits=900, health="signed out"), "no account can be used"),
        (LinkedAccount(ONE, credits=None), "mail.example.com unknown"),
        (LinkedAccount(ONE, credits=499), "mail.example.com 499"),
    ],
)
async def test_what_is_not_enough(
    sandbox: Sandbox, airflow_clock: MovableClock, account: LinkedAccount, why: str
) -> None:
    sandbox.link("kling", account)
    sandbox.account["accounts"]["Kling API"]["active"] = 1
    with pytest.raises(AirflowSensorTimeout, match=why):
        sensor(timeout=0.1).execute({})
    payload = await airflow_clock.finish(in_trigger(timeout=1.5))
    assert why in payload["note"]["reasons"][0]


async def test_an_unpaid_plan_is_not_enough(sandbox: Sandbox, clock: MovableClock) -> None:
    unpaid = LinkedAccount(ONE, credits=900, plan="PAYGATE_TIER_NOT_PAID")
    sandbox.link("google-flow", unpaid)
    payload = await clock.finish(in_trigger(service="google-flow", timeout=1.5))
    assert "900, no paid plan (PAYGATE_TIER_NOT_PAID)" in payload["note"]["reasons"][0]
    unpaid.plan = "PAYGATE_TIER_ONE"
    clock.sleep(601)
    assert (await clock.finish(in_trigger(service="google-flow")))["outcome"] == "open"


async def test_with_a_live_threshold_it_is_an_account_with_a_free_slot(
    kling: Sandbox, clock: MovableClock
) -> None:
    rich = kling.capacity["kling"][0]
    rich.credits, rich.running = 900, rich.max_jobs
    payload = await clock.finish(in_trigger(min_free_job_slots=1, timeout=1.5))
    assert payload["note"]["reasons"] == [
        "kling: 500 credits needed on one account: st***o2@mail.example.com 400"
    ]
    rich.running = 0
    assert (await clock.finish(in_trigger(min_free_job_slots=1)))["outcome"] == "open"


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ("dreamina", "claims the free daily credits"),
        ("muse", "no number of credits"),
        ("luma", "cannot be read"),
    ],
)
async def test_what_can_never_be_told_fails_at_the_first_look(
    sandbox: Sandbox, service: str, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=says):
        sensor(service=service, soft_fail=True).execute({})
    payload = await in_trigger(service=service)
    assert (payload["outcome"], says in payload["reason"]) == ("failed", True)
    assert not any("/accounts/" in request.path for request in sandbox.requests)


# --- How often it is asked ------------------------------------------------------------------------


@pytest.mark.parametrize("closed_by", ["subscription", "active", "slots"])
async def test_nothing_is_asked_while_anything_else_keeps_the_gate_closed(
    kling: Sandbox, airflow_clock: MovableClock, closed_by: str
) -> None:
    more: dict[str, Any] = {}
    if closed_by == "subscription":
        kling.account["subscriptionIsActive"] = False
    elif closed_by == "active":
        more = {"min_active_accounts": 3}
    else:
        more = {"min_free_job_slots": 40}
    with pytest.raises(AirflowSensorTimeout):
        sensor(timeout=0.1, **more).execute({})
    await airflow_clock.finish(in_trigger(timeout=2.5, **more))
    assert credit_requests(kling) == 0


@needs_streams
async def test_500_gates_make_one_round_in_ten_minutes(kling: Sandbox, clock: MovableClock) -> None:
    async with triggerer() as running:
        gates = [
            running.start(gate(poke_interval=60 + 30 * (number % 2), timeout=7200))
            for number in range(500)
        ]
        await clock.advance(595)
        assert credit_requests(kling) == 2, "two accounts"
        assert not any(task.done() for task in gates)
        await clock.advance(595)
        assert credit_requests(kling) == 4
        kling.capacity["kling"][0].credits = 900
        events = await clock.finish(asyncio.gather(*gates), 900)
    assert {event.payload["outcome"] for event in events} == {"open"}
    assert credit_requests(kling) == 6


def test_a_gate_that_pokes_keeps_what_it_was_told(
    kling: Sandbox, airflow_clock: MovableClock
) -> None:
    with pytest.raises(AirflowSensorTimeout):
        sensor(poke_interval=60, timeout=590).execute({})
    looks = Counter(request.path for request in kling.requests)["/v2/account"]
    assert looks > 8
    assert credit_requests(kling) == 2


class Notes(dict[str, Any]):
    """The task's own store."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value, as JSON."""
        self[key] = json.loads(json.dumps(value))


@pytest.mark.skipif(not sensors.KEEPS_NOTES, reason="Airflow keeps notes of a task from 3.3 on")
def test_a_gate_that_is_rescheduled_notes_what_it_was_told(
    kling: Sandbox, clock: MovableClock
) -> None:
    context = {"task_state_store": Notes()}
    waiting = sensor(mode="reschedule", poke_interval=60)
    for asked, seconds in ((2, 300), (2, 299), (2, 2), (4, 0)):
        with WorkerGate(waiting, context) as gate_:
            assert not gate_.look().is_done
        assert credit_requests(kling) == asked
        clock.sleep(seconds)
    note = context["task_state_store"]["useapi_gate"]
    assert len(note["credits"]) == 2 and "studio" not in json.dumps(note)


@needs_streams
async def test_what_a_worker_was_told_is_kept_by_the_triggerer_and_back(
    kling: Sandbox, clock: MovableClock
) -> None:
    found = Condition("kling", min_credits=500)
    assert found.arguments()["min_credits"] == 500
    payload = await clock.finish(in_trigger(timeout=1.5))
    assert credit_requests(kling) == 2
    note = payload["note"]
    assert len(note["credits"]) == 2 and ONE not in json.dumps(note)
    deferred = sensor(deferrable=True)
    with pytest.raises(AirflowSensorTimeout):
        deferred.execute_complete({}, payload)
    assert credit_requests(kling) == 2, "the last look of the worker uses the kept round"
    async with triggerer() as running:
        event = await clock.finish(
            running.start(gate(note=note, since=clock.time(), timeout=30, poke_interval=5)), 60
        )
    assert event.payload["outcome"] == "timeout"
    assert credit_requests(kling) == 2


@needs_streams
async def test_another_token_is_told_anew(
    kling: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with triggerer() as running:
        waiting = running.start(gate())
        await clock.advance(2)
        kling.token = "user:12345-another"
        monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", kling.connection_json())
        await clock.advance(3)
        assert credit_requests(kling) == 4
        waiting.cancel()


@needs_streams
async def test_nothing_is_kept_of_a_token_that_nobody_uses_any_more(
    kling: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with triggerer() as running:
        waiting = running.start(gate(poke_interval=400, timeout=86400))
        for day in range(5):
            await clock.advance(2)
            kling.token = f"user:12345-of-day-{day}"
            monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", kling.connection_json())
            await clock.advance(1200)
        assert credit_requests(kling) > 10
        assert len(shared_credits.shelves()) == 2, "that of today, and the last one until another"
        waiting.cancel()


async def worker_pokes(clock: MovableClock) -> None:
    assert sensor(poke_interval=60, timeout=3600).execute({})["slug"] == "kling"


async def worker_is_rescheduled(clock: MovableClock) -> None:
    context = {"task_state_store": Notes()}
    is_open = False
    while not is_open:
        with WorkerGate(sensor(mode="reschedule", poke_interval=60), context) as gate_:
            is_open = gate_.look().is_done
        clock.sleep(60)


async def triggerer_waits(clock: MovableClock) -> None:
    payload = await clock.finish(in_trigger(poke_interval=60, timeout=3600), 3600)
    assert payload["outcome"] == "open"


@pytest.mark.parametrize("wait", [worker_pokes, worker_is_rescheduled, triggerer_waits])
async def test_a_call_that_failed_is_made_again_at_the_next_look_that_the_api_allows(
    sandbox: Sandbox, airflow_clock: MovableClock, wait: Callable[[MovableClock], Awaitable[None]]
) -> None:
    if wait is worker_is_rescheduled and not sensors.KEEPS_NOTES:
        pytest.skip("Airflow keeps notes of a task from 3.3 on")
    sandbox.link("kling", LinkedAccount(ONE, credits=900))
    path = f"{PAGE}{ONE.replace('@', '%40')}"
    sandbox.script(path, 503, Answer(status=429, headers={"Retry-After": "900"}))
    await wait(airflow_clock)
    asked = [request.time for request in sandbox.requests if request.path == path]
    assert len(asked) == 3
    assert 60 <= asked[1] - asked[0] < 90, "the next look"
    assert 900 <= asked[2] - asked[1] < 990, "a quarter of an hour, though answers are kept for ten"


# --- Where it stands ------------------------------------------------------------------------------


def test_it_is_stored_only_where_it_is_stated() -> None:
    assert "min_credits" not in UseApiAccountTrigger(service="kling").serialize()[1]
    assert gate().serialize()[1]["min_credits"] == 500
    again = UseApiAccountTrigger(**gate().serialize()[1])
    assert again.serialize() == gate().serialize()
    assert "min_credits" not in Condition("kling").arguments()


def test_a_watcher_has_none() -> None:
    with pytest.raises(UseApiConfigError, match=r"A watcher takes no min_credits"):
        UseApiAccountEventTrigger(service="kling", min_credits=1)
    assert "min_credits" not in UseApiAccountEventTrigger(service="kling").serialize()[1]


def test_it_needs_a_service_and_a_whole_number() -> None:
    with pytest.raises(UseApiConfigError, match="min_credits needs a service"):
        sensor(service=None)
    with pytest.raises(UseApiConfigError, match="min_credits must be a whole number"):
        sensor(min_credits=1.5)


def test_where_nothing_is_kept_between_processes_the_pace_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sensors, "KEEPS_NOTES", False)
    with pytest.raises(UseApiConfigError, match="needs poke_interval=600 or more"):
        sensor(mode="reschedule", poke_interval=599)
    assert sensor(mode="reschedule", poke_interval=600)
    assert sensor(mode="reschedule", poke_interval=60, deferrable=True)
    assert sensor(mode="reschedule", poke_interval=60, min_credits=None)
    assert sensor(poke_interval=60)
    monkeypatch.setattr(sensors, "KEEPS_NOTES", True)
    assert sensor(mode="reschedule", poke_interval=60)


async def test_nothing_of_the_bodies_gets_out_in_any_mode(
    sandbox: Sandbox,
    airflow_clock: MovableClock,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # The sandbox's own half of the conversation is not ours; Airflow 2.11 prints it.
    caplog.set_level(logging.INFO, logger="airflow_provider_useapi.sandbox.server")
    canary = secrets.token_hex(8)
    shown: list[Any] = []
    for slug in ("google-flow", "kling", "minimax", "mureka", "pixverse", "runwayml"):
        sandbox.link(slug, LinkedAccount(f"{canary}-one@mail.example.com", credits=1))
        try:
            sensor(service=slug, timeout=0.05).execute({})
        except AirflowSensorTimeout as e:
            shown.append(repr(e))
        shown.append(await airflow_clock.finish(in_trigger(service=slug, timeout=1.2)))
        context = {"task_state_store": Notes()}
        with WorkerGate(sensor(service=slug, mode="reschedule", poke_interval=600), context) as one:
            assert not one.look().is_done
        shown.append(context["task_state_store"])
    assert not sensors.KEEPS_NOTES or "credits" in shown[-1]["useapi_gate"]
    ours = [each.getMessage() for each in caplog.records if "sandbox" not in each.name]
    text = json.dumps(shown) + "".join(ours) + "".join(capfd.readouterr())
    assert f"{canary[:2]}***ne@mail.example.com 1" in text, "the search finds nothing at all"
    for hidden in (canary, SECRET, "pay.example.com"):
        assert hidden not in text
