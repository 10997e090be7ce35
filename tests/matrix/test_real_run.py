"""
Gates, an audit and a watcher on real processes of the Airflow that is installed, whichever it is.

No more than any Airflow can show within a few minutes; `make system` looks closer at the newest.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_useapi.compat import RELEASE
from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.system.postgres import postgres

from .airflows import AnyAirflow

pytestmark = pytest.mark.timeout(600)

DAGS = Path(__file__).with_name("dags")
MODES = ("poke", "reschedule", "deferred", "zero")
HAS_WATCHERS = RELEASE >= (3, 0)
NESTS_EXTRAS = RELEASE >= (3, 1)
NEEDS_NO_WORKER = REMEMBERS = RELEASE >= (3, 3)

WAITING = (*(f"opens_{mode}" for mode in MODES), "mapped")
REFUSED = tuple(f"refused_{mode}" for mode in MODES)
CLOSED = tuple(f"{kind}_{mode}" for kind in ("closed", "lenient") for mode in MODES)
WORSE = ("remembers",)
"""Answered at its first look, and refused from then on."""
LAPSED = ("audit",)
HEALTHY = ("account",)
WATCHED = ("watched",)

RENEWED = "user:renewed-elsewhere"
"""The token that a server takes which refuses that of its connection."""
ENDED = {"success", "failed"}
ON_A_WORKER = "This gate makes its first check on a worker"


@dataclass(frozen=True)
class Results:
    """What came of all runs."""

    airflow: AnyAirflow
    sandboxes: Mapping[str, Sandbox]
    tasks: Mapping[tuple[str, int], Mapping[str, Any]]
    closed: Mapping[str, int]
    """How many requests a gate that opens had made when it could."""
    followed: tuple[list[str], list[str]]
    """What the DAG behind the watcher was told by then, and after another triggerer."""

    def outcome(self, name: str, map_index: int = -1) -> tuple[str, int]:
        """The state of a task, and the number of its last try; more tries were allowed."""
        task = self.tasks[name, map_index]
        assert task["max_tries"] == 3
        return task["state"], task["try_number"]

    def statuses(self, name: str) -> list[int | None]:
        """What a task was answered, request by request."""
        return [request.status for request in self.sandboxes[name].requests]


def make_sandboxes() -> dict[str, Sandbox]:
    """The server of each connection, not started; those are closed whose gates wait."""
    closed = (*WAITING, *CLOSED, *WORSE, *LAPSED, *WATCHED)
    sandboxes = {name: Sandbox() for name in (*REFUSED, *HEALTHY, *closed)}
    for name in closed:
        sandboxes[name].account["subscriptionIsActive"] = False
    for name in WORSE:
        closed_once = Answer(body={"subscriptionIsActive": False})
        sandboxes[name].script("/v2/account", closed_once, *[401] * 9)
    return sandboxes


def connections(sandboxes: Mapping[str, Sandbox]) -> dict[str, str]:
    """The connections, as variables of the environment."""
    return {
        f"AIRFLOW_CONN_{name.upper()}": sandbox.connection_uri()
        for name, sandbox in sandboxes.items()
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """All runs, from start to end."""
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    sandboxes = make_sandboxes()
    waiting = [*WAITING, *(WATCHED if HAS_WATCHERS else ())]
    with ExitStack() as running:
        for sandbox in sandboxes.values():
            running.enter_context(sandbox)
        database = running.enter_context(postgres())
        env = connections(sandboxes)
        for name in REFUSED:
            sandboxes[name].token = RENEWED
        airflow = running.enter_context(AnyAirflow(home, dags, env, database))
        # Not before: a task that finds no API server yet loses its try.
        for path in DAGS.glob("*.py"):
            if HAS_WATCHERS or path.name != "watchers.py":
                shutil.copy(path, dags)
        asked_twice = [sandboxes[name].requests for name in waiting]
        airflow.wait_until(lambda: all(len(requests) > 1 for requests in asked_twice), 240)
        closed = {name: len(sandboxes[name].requests) for name in WAITING}
        for name in waiting:
            sandboxes[name].account["subscriptionIsActive"] = True
        expected = {"gates", "account", "tickets", *(["follows"] if HAS_WATCHERS else [])}
        airflow.wait_until(lambda: all(ENDED & {*airflow.states(name)} for name in expected), 240)
        tasks = {**airflow.tasks("gates"), **airflow.tasks("account"), **airflow.tasks("tickets")}
        followed = told_to_follow(airflow)
        if HAS_WATCHERS:
            replace_triggerer(airflow, sandboxes[WATCHED[0]])
        yield Results(airflow, sandboxes, tasks, closed, (followed, told_to_follow(airflow)))


def told_to_follow(airflow: AnyAirflow) -> list[str]:
    """The states in the events that started a run of the DAG behind the watcher."""
    return [str(state) for state in airflow.xcoms_of("follows", "follow")]


def replace_triggerer(airflow: AnyAirflow, sandbox: Sandbox) -> None:
    """Open an account that was closed, while no triggerer looks."""

    def looked(times: int) -> None:
        before = len(sandbox.requests)
        airflow.wait_until(lambda: len(sandbox.requests) >= before + times, 120)

    sandbox.account["subscriptionIsActive"] = False
    looked(2)
    airflow.kill("triggerer")
    sandbox.account["subscriptionIsActive"] = True
    airflow.launch("triggerer")
    looked(5)
    if REMEMBERS:
        airflow.wait_until(lambda: airflow.states("follows") == ["success"] * 2, 120)


@pytest.mark.parametrize("mode", MODES)
def test_a_gate_opens(results: Results, mode: str) -> None:
    name = f"opens_{mode}"
    assert results.outcome(name) == ("success", 1)
    assert set(results.statuses(name)) == {200}
    assert len(results.statuses(name)) > results.closed[name]
    found = results.airflow.xcom_of("gates", name)
    assert (found["slug"], found["active"], found["subscription_is_active"]) == ("minimax", 3, True)
    assert "The gate is closed: the subscription is not active" in results.airflow.log_of(
        "gates", name
    )


def test_a_mapped_gate_opens(results: Results) -> None:
    assert [results.outcome("mapped", index) for index in (0, 1)] == [("success", 1)] * 2
    found = [results.airflow.xcom_of("gates", "mapped", index)["slug"] for index in (0, 1)]
    assert found == ["minimax", "runwayml"]


def test_a_gate_without_a_worker_takes_one_where_airflow_needs_it(results: Results) -> None:
    assert (results.tasks["opens_zero", -1]["hostname"] == "") == NEEDS_NO_WORKER
    log = results.airflow.log_of("gates", "opens_zero")
    assert (ON_A_WORKER in log) == (not NEEDS_NO_WORKER)


@pytest.mark.parametrize("mode", MODES)
def test_a_refused_token_fails_at_once_and_for_good(results: Results, mode: str) -> None:
    name = f"refused_{mode}"
    assert results.outcome(name) == ("failed", 1)
    assert results.statuses(name) == [401]
    assert "the API token was refused" in results.airflow.log_of("gates", name)


def test_a_rescheduled_gate_remembers_where_airflow_keeps_its_notes(results: Results) -> None:
    assert results.outcome("remembers") == ("failed", 1)
    # Who was answered before is asked once more at the time-out; else it looks like a first look.
    assert results.statuses("remembers") == ([200, 401, 401] if REMEMBERS else [200, 401])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("kind", "state"), [("closed", "failed"), ("lenient", "skipped")])
def test_a_gate_that_stays_closed_says_why_at_its_time_out(
    results: Results, kind: str, state: str, mode: str
) -> None:
    name = f"{kind}_{mode}"
    assert results.outcome(name) == (state, 1)
    said = "Timed out after 30 s; the gate is closed: the subscription is not active"
    assert said in results.airflow.log_of("gates", name)


def test_the_account_in_xcom(results: Results) -> None:
    assert results.outcome("account") == ("success", 1)
    account = results.airflow.xcom_of("account", "account")
    assert account["subscriptionIsActive"] is True
    assert account["email"] == "***"
    assert account["services"]["minimax"]["active"] == 3


def test_the_check_behind_an_audit_fails_without_retries(results: Results) -> None:
    assert results.outcome("audit") == ("success", 1)
    found = results.airflow.xcom_of("account", "audit")["findings"]
    critical = [finding["code"] for finding in found if finding["severity"] == "critical"]
    assert critical == ["UA001"]
    assert results.outcome("check") == ("failed", 1)
    assert "UA001 critical: the subscription is not active" in results.airflow.log_of(
        "account", "check"
    )


def test_a_dag_that_follows_the_account_is_told(results: Results) -> None:
    assert results.airflow.states("tickets") == ["success"]
    found = results.airflow.xcom_of("account", "audit")["findings"]
    told = results.airflow.xcom_of("tickets", "tickets")
    assert told == [finding["code"] for finding in found]


def test_an_event_holds_nested_values_where_airflow_takes_them(results: Results) -> None:
    services = results.airflow.event_of_audit()["services"]
    assert isinstance(services, dict if NESTS_EXTRAS else str)


@pytest.mark.skipif(not HAS_WATCHERS, reason="assets have watchers from Airflow 3 on")
def test_a_dag_runs_when_the_account_is_ready(results: Results) -> None:
    assert results.followed[0] == ["open"]


@pytest.mark.skipif(not HAS_WATCHERS, reason="assets have watchers from Airflow 3 on")
def test_an_edge_between_two_triggerers_is_one_where_airflow_keeps_the_last_state(
    results: Results,
) -> None:
    assert results.followed[1] == (["open"] * 2 if REMEMBERS else ["open"])
    assert set(results.airflow.states("follows")) == {"success"}


def test_no_token_is_in_a_log(results: Results) -> None:
    logs = [path for path in results.airflow.logs.rglob("*") if path.is_file()]
    texts = {path: path.read_text(errors="replace") for path in logs}
    assert any("The gate is closed" in text for text in texts.values()), "the search finds nothing"
    tokens = {RENEWED, *(sandbox.token for sandbox in results.sandboxes.values())}
    assert [path for path, text in texts.items() if any(token in text for token in tokens)] == []
