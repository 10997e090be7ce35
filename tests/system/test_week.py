"""
A week of audits of linked accounts on a real Airflow with PostgreSQL, day by day, by a moved clock.

An account signs out and is mended, credits fall below the mark, a plan lapses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest

from airflow_provider_useapi.sandbox import Sandbox

from . import history
from .history import Changes, Day, Script
from .postgres import postgres
from .stack import LocalAirflow

pytestmark = pytest.mark.timeout(180)

FIRST, SECOND, THIRD = CONNECTIONS = ("first", "second", "third")
DAYS = range(1, 8)
DAG_FILE = f"""
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.assets import account_asset, new_findings
from airflow_provider_useapi.operators.useapi import UseApiAuditCheckOperator, UseApiAuditOperator

CONNECTIONS = {CONNECTIONS!r}

with DAG("audits", schedule=None, default_args={{"retries": 3}}):
    audits = UseApiAuditOperator.partial(
        task_id="audit", min_credits={{"Kling API": 500, "google-flow": 100}}
    ).expand(useapi_conn_id=list(CONNECTIONS))
    UseApiAuditCheckOperator.partial(task_id="check").expand(audit=audits.output)

first, second, third = map(account_asset, CONNECTIONS)
with DAG("tickets", schedule=first | second | third):

    @task
    def tickets(**context):
        return new_findings(context)

    tickets()
"""

ONE, TWO, FLOW = (f"studio{n}@mail.example.com" for n in (1, 2, 3))
HINTS = {ONE: "st***o1@mail.example.com", TWO: "st***o2@mail.example.com"}
HINTS[FLOW] = "st***o3@mail.example.com"
HEALTHY: Changes = {"kling": {ONE: {}, TWO: {}}, "google-flow": {FLOW: {}}}
SCRIPT: Script = {
    1: dict.fromkeys(CONNECTIONS, HEALTHY),
    2: {FIRST: {"kling": {ONE: {"health": "Session expired"}}}},
    3: {FIRST: {"kling": {ONE: {"credits": 120}, TWO: {"credits": 120}}}},
    4: {SECOND: {"google-flow": {FLOW: {"plan": "PAYGATE_TIER_NOT_PAID"}}}},
    5: {FIRST: {"kling": {ONE: {"health": "OK"}}}},
    6: {FIRST: {"kling": {ONE: {"credits": 900}}}},
    7: {SECOND: {"google-flow": {FLOW: {"plan": None}}}},
}

Named = tuple[str, str, str | None]
"""A finding by connection, code and the account that it is about, if it is about one."""

SIGNED_OUT, IN_ERROR = (FIRST, "UA010", ONE), (FIRST, "UA002", None)
FELL = (FIRST, "UA005", None)
FEW, FEW_TOO = (FIRST, "UA012", ONE), (FIRST, "UA012", TWO)
UNPAID = (SECOND, "UA013", FLOW)
STANDING: dict[int, dict[Named, int]] = {
    1: {},
    2: {SIGNED_OUT: 2, IN_ERROR: 2, FELL: 2},
    3: {SIGNED_OUT: 2, IN_ERROR: 2, FEW: 3, FEW_TOO: 3},
    4: {SIGNED_OUT: 2, IN_ERROR: 2, FEW: 3, FEW_TOO: 3, UNPAID: 4},
    5: {FEW: 3, FEW_TOO: 3, UNPAID: 4},
    6: {FEW_TOO: 3, UNPAID: 4},
    7: {FEW_TOO: 3},
}
"""By day: what stands, and since which day."""
NEW = [(2, SIGNED_OUT), (2, IN_ERROR), (2, FELL), (3, FEW), (3, FEW_TOO), (4, UNPAID)]
CRITICAL = {3: {FIRST}, 4: {FIRST}, 5: {FIRST}}
"""By day: where no healthy account has enough credits."""


@dataclass
class Week:
    """
    What the week left behind.

    :param days: how each of them went.
    :param events: of each connection's asset, in the order of the database.
    """

    airflow: LocalAirflow
    sandboxes: dict[str, Sandbox]
    days: dict[int, Day]
    events: dict[str, list[tuple[datetime, dict[str, Any]]]]

    def day_of(self, moment: datetime | str) -> int:
        """The day of a moment."""
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        return max((n for n, day in self.days.items() if day.began <= moment), default=0)

    def standing(self, number: int) -> dict[Named, int]:
        """What the audits of a day found, with the day of ``since``."""
        found = {}
        for conn_id in CONNECTIONS:
            _, snapshot = self.events[conn_id][number - 1]
            for finding in snapshot["findings"]:
                found[named(conn_id, finding)] = self.day_of(finding["since"])
        return found


def named(conn_id: str, finding: dict[str, Any]) -> Named:
    """What a finding is called here."""
    about = [ident for ident, hint in HINTS.items() if hint in finding["message"]]
    return conn_id, finding["code"], about[0] if about else None


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """The seven days."""
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    (dags / "audits.py").write_text(DAG_FILE)
    with ExitStack() as running:
        database = running.enter_context(postgres())
        sandboxes = {conn_id: running.enter_context(Sandbox()) for conn_id in CONNECTIONS}
        for number, sandbox in enumerate(sandboxes.values(), 1):
            history.quiet(sandbox, number)
        connections = {
            f"AIRFLOW_CONN_{conn_id.upper()}": sandbox.connection_json()
            for conn_id, sandbox in sandboxes.items()
        }
        env = history.environment(home) | connections
        airflow = running.enter_context(LocalAirflow(home, dags, env, database=database))
        airflow.unpause("tickets")
        airflow.unpause("audits")
        days = {
            day.number: day for day in history.live(airflow, sandboxes, SCRIPT, len(DAYS), "audits")
        }
        events = {conn_id: read_events(airflow, conn_id) for conn_id in CONNECTIONS}
        yield Week(airflow, sandboxes, days, events)


def read_events(airflow: LocalAirflow, conn_id: str) -> list[tuple[datetime, dict[str, Any]]]:
    """When each event of an account's asset was, and what it holds."""
    rows = airflow.query(
        "SELECT event.timestamp, event.extra FROM asset_event event"
        f" JOIN asset ON asset.id = event.asset_id WHERE asset.name = 'useapi/{conn_id}'"
        " ORDER BY event.id"
    )
    return [(moment, extra) for moment, extra in rows]


