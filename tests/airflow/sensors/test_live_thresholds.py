"""Gates that wait for what is free right now, in every mode."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.logs import record
from tests.helpers.triggerer import needs_streams, run_alone, triggerer

pytestmark = pytest.mark.anyio
LIVE = {service.slug: service for service in CATALOGUE if service.live}
KLING = "/v1/kling/scheduler/available"


def wait_on_worker(**arguments: Any) -> dict[str, Any]:
    """The XCom of a gate that pokes."""
    sensor = UseApiAccountSensor(
        task_id="gate", **{"poke_interval": 0.01, "timeout": 5, **arguments}
    )
    found: dict[str, Any] = sensor.execute({})
    return found


def gate(**arguments: Any) -> UseApiAccountTrigger:
    return UseApiAccountTrigger(**{"poke_interval": 1, "timeout": 60, **arguments})


def asked(sandbox: Sandbox) -> Counter[str]:
    return Counter(request.path for request in sandbox.requests)


async def wait_in_trigger(**arguments: Any) -> dict[str, Any]:
    """The payload of a gate that is deferred."""
    payload: dict[str, Any] = (await run_alone(gate(**arguments))).payload
    return payload


@pytest.mark.parametrize("slug", LIVE)
async def test_every_service_opens_a_gate_alike_on_workers_and_in_the_triggerer(
    sandbox: Sandbox, slug: str
) -> None:
    prefix = "US:" if slug == "dreamina" else ""
    sandbox.link(
        slug,
        LinkedAccount(f"{prefix}a@example.com", max_jobs=2, running=1),
        LinkedAccount(f"{prefix}b@example.com", max_jobs=2),
    )
    wanted = {"service": slug, "min_free_job_slots": 3, "min_free_accounts": 2}
    wanted |= {} if LIVE[slug].publishes_limit else {"jobs_per_account": 2}
    found = wait_on_worker(**wanted)
    on_worker, sandbox.requests = asked(sandbox), []
    payload = await wait_in_trigger(**wanted)
    assert (found["free_job_slots"], found["free_accounts"]) == (3, 2)
    assert {**payload["xcom"], "checked_at": ""} == {**found, "checked_at": ""}
    assert asked(sandbox) == on_worker
    assert on_worker.total() == 1 + len(LIVE[slug].live)


async def test_a_busy_service_keeps_a_gate_closed_until_a_slot_is_free(
    sandbox: Sandbox,
    clock: MovableClock,
) -> None:
    busy = LinkedAccount("a@example.com", max_jobs=2, running=2)
    sandbox.link("kling", busy)
    waiting = asyncio.create_task(wait_in_trigger(service="kling", min_free_job_slots=1))
    await clock.advance(3)
    assert asked(sandbox)[KLING] >= 2
    assert not waiting.done()
    busy.running = 1
    assert (await clock.finish(waiting))["xcom"]["free_job_slots"] == 1


def test_a_gate_that_times_out_says_what_is_not_free(sandbox: Sandbox) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com", max_jobs=2, running=2))
    with pytest.raises(AirflowSensorTimeout, match="kling: 0 free job slots, 40 needed"):
        wait_on_worker(service="kling", min_free_job_slots=40, timeout=0.1)


async def test_the_only_free_account_is_signed_out(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "Session expired. Write to studio1@gmail.com"
    signed_out = LinkedAccount("studio1@gmail.com", max_jobs=2, health=why)
    sandbox.link("kling", signed_out, LinkedAccount("b@example.com", max_jobs=2, running=2))
    lines = record(monkeypatch, UseApiAccountTrigger)
    payload = await clock.finish(
        wait_in_trigger(service="kling", min_free_job_slots=1, timeout=1.5)
    )
    said = "kling: st***o1@gmail.com cannot be used (Session expired. Write to ***)"
    assert payload["note"]["reasons"] == ["kling: 0 free job slots, 1 needed", said]
    assert any("The gate is closed" in line and said in line for line in lines)
    signed_out.health = "OK"
    opened = wait_on_worker(service="kling", min_free_job_slots=1)
    assert opened["in_trouble"] == []
    signed_out.health = why
    sandbox.capacity["kling"][1].running = 0
    opened = wait_on_worker(service="kling", min_free_job_slots=1)
    assert opened["in_trouble"] == ["st***o1@gmail.com"]


@pytest.mark.parametrize(
    ("service", "says"),
    [("google-flow", "set jobs_per_account"), ("luma", "min_active_accounts instead")],
)
async def test_what_can_never_be_told_fails_at_once_and_says_what_to_write(
    sandbox: Sandbox, service: str, says: str
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    with pytest.raises(AirflowFailException, match=says):
        wait_on_worker(service=service, min_free_job_slots=1, soft_fail=True)
    payload = await wait_in_trigger(service=service, min_free_job_slots=1)
    assert payload["outcome"] == "failed"
    assert says in payload["reason"]
    assert KLING not in asked(sandbox)


async def test_no_live_request_is_made_while_the_account_keeps_the_gate_closed(
    sandbox: Sandbox,
    clock: MovableClock,
) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.account["subscriptionIsActive"] = False
    waiting = wait_in_trigger(service="kling", min_free_job_slots=1, timeout=2.5)
    payload = await clock.finish(waiting)
    assert payload["outcome"] == "timeout"
    assert set(asked(sandbox)) == {"/v2/account"}


@pytest.mark.parametrize("status", [429, 503, 200])
async def test_trouble_with_a_live_endpoint_delays_a_gate(
    sandbox: Sandbox, clock: MovableClock, status: int
) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.script(KLING, Answer(status=status, body="<html>"))
    payload = await clock.finish(wait_in_trigger(service="kling", min_free_job_slots=1))
    assert payload["outcome"] == "open"
    assert asked(sandbox)[KLING] == 2


@pytest.mark.real_time
async def test_a_live_endpoint_that_asks_for_payment_closes_the_gate(
    sandbox: Sandbox,
) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.script(KLING, *[402] * 9)
    payload = await wait_in_trigger(service="kling", min_free_job_slots=1, timeout=1.5)
    assert payload["outcome"] == "timeout"
    assert "the subscription is not active" in payload["note"]["reasons"][0]


async def test_a_token_that_a_live_endpoint_refuses_ends_the_gate(sandbox: Sandbox) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.script(KLING, 401, 401)
    with pytest.raises(AirflowFailException, match=f"GET {KLING} was answered with 401"):
        wait_on_worker(service="kling", min_free_job_slots=1)
    assert (await wait_in_trigger(service="kling", min_free_job_slots=1))["outcome"] == "failed"


@needs_streams
async def test_many_gates_share_the_live_requests_as_well(
    sandbox: Sandbox,
    clock: MovableClock,
) -> None:
    services = ["kling", "minimax", "muse", "runwayml", "google-flow", "mureka"]
    for slug in services:
        sandbox.link(slug, LinkedAccount("a@example.com", max_jobs=500, running=500))
    endpoints = {e.path.partition("?")[0] for slug in services for e in LIVE[slug].live}
    async with triggerer() as running:
        gates = []
        for number in range(500):
            slug = services[number % len(services)]
            own = {} if LIVE[slug].publishes_limit else {"jobs_per_account": 500}
            gates.append(running.start(gate(service=slug, min_free_job_slots=1, **own)))
        began = clock.monotonic()
        await clock.advance(3.5)
        looks = asked(sandbox).pop("/v2/account")
        assert looks <= 1 + (clock.monotonic() - began)
        assert {path: n for path, n in asked(sandbox).items() if n > looks} == {}
        assert set(asked(sandbox)) == {"/v2/account", *endpoints}
        assert not any(task.done() for task in gates)
        for accounts in sandbox.capacity.values():
            accounts[0].running = 0
        events = await clock.finish(asyncio.gather(*gates), 5)
    assert {event.payload["outcome"] for event in events} == {"open"}


@needs_streams
async def test_gates_that_come_and_go_share_a_look_and_leave_no_connection_open(
    sandbox: Sandbox,
) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.link("minimax", LinkedAccount("b@example.com"))
    async with triggerer() as running:
        for service in ("kling", "minimax", "kling"):
            wanted = {"service": service, "min_free_job_slots": 1, "poke_interval": 30}
            event = await asyncio.wait_for(running.start(gate(**wanted)), 5)
            assert event.payload["outcome"] == "open"
    assert asked(sandbox) == {
        "/v2/account": 1,
        KLING: 1,
        "/v1/kling/accounts": 1,
        "/v1/minimax/scheduler/available": 1,
        "/v1/minimax/accounts": 1,
    }
    server = sandbox._thread
    assert server
    while server._opened:
        await asyncio.sleep(0.01)


@needs_streams
async def test_a_live_request_that_nobody_waits_for_is_given_up(sandbox: Sandbox) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.script(KLING, Answer(delay=60))
    wanted = {"service": "kling", "min_free_job_slots": 1, "poke_interval": 30}
    async with triggerer() as running:
        first = running.start(gate(**wanted))
        while not asked(sandbox)[KLING]:
            await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.wait([first])
        event = await asyncio.wait_for(running.start(gate(**wanted)), 5)
    assert event.payload["outcome"] == "open"
    assert asked(sandbox) == {"/v2/account": 1, KLING: 2, "/v1/kling/accounts": 1}


@needs_streams
async def test_a_live_endpoint_is_not_asked_before_it_wants_to_be(
    sandbox: Sandbox,
    clock: MovableClock,
) -> None:
    sandbox.link("kling", LinkedAccount("a@example.com"))
    sandbox.link("minimax", LinkedAccount("b@example.com", running=3))
    sandbox.script(KLING, Answer(status=429, headers={"Retry-After": "4"}))
    async with triggerer() as running:
        running.start(gate(service="minimax", min_free_job_slots=1))
        first = running.start(gate(service="kling", min_free_job_slots=1))
        await clock.advance(1.5)
        second = running.start(gate(service="kling", min_free_job_slots=1))
        await clock.finish(asyncio.gather(first, second), 6)
    held, opened = [request for request in sandbox.requests if request.path == KLING]
    assert opened.time - held.time >= 4
    assert asked(sandbox)["/v1/minimax/scheduler/available"] >= 4, "others go on"


# --- Nothing of the bodies gets out -------------------------------------------------------------

FIELDS = (
    "password",
    "cookies",
    "cookie",
    "token",
    "access_token",
    "refresh_token",
    "session_id",
    "requestParams",
    "discord",
    "name",
    "photo",
    "user_id",
)


def canary_body(account_id: str, canary: str) -> dict[str, Any]:
    """An account with a secret in every field that an accounts page is known to hold."""
    fields = {name: f"{canary}-{name}" for name in FIELDS}
    nested = {"jwt": {"token": f"{canary}-jwt"}, "sessionCookie": {"value": f"{canary}-cookie"}}
    return {account_id: {"maxJobs": 2, "health": "OK", **fields, **nested}}


@pytest.mark.parametrize("slug", [s for s, service in LIVE.items() if len(service.live) > 1])
async def test_nothing_of_a_list_of_accounts_gets_out_in_any_mode(
    sandbox: Sandbox,
    airflow_clock: MovableClock,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    slug: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = secrets.token_hex(8)
    account_id = f"{'US:' if slug == 'dreamina' else ''}{canary}@example.com"
    sandbox.link(slug, LinkedAccount(account_id, max_jobs=2))
    path = LIVE[slug].live[1].path
    wanted = {"service": slug, "min_free_job_slots": 2}
    if not LIVE[slug].publishes_limit:
        wanted["jobs_per_account"] = 2
    shown: list[Any] = []
    good = canary_body(account_id, canary)
    for body in (good, {"error": f"{canary}@example.com"}, [good]):
        sandbox.script(path, *[Answer(body=body)] * 50)
        try:
            shown.append(wait_on_worker(timeout=0.05, **wanted))
        except AirflowSensorTimeout as e:
            shown.append(repr(e))
        shown.append(await airflow_clock.finish(wait_in_trigger(timeout=1.2, **wanted)))
        sandbox._scripts.clear()
    text = json.dumps(shown) + caplog.text + "".join(capfd.readouterr())
    assert [payload["outcome"] for payload in shown[1::2]] == ["open", "timeout", "timeout"]
    assert "GET /v2/account" in text, "the search finds nothing at all"
    assert canary not in text
