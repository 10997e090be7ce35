"""What a gate on a worker keeps of a look, for how long, and for whom."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import UseApiConnectionNotFoundError
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.clock import MovableClock
from tests.helpers.logs import record

PATH = "/v2/account"
CLOSED = Answer(body={"subscriptionIsActive": False})
LEFT_ALONE = Answer(status=429, headers={"Retry-After": "3600"})
FLAGS = ["soft_fail", "never_fail", "silent_fail", "plain"]


def statuses(sandbox: Sandbox) -> list[int | None]:
    return [request.status for request in sandbox.requests]


def lead_to(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, token: str | None = None) -> None:
    """Let the connection lead to a sandbox, with its token of this moment or another one."""
    connection = {**json.loads(sandbox.connection_json(max_attempts=1))}
    connection["password"] = token or sandbox.token
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", json.dumps(connection))


class Steps(UseApiAccountSensor):
    """Does something before each look: what happens meanwhile."""

    def __init__(self, *, steps: Any = (), **arguments: Any) -> None:
        super().__init__(**arguments)
        self.steps = list(steps)

    def poke(self, context: Any) -> Any:
        if self.steps and (step := self.steps.pop(0)):
            step()
        return super().poke(context)


def gate(**arguments: Any) -> Steps:
    flags = {name: value for name, value in arguments.items() if name != "plain"}
    return Steps(task_id="gate", **{"poke_interval": 30, "timeout": 7200, **flags})


class Notes(dict[str, Any]):
    """The task's own store, as Airflow 3.3 puts it into the context."""

    def set(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))


class Rescheduled:
    """A gate in reschedule mode: each look is a process of its own."""

    def __init__(self, clock: MovableClock, notes: Notes, **arguments: Any) -> None:
        self._clock = clock
        self._arguments = {"mode": "reschedule", **arguments}
        self._began = clock.monotonic()
        self.notes = notes
        self.tries = 1

    def look(self) -> bool:
        """One process; then the pause to the next one."""
        process = gate(**self._arguments)
        context = {
            "task_state_store": self.notes,
            "ti": SimpleNamespace(try_number=self.tries),
        }
        with process._at_work(context) as working:
            if working.look():
                return True
            elapsed = self._clock.monotonic() - self._began
            self._clock.sleep(process._get_next_poke_interval(0.0, lambda: elapsed, 1))
        return False


# --- A refused token ----------------------------------------------------------------------------


def test_a_gate_that_was_answered_waits_for_a_new_token(
    sandbox: Sandbox, airflow_clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountSensor)

    def renew() -> None:
        sandbox.token = "user:1-renewed"
        lead_to(monkeypatch, sandbox)

    sandbox.script(PATH, CLOSED, 401)
    assert gate(steps=[None] * 6 + [renew]).execute({})["subscription_is_active"]
    assert statuses(sandbox) == [200, 401, 200]
    errors = [line for line in logged if line.startswith("ERROR")]
    assert len(errors) == 1
    assert "Put a new one into the connection" in errors[0]
    assert "renewed" not in "".join(logged)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("flag", FLAGS)
def test_the_same_token_is_tried_once_more_after_five_minutes(
    sandbox: Sandbox, airflow_clock: MovableClock, flag: str, status: int
) -> None:
    sandbox.script(PATH, CLOSED, *[status] * 9)
    with pytest.raises(AirflowFailException, match=str(status)):
        gate(**{flag: True}).execute({})
    assert statuses(sandbox) == [200, status, status]
    _, refused, again = sandbox.requests
    assert 299 <= again.time - refused.time < 331


@pytest.mark.parametrize("flag", FLAGS)
def test_the_time_out_comes_first(sandbox: Sandbox, airflow_clock: MovableClock, flag: str) -> None:
    sandbox.script(PATH, CLOSED, *[401] * 9)
    with pytest.raises(AirflowFailException, match="401"):
        gate(timeout=100, **{flag: True}).execute({})
    assert statuses(sandbox) == [200, 401, 401]
    assert sandbox.requests[-1].time - sandbox.requests[0].time == pytest.approx(100, abs=1)


def test_a_token_that_is_first_refused_at_the_last_look_fails_the_task(
    sandbox: Sandbox, airflow_clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, 401)
    with pytest.raises(AirflowFailException, match="401"):
        gate(timeout=20, soft_fail=True).execute({})
    assert statuses(sandbox) == [200, 401]


def test_a_rescheduled_gate_keeps_its_patience_from_process_to_process(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountSensor)
    sandbox.script(PATH, CLOSED, 401)
    waiting = Rescheduled(clock, Notes())
    for _ in range(6):
        assert not waiting.look()
    assert statuses(sandbox) == [200, 401]
    assert sum("Not checked: no request" in line for line in logged) == 4, "each process says it"
    sandbox.token = "user:1-renewed"
    lead_to(monkeypatch, sandbox)
    assert waiting.look()
    assert statuses(sandbox) == [200, 401, 200]
    assert sandbox.token not in json.dumps(waiting.notes)


def test_a_rescheduled_gate_tries_the_same_token_once_more(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, *[401] * 9)
    waiting = Rescheduled(clock, Notes())
    with pytest.raises(AirflowFailException, match="401"):
        while not waiting.look():
            pass
    assert statuses(sandbox) == [200, 401, 401]
    assert 300 <= sandbox.requests[2].time - sandbox.requests[1].time < 331


def test_a_note_of_another_try_counts_for_nothing(sandbox: Sandbox, clock: MovableClock) -> None:
    sandbox.script(PATH, CLOSED, 401, 401)
    waiting = Rescheduled(clock, Notes())
    for _ in range(2):
        assert not waiting.look()
    waiting.tries = 2
    with pytest.raises(AirflowFailException, match="401"):
        waiting.look()
    assert len(sandbox.requests) == 3


