"""What a gate says and asks, look by look; whole runs are in test_dag_runs."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from airflow_provider_useapi.exceptions import UseApiConfigError, UseApiConnectionNotFoundError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.clock import MovableClock
from tests.helpers.logs import Logged, record

PATH = "/v2/account"
CLOSED = Answer(body={"subscriptionIsActive": False})


@pytest.fixture
def gate_log(monkeypatch: pytest.MonkeyPatch) -> Logged:
    return record(monkeypatch, UseApiAccountSensor)


def gate(**arguments: Any) -> UseApiAccountSensor:
    return UseApiAccountSensor(task_id="gate", **{"poke_interval": 0.01, "timeout": 5, **arguments})


def test_an_open_gate_tells_the_next_task_what_it_found(sandbox: Sandbox) -> None:
    found = gate(service="Runway AP").execute({})
    assert found.pop("checked_at").startswith("20")
    assert found == {
        "service": "Runway AP",
        "slug": "runwayml",
        "subscription_is_active": True,
        "total": 1,
        "active": 1,
        "error": 0,
        "allocations_left": 2,
        "free_accounts": None,
        "free_job_slots": None,
        "in_trouble": None,
    }


def test_a_gate_asks_on_one_connection(sandbox: Sandbox) -> None:
    sandbox.script(PATH, *[CLOSED] * 20)
    gate().execute({})
    assert len(sandbox.requests) == 21
    assert sandbox.connections == 1


def test_a_gate_logs_the_first_finding_and_every_change_of_it(
    sandbox: Sandbox, gate_log: Logged
) -> None:
    few = {"subscriptionIsActive": True, "accounts": {"MiniMax API": {"total": 3, "active": 1}}}
    sandbox.script(PATH, CLOSED, CLOSED, Answer(body=few), Answer(body=few), 503, CLOSED)
    gate(service="minimax", min_active_accounts=3).execute({})
    assert [line for line in gate_log if "gate" in line or "check" in line] == [
        "INFO The gate is closed: the subscription is not active;"
        " minimax: 0 of 0 accounts active, 3 needed.",
        "INFO The gate is closed: minimax: 1 of 3 accounts active, 3 needed.",
        "WARNING The check failed: Connection 'useapi_default': GET /v2/account was answered"
        " with 503, server error: Service Unavailable",
        "INFO The gate is closed: the subscription is not active;"
        " minimax: 0 of 0 accounts active, 3 needed.",
        "INFO The gate is open: minimax: 3 of 3 accounts active.",
    ]
    assert any(
        line.startswith("WARNING The account lists no service 'minimax'") for line in gate_log
    )


def test_a_token_renewed_in_the_connection_is_used_at_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, gate_log: Logged
) -> None:
    hook_log = record(monkeypatch, UseApiHook)

    class Renewed(UseApiAccountSensor):
        """Its token is renewed after each look."""

        def poke(self, context: Any) -> Any:
            found = super().poke(context)
            sandbox.token = "user:12345-renewed"
            monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
            return found

    sandbox.script(PATH, CLOSED)
    waiting = Renewed(task_id="gate", poke_interval=0.01, timeout=20)
    assert waiting.execute({})["subscription_is_active"] is True
    assert [request.status for request in sandbox.requests] == [200, 401, 200]
    assert any("has a new one" in line for line in hook_log)
    assert "renewed" not in "".join(gate_log + hook_log)


@pytest.mark.parametrize("status", [401, 403])
def test_the_same_token_refused_ends_the_gate(sandbox: Sandbox, status: int) -> None:
    sandbox.script(PATH, status)
    with pytest.raises(AirflowFailException, match=str(status)):
        gate().execute({})
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("flag", ["soft_fail", "never_fail", "silent_fail", "retries"])
@pytest.mark.parametrize("status", [400, 401, 404, 410, 412, 422, 596, 302])
def test_a_permanent_error_is_never_skipped(sandbox: Sandbox, flag: str, status: int) -> None:
    sandbox.script(PATH, status)
    with pytest.raises(AirflowFailException, match=str(status)):
        gate(**{flag: True if flag != "retries" else 3}).execute({})


@pytest.mark.parametrize("flag", ["soft_fail", "never_fail"])
def test_a_time_out_is_skipped_with_every_reason_where_that_was_asked_for(
    sandbox: Sandbox, flag: str
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    with pytest.raises(AirflowSkipException) as skipped:
        gate(service="minimax", min_active_accounts=4, timeout=0.1, **{flag: True}).execute({})
    assert str(skipped.value) == (
        "Timed out after 0.1 s; the gate is closed: the subscription is not active;"
        " minimax: 3 of 3 accounts active, 4 needed."
    )


def test_a_time_out_says_the_last_known_reasons_and_the_error(
    sandbox: Sandbox, airflow_clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, *[503] * 500)
    with pytest.raises(AirflowSensorTimeout) as timed_out:
        gate(timeout=0.2, silent_fail=True).execute({})
    assert "last known to be closed: the subscription is not active; then: " in str(timed_out.value)
    assert "503" in str(timed_out.value)


@pytest.mark.real_time
def test_a_gate_that_opens_at_its_last_look_succeeds(sandbox: Sandbox) -> None:
    sandbox.script(PATH, CLOSED)
    assert gate(poke_interval=60, timeout=0.2).execute({})["subscription_is_active"]
    assert len(sandbox.requests) == 2


class Notes(dict[str, Any]):
    """The task's own store, as Airflow 3.3 puts it into the context."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


