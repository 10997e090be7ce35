"""Whole task runs: state, tries, requests over time, XCom."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from airflow_provider_useapi.clock import Clock
from airflow_provider_useapi.compat import SHARES_STREAMS
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from tests.helpers.dag_runs import load, run

PATH = "/v2/account"
MODES = ("poke", "reschedule", "deferred")
WAITING_MODES = ("poke", pytest.param("reschedule", marks=pytest.mark.real_time), "deferred")
FLAGS = ("plain", "soft_fail", "never_fail", "silent_fail")
CLOSED = Answer(body={"subscriptionIsActive": False})
IS_3_0 = metadata.version("apache-airflow").startswith("3.0.")

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture(scope="module")
def gates(airflow_db: None) -> dict[str, Any]:
    return load("tests/dags/gates.py")


@pytest.fixture
def pace(mode: str, request: pytest.FixtureRequest) -> Clock:
    """
    What the gate waits by: a clock that is moved whenever it waits.

    A rescheduled gate waits in the database, by the clock of whoever asks it, which is not ours.
    """
    return Clock() if mode == "reschedule" else request.getfixturevalue("airflow_clock")


def assert_ends(dag: Any, state: str) -> None:
    """Run a gate, and check its state and that it ended in its first try."""
    instance = run(dag)["gate", -1]
    assert (str(instance.state), instance.try_number) == (state, 1)


def needs_rescheduling(mode: str) -> None:
    """Skip what this Airflow cannot show in one process."""
    if IS_3_0 and mode == "reschedule":
        pytest.skip("dag.test() of Airflow 3.0 fails at the second look of any rescheduled sensor")


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_a_refused_token_fails_at_once_and_is_neither_retried_nor_skipped(
    gates: dict[str, Any], sandbox: Sandbox, mode: str, flag: str
) -> None:
    sandbox.token = "user:1-another"
    assert_ends(gates[f"gate_{mode}_{flag}_30"], "failed")
    assert [request.status for request in sandbox.requests] == [401]


@pytest.mark.parametrize("mode", WAITING_MODES)
def test_what_is_transient_delays_a_gate_and_retry_after_is_kept(
    gates: dict[str, Any], sandbox: Sandbox, mode: str, pace: Clock
) -> None:
    needs_rescheduling(mode)
    sandbox.script(
        PATH, CLOSED, Answer(status=429, headers={"Retry-After": "3"}), 503, Answer(body="<html>")
    )
    assert_ends(gates[f"gate_{mode}_plain_30"], "success")
    statuses = [request.status for request in sandbox.requests]
    assert statuses == [200, 429, 503, 200, 200]
    times = [request.time for request in sandbox.requests]
    assert times[2] - times[1] >= 3
    if mode != "deferred" or SHARES_STREAMS:  # before, deferred gates spread over the interval
        assert times[1] - times[0] >= 1


@pytest.mark.real_time
@pytest.mark.parametrize("mode", MODES)
def test_the_interval_counts_from_the_end_of_a_look(
    gates: dict[str, Any], sandbox: Sandbox, mode: str
) -> None:
    needs_rescheduling(mode)
    if mode == "deferred" and not SHARES_STREAMS:
        pytest.skip("before Airflow 3.3 deferred gates spread over the interval")
    slow = Answer(body={"subscriptionIsActive": False}, delay=0.8)
    sandbox.script(PATH, slow)
    assert_ends(gates[f"gate_{mode}_plain_30"], "success")
    first, second = [request.time for request in sandbox.requests]
    assert second - first >= 1.8


@pytest.mark.parametrize(
    ("flag", "state"),
    [
        ("plain", "failed"),
        ("soft_fail", "skipped"),
        ("never_fail", "skipped"),
        ("silent_fail", "failed"),
    ],
)
@pytest.mark.parametrize("mode", WAITING_MODES)
def test_a_gate_that_may_not_ask_again_times_out_on_time_without_another_look(
    gates: dict[str, Any], sandbox: Sandbox, mode: str, pace: Clock, flag: str, state: str
) -> None:
    sandbox.script(PATH, Answer(status=429, headers={"Retry-After": "20"}))
    assert_ends(gates[f"gate_{mode}_{flag}_3"], state)
    ended = pace.time()
    (request,) = sandbox.requests
    assert 3 <= ended - request.time < 10


@pytest.mark.parametrize("mode", WAITING_MODES)
def test_the_last_look_is_at_the_time_out(
    gates: dict[str, Any], sandbox: Sandbox, mode: str, pace: Clock
) -> None:
    needs_rescheduling(mode)
    sandbox.account["subscriptionIsActive"] = False
    assert_ends(gates[f"gate_{mode}_plain_3"], "failed")
    first, *_, last = [request.time for request in sandbox.requests]
    assert last - first >= 2.9


def test_a_deferrable_gate_waits_in_its_trigger(
    gates: dict[str, Any], sandbox: Sandbox, airflow_clock: Clock
) -> None:
    sandbox.script(PATH, CLOSED, CLOSED, CLOSED)
    assert_ends(gates["gate_deferrable"], "success")
    connections = [request.connection for request in sandbox.requests]
    assert connections == [1, 2, 2, 2], "a look on the worker, and the rest on one connection"


def test_a_mapped_gate_renders_its_connection(gates: dict[str, Any], sandbox: Sandbox) -> None:
    instances = run(gates["gate_mapped"])
    found = {
        instances["gate", index].xcom_pull(task_ids="gate", map_indexes=index)["slug"]
        for index in (0, 1)
    }
    assert found == {"minimax", "runwayml"}


def test_each_field_of_the_account_can_be_an_xcom_of_its_own(
    gates: dict[str, Any], sandbox: Sandbox
) -> None:
    instance = run(gates["account_outputs"])["account", -1]
    assert instance.state == "success"
    pulled = {
        key: instance.xcom_pull(task_ids="account", key=key)
        for key in ("id", "email", "subscriptionIsActive", "services")
    }
    assert (pulled["id"], pulled["email"], pulled["subscriptionIsActive"]) == (12345, "***", True)
    assert pulled["services"]["runwayml"]["allocations_left"] == 2
    assert instance.xcom_pull(task_ids="account", key="replyUrl") is None


def test_the_gated_pipeline_prints_the_account(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    instances = run(load("dags_examples/gated_pipeline.py")["useapi_gated_pipeline"])
    assert {key[0]: str(ti.state) for key, ti in instances.items()} == {
        "wait_for_minimax": "success",
        "account": "success",
        "generate": "success",
    }
    printed = "".join(capfd.readouterr())
    assert "MiniMax API                3       0       0" in printed
    assert sandbox.account["email"] not in printed


def test_the_daily_look_covers_every_connection(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_STUDIO", sandbox.connection_json())
    instances = run(load("dags_examples/daily_account.py")["useapi_daily_account"])
    assert {key: str(ti.state) for key, ti in instances.items()} == {
        ("account", 0): "success",
        ("account", 1): "success",
        ("report", -1): "success",
    }
    printed = "".join(capfd.readouterr())
    assert "useapi_studio: subscription active; in error: Midjourney API" in printed


def test_the_daily_audit_fails_for_the_bad_connection_alone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_STUDIO", sandbox.connection_json())
    dag = load("dags_examples/daily_audit.py")["useapi_daily_audit"]
    assert set(map(str, (ti.state for ti in run(dag).values()))) == {"success"}
    with Sandbox() as lapsed:
        lapsed.account["subscriptionIsActive"] = False
        monkeypatch.setenv("AIRFLOW_CONN_USEAPI_STUDIO", lapsed.connection_json())
        instances = run(dag)
    assert {key: (str(ti.state), ti.try_number) for key, ti in instances.items()} == {
        ("audited.audit", 0): ("success", 1),
        ("audited.audit", 1): ("success", 1),
        ("audited.check", 0): ("success", 1),
        ("audited.check", 1): ("failed", 1),
    }


def test_a_dag_without_new_findings_files_no_ticket(
    airflow_db: None, capfd: pytest.CaptureFixture[str]
) -> None:
    dag = load("dags_examples/audit_tickets.py")["useapi_audit_tickets"]
    assert [str(ti.state) for ti in run(dag).values()] == ["success"]
    assert "[critical]" not in "".join(capfd.readouterr())


def test_the_credits_are_looked_at_before_anything_is_spent(sandbox: Sandbox) -> None:
    sandbox.link("kling", LinkedAccount("studio1@mail.example.com", credits=900))
    dag = load("dags_examples/credits_before_spending.py")["useapi_credits_before_spending"]
    assert {key[0]: str(ti.state) for key, ti in run(dag).items()} == {
        "wait_for_kling": "success",
        "write_script": "success",
        "make_videos": "success",
    }


def test_new_findings_are_told_by_account(
    airflow_db: None, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    dags = load("dags_examples/new_account_findings.py")
    sandbox.account["id"] = 987654
    sandbox.link("kling", LinkedAccount("studio1@mail.example.com", health="signed out"))
    audited = run(dags["useapi_audit_of_linked_accounts"])
    assert [str(ti.state) for ti in audited.values()] == ["success"]
    assert "UA010 warning kling: st***o1@mail.example.com: signed out" in "".join(
        capfd.readouterr()
    )
    assert [str(ti.state) for ti in run(dags["useapi_new_account_findings"]).values()] == [
        "success"
    ]