def test_the_history_is_complete(week: Week) -> None:
    for number, conn_id in enumerate(CONNECTIONS, 1):
        events = week.events[conn_id]
        assert [week.day_of(moment) for moment, _ in events] == list(DAYS)
        assert [week.day_of(extra["checked_at"]) for _, extra in events] == list(DAYS)
        assert {(extra["conn_id"], extra["account_id"]) for _, extra in events} == {
            (conn_id, number)
        }
    ((count,),) = week.airflow.query("SELECT count(*) FROM asset_event")
    assert count == len(DAYS) * len(CONNECTIONS)


def test_an_event_holds_the_snapshot_that_its_task_returned(week: Week) -> None:
    for number, day in week.days.items():
        for index, conn_id in enumerate(CONNECTIONS):
            pushed = week.airflow.xcom("audits", day.run_id, "audit", map_index=index)
            assert week.events[conn_id][number - 1][1] == pushed["snapshot"]


def test_each_finding_has_its_since_and_is_gone_when_it_is_mended(week: Week) -> None:
    assert {number: week.standing(number) for number in DAYS} == STANDING


def test_each_finding_is_once_new(week: Week) -> None:
    runs = week.airflow.request("GET", "/api/v2/dags/tickets/dagRuns?limit=100")["dag_runs"]
    assert {run["state"] for run in runs} == {"success"}
    told = Counter(
        (week.day_of(run["start_date"]), named(finding["conn_id"], finding))
        for run in runs
        for finding in week.airflow.xcom("tickets", run["dag_run_id"], "tickets")
    )
    assert told == Counter(NEW)


def test_the_check_fails_on_the_right_days_and_is_not_retried(week: Week) -> None:
    failed = {
        number: {
            CONNECTIONS[index]
            for (task_id, index), state in day.states.items()
            if task_id == "check" and state == "failed"
        }
        for number, day in week.days.items()
    }
    assert {number: conn_ids for number, conn_ids in failed.items() if conn_ids} == CRITICAL
    states = Counter(state for day in week.days.values() for state in day.states.values())
    assert states == {"success": 2 * 3 * 7 - 3, "failed": 3}
    assert week.airflow.query(
        "SELECT DISTINCT try_number, max_tries FROM task_instance WHERE dag_id = 'audits'"
    ) == [(1, 3)]
    log = "\n".join(week.airflow.log("audits", week.days[3].run_id, "check", 1, 0))
    assert f"UA012 critical kling: {HINTS[ONE]}" in log


def test_airflow_dates_everything_on_the_day_that_it_stands_for(week: Week) -> None:
    numbers = {day.run_id: number for number, day in week.days.items()}
    rows = week.airflow.query(
        "SELECT run.run_id, run.run_after, run.queued_at, run.start_date, run.end_date,"
        " task.queued_dttm, task.start_date, task.end_date"
        " FROM task_instance task JOIN dag_run run USING (dag_id, run_id) WHERE dag_id = 'audits'"
    )
    assert len(rows) == 2 * len(CONNECTIONS) * len(DAYS)
    for run_id, *moments in rows:
        assert moments[:3] == sorted(moments[:3])
        assert moments[4:] == sorted(moments[4:])
        assert {week.day_of(moment) for moment in moments} == {numbers[run_id]}
        assert all((moment - moments[0]).total_seconds() < 60 for moment in moments)
    (record, *_) = (week.airflow.logs / "dag_id=audits" / f"run_id={week.days[2].run_id}").rglob(
        "*.log"
    )
    assert f'"timestamp":"{week.days[2].began:%Y-%m-%dT%H:}' in record.read_text()


def test_each_audit_is_one_request_a_list_and_one_an_account_for_credits(week: Week) -> None:
    asked = Counter(unquote(request.path) for request in week.sandboxes[THIRD].requests)
    assert set(asked.values()) == {len(DAYS)}
    assert {"/v2/account", "/v1/kling/accounts", f"/v1/kling/accounts/{ONE}"} <= set(asked)