def test_a_rescheduled_gate_hands_the_wait_to_the_next_process(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes()
    sandbox.script(PATH, CLOSED, Answer(status=429, headers={"Retry-After": "60"}))
    for _ in range(4):
        process = gate(mode="reschedule", timeout=30)
        with process._at_work({"task_state_store": notes}) as working:
            assert not working.look()
            left = process._get_next_poke_interval(0.0, lambda: 0.0, 1)
            said = working.timed_out()
    assert len(sandbox.requests) == 2, "the third process looked against the API's wish"
    assert left == pytest.approx(30, abs=0.1)
    assert said.startswith(
        "Timed out after 30 s; last known to be closed: the subscription is not active; then: "
    )


@pytest.mark.parametrize("rendered", ["", "  ", None], ids=["empty", "blank", "native None"])
def test_a_template_that_renders_to_nothing_fails_at_the_first_look(
    sandbox: Sandbox, rendered: str | None
) -> None:
    waiting = gate(service="{{ params.service }}")
    waiting.service = rendered
    with pytest.raises(AirflowFailException, match="service of this gate rendered to"):
        waiting.execute({})


def test_a_threshold_without_a_service_is_an_error_in_the_dag_file() -> None:
    with pytest.raises(UseApiConfigError, match="min_active_accounts needs a service"):
        gate(min_active_accounts=2)
    with pytest.raises(UseApiConfigError, match="whole number"):
        gate(service="kling", max_error_accounts="none")


@pytest.mark.parametrize(
    "flag", ["soft_fail", "never_fail", "silent_fail", "deferrable", "retries"]
)
def test_a_connection_that_is_not_defined_is_for_the_retries_of_the_task(flag: str) -> None:
    with pytest.raises(UseApiConnectionNotFoundError, match="'nowhere' is not defined"):
        gate(useapi_conn_id="nowhere", **{flag: True if flag != "retries" else 3}).execute({})


def test_a_connection_that_airflow_loses_between_two_processes_is_waited_for(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes()
    sandbox.script(PATH, CLOSED)

    def opens() -> bool:
        process = gate(mode="reschedule", timeout=30)
        with process._at_work({"task_state_store": notes}) as working:
            return bool(working.look())

    assert not opens()
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT")
    assert not opens()
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
    assert opens()


def test_the_template_fields() -> None:
    assert set(UseApiAccountSensor.template_fields) >= {"useapi_conn_id", "service"}