# --- After the trigger --------------------------------------------------------------------------


def refused(**more: Any) -> dict[str, Any]:
    """The event of a gate whose token was refused."""
    with UseApiHook() as hook:
        mark = Mark.of(hook.reread(), salt=b"0123456789abcdef")
    return {"outcome": "failed", "reason": "401.", **mark.to_note(), "since": 1000.0, **more}


def resume(waiting: UseApiAccountSensor, event: dict[str, Any]) -> Any:
    return waiting.resume_execution("execute_complete", {"event": event}, {})


def test_the_worker_that_ends_a_task_looks_with_a_token_that_is_new(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = refused()
    sandbox.token = "user:1-renewed"
    lead_to(monkeypatch, sandbox)
    assert resume(gate(deferrable=True), event)["subscription_is_active"]
    assert statuses(sandbox) == [200]


def test_a_gate_that_is_closed_then_is_deferred_again_with_its_old_beginning(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, clock: MovableClock
) -> None:
    event = refused(since=clock.time() - 100)
    sandbox.token = "user:1-renewed"
    lead_to(monkeypatch, sandbox)
    sandbox.script(PATH, CLOSED)
    with pytest.raises(TaskDeferred) as deferred:
        resume(gate(deferrable=True, soft_fail=True), event)
    _, kwargs = deferred.value.trigger.serialize()
    assert kwargs["since"] == event["since"]
    assert Memory.from_note(kwargs["note"]).reasons == ("the subscription is not active",)
    assert deferred.value.timeout.total_seconds() == pytest.approx(7200 - 100 + 60, abs=1)


@pytest.mark.parametrize("flag", FLAGS)
def test_the_same_token_ends_the_task_without_a_request(sandbox: Sandbox, flag: str) -> None:
    with pytest.raises(AirflowFailException, match=r"401\."):
        resume(gate(deferrable=True, **{flag: True}), refused())
    assert sandbox.requests == []


def test_a_connection_that_cannot_be_read_then_is_no_new_token(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = refused()
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT")
    with pytest.raises(AirflowFailException, match=r"401\."):
        resume(gate(deferrable=True), event)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_connection_that_no_triggerer_found_is_for_the_retries_of_the_task(flag: str) -> None:
    event = {"outcome": "retry", "reason": "Connection 'c' is not defined."}
    with pytest.raises(UseApiConnectionNotFoundError, match="'c' is not defined"):
        resume(gate(deferrable=True, **{flag: True}), event)


# --- A wish to be left alone --------------------------------------------------------------------


def test_a_gate_that_pokes_is_not_held_once_its_connection_leads_elsewhere(
    sandbox: Sandbox, airflow_clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, CLOSED, LEFT_ALONE)
    with Sandbox(token="user:2-other") as other:
        steps = [None] * 5 + [lambda: lead_to(monkeypatch, other)]
        assert gate(steps=steps).execute({})["subscription_is_active"]
        assert (len(sandbox.requests), len(other.requests)) == (2, 1)


def test_a_rescheduled_gate_is_not_held_once_its_connection_leads_elsewhere(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountSensor)
    sandbox.script(PATH, CLOSED, LEFT_ALONE)
    waiting = Rescheduled(clock, Notes())
    with Sandbox(token="user:2-other") as other:
        for _ in range(5):
            assert not waiting.look()
        assert len(sandbox.requests) == 2
        waiting.tries = 2  # cleared by its owner, who knows
        assert not waiting.look()
        assert len(sandbox.requests) == 2, "the API's wish outlives a try"
        assert "Not checked: no request before" in logged[-1]
        lead_to(monkeypatch, other)
        assert waiting.look()
        assert (len(sandbox.requests), len(other.requests)) == (2, 1)


def test_a_note_of_an_older_release_keeps_its_hold(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, LEFT_ALONE)
    waiting = Rescheduled(clock, Notes())
    assert not waiting.look()
    (note,) = waiting.notes.values()
    for new in ("mark", "salt", "try", "ends"):
        del note[new]
    lead_to(monkeypatch, sandbox, token="user:3-another")
    assert not waiting.look()
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("mode", ["poke", "deferred"])
def test_the_last_look_is_not_made_against_the_wish_of_the_api(
    sandbox: Sandbox, airflow_clock: MovableClock, mode: str
) -> None:
    sandbox.script(PATH, LEFT_ALONE)
    waiting = gate(timeout=100, deferrable=mode == "deferred")
    with pytest.raises(AirflowSensorTimeout) as timed_out:
        if mode == "poke":
            waiting.execute({})
        else:
            with pytest.raises(TaskDeferred) as deferred:
                waiting.execute({})
            _, kwargs = deferred.value.trigger.serialize()
            resume(waiting, {"outcome": "timeout", "note": kwargs["note"]})
    assert "429" in str(timed_out.value)
    assert len(sandbox.requests) == 1


def test_the_last_look_is_made_where_the_connection_leads_by_then(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, LEFT_ALONE)
    waiting = gate(deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute({})
    _, kwargs = deferred.value.trigger.serialize()
    with Sandbox(token="user:2-other") as other:
        lead_to(monkeypatch, other)
        event = {"outcome": "timeout", "note": kwargs["note"]}
        assert resume(waiting, event)["subscription_is_active"]


def test_a_time_out_is_skipped_where_that_was_asked_for(
    sandbox: Sandbox, airflow_clock: MovableClock
) -> None:
    sandbox.script(PATH, *[CLOSED] * 9)
    with pytest.raises(AirflowSkipException, match="Timed out after 100 s"):
        gate(timeout=100, soft_fail=True).execute({})
