"""The triggers and watchers' states that an earlier release stored, and the events of both."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger, UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.golden import ACCOUNT, golden
from tests.helpers.triggerer import run_alone
from tests.helpers.watching import Store, watch, with_stores

TRIGGERS = golden("triggers") | golden("triggers_with_credits")
KEYS, EVENTS = golden("state_keys"), golden("watcher_payloads")
WITH_ACCOUNTS = golden("watcher_payloads_with_accounts")
pytestmark = pytest.mark.anyio


def rebuilt(name: str) -> Any:
    """A trigger, as a triggerer makes it of a row in the database."""
    module, _, cls = TRIGGERS[name]["path"].rpartition(".")
    return getattr(import_module(module), cls)(**TRIGGERS[name]["kwargs"])


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The account that the stored events tell of, for both connections."""
    sandbox.account = json.loads(json.dumps(ACCOUNT))
    sandbox.capacity["kling"] = [
        LinkedAccount("a@example.com", max_jobs=3, running=1),
        LinkedAccount("b@example.com", max_jobs=3, running=3),
    ]
    monkeypatch.setenv("AIRFLOW_CONN_MY_CONN", sandbox.connection_json())
    return sandbox


def without_moment(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != "checked_at"}


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_stored_trigger_is_made_again(name: str) -> None:
    path, arguments = rebuilt(name).serialize()
    assert path == TRIGGERS[name]["path"]
    assert arguments.items() >= TRIGGERS[name]["kwargs"].items()


@pytest.mark.parametrize(
    ("name", "kept", "fired"),
    [("watcher", "open", []), ("watcher, all defaults", "closed", ["open"])],
)
async def test_a_stored_state_is_found_again(
    account: Sandbox, clock: MovableClock, name: str, kept: str, fired: list[str]
) -> None:
    account.capacity["kling"][1].running = 1
    store = Store()
    store.values[KEYS[name]] = kept
    # Without what is stored it would be the other way round.
    assert await watch(clock, with_stores(rebuilt(name), store), 1) == fired
    assert store.values == {KEYS[name]: "open"}


@pytest.mark.parametrize("state", EVENTS)
async def test_the_event_of_a_watcher_holds_what_it_held(
    account: Sandbox, clock: MovableClock, state: str
) -> None:
    account.account["subscriptionIsActive"] = state == "open"
    wanted = {"min_free_job_slots": 1} if state == "open" else {"min_active_accounts": 3}
    trigger = UseApiAccountEventTrigger(
        service="kling", fire_on="change", emit_initial=True, **wanted
    )
    payload = (await clock.finish(run_alone(trigger))).payload
    before = EVENTS[state]
    assert type(payload["reasons"]) is list
    assert bool(payload["reasons"]) is bool(before["reasons"])
    payload["reasons"] = before["reasons"]  # their words are free
    assert without_moment(payload).items() >= without_moment(before).items()


@pytest.mark.parametrize(
    ("name", "service"), [("open", "kling"), ("open, subscription alone", None)]
)
async def test_the_event_of_an_open_gate_holds_what_it_held(
    account: Sandbox, clock: MovableClock, name: str, service: str | None
) -> None:
    wanted = {"service": service, "min_free_job_slots": 1} if service else {}
    payload = (await clock.finish(run_alone(UseApiAccountTrigger(**wanted)))).payload
    before = golden("event_payloads")[name]
    assert payload["outcome"] == before["outcome"]
    assert without_moment(payload["xcom"]).items() >= without_moment(before["xcom"]).items()


@pytest.fixture
def in_trouble(account: Sandbox) -> Sandbox:
    """The same, with an account that is signed out, one that is full, and one with a free slot."""
    del account.account["error"]
    account.link(
        "kling",
        LinkedAccount("studio1@mail.example.com", max_jobs=3, running=1),
        LinkedAccount("studio2@mail.example.com", health="Session expired"),
        LinkedAccount("studio3@mail.example.com", running=3),
    )
    return account


@pytest.mark.parametrize("state", WITH_ACCOUNTS)
async def test_the_event_of_a_watcher_tells_of_accounts_in_trouble(
    in_trouble: Sandbox, clock: MovableClock, state: str
) -> None:
    in_trouble.capacity["kling"][0].running = 1 if state == "open" else 3
    trigger = UseApiAccountEventTrigger(
        service="kling", fire_on="change", emit_initial=True, min_free_job_slots=1
    )
    payload = (await clock.finish(run_alone(trigger))).payload
    before = WITH_ACCOUNTS[state]
    payload["reasons"] = before["reasons"]  # their words are free
    assert without_moment(payload).items() >= without_moment(before).items()


async def test_the_event_of_an_open_gate_tells_of_accounts_in_trouble(
    in_trouble: Sandbox, clock: MovableClock
) -> None:
    gate = UseApiAccountTrigger(service="kling", min_free_job_slots=1, min_credits=500)
    payload = (await clock.finish(run_alone(gate))).payload
    before = golden("event_payloads_with_marks")["open, with accounts in trouble"]
    assert payload["outcome"] == before["outcome"]
    assert without_moment(payload["xcom"]).items() >= without_moment(before["xcom"]).items()


def test_a_stored_gate_wants_credits_and_brings_what_it_was_told() -> None:
    gate = rebuilt("gate of a worker, with credits")
    assert gate.min_credits == 500
    assert [each.total for each in Memory.from_note(gate.note).kept.values()] == [120, None, 50]
