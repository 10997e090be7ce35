"""
A week of audits on a real Airflow: five runs, mapped over connections whose servers go through
what happens to accounts. Once on SQLite and once on PostgreSQL, which order runs differently.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_useapi.sandbox import Sandbox

from .leaks import holding, logs
from .postgres import postgres
from .stack import LocalAirflow

pytestmark = pytest.mark.timeout(300)

DAG_FILE = """
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.assets import account_asset, new_findings
from airflow_provider_useapi.operators.useapi import UseApiAuditCheckOperator, UseApiAuditOperator

with DAG("audits", schedule=None, params={"connections": []}, default_args={"retries": 3}):

    @task
    def connections(params=None):
        return params["connections"]

    audits = UseApiAuditOperator.partial(
        task_id="audit", report_path="REPORTS/", map_index_template="{{ task.useapi_conn_id }}"
    ).expand(useapi_conn_id=connections())
    UseApiAuditCheckOperator.partial(task_id="check").expand(audit=audits.output)

with DAG("tickets", schedule=[account_asset("shaky")]):

    @task
    def tickets(**context):
        return [[found["code"], found["service"]] for found in new_findings(context)]

    tickets()
"""

PERSON, TOKEN = secrets.token_hex(8), secrets.token_hex(8)
"""What must not be found anywhere."""

STEADY, SHAKY, LAPSING, LATE = "steady", "shaky", "team.lapsing", "late"
EAGER = {"AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2"}
METRICS = {
    "AIRFLOW__METRICS__STATSD_ON": "True",
    "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
    "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
    "AIRFLOW__METRICS__METRICS_ALLOW_LIST": "useapi",
}

FOUR = [STEADY, LATE, SHAKY, LAPSING]
"""From the third run on, with one that moves others to another map index."""

HEALTHY = {
    "Kling API": {"total": 2, "active": 2},
    "MiniMax API": {"total": 2, "active": 2},
}
BROKEN = {**HEALTHY, "Kling API": {"total": 2, "active": 1, "error": 1}}
GONE = {"Kling API": BROKEN["Kling API"]}
TODAY = datetime.now(UTC)


@dataclass
class Week:
    """
    What five runs left behind.

    :param events: of each connection's asset, oldest first.
    :param audits: for each run the state, the tries and the XCom of each connection's audit.
    :param checks: for each run the connections whose check failed, with its tries.
    :param gauges: what a StatsD server received.
    """

    airflow: LocalAirflow
    sandboxes: dict[str, Sandbox]
    reports: Path
    statsd: socket.socket
    runs: list[str] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    audits: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, int]] = field(default_factory=list)
    gauges: list[str] = field(default_factory=list)

    def run(self, connections: list[str], logical_date: datetime | None = None) -> None:
        """Run the audits once."""
        conf = {"connections": connections}
        run_id = self.airflow.trigger("audits", conf, logical_date)
        self.airflow.wait_for("audits", run_id, 90)
        tasks = self.airflow.task_instances("audits", run_id)
        audits = [task for task in tasks if task["task_id"] == "audit"]
        assert {task["rendered_map_index"] for task in audits} == set(connections)
        assert {(task["state"], task["try_number"]) for task in audits} == {("success", 1)}
        assert {task["max_tries"] for task in tasks} == {3}
        self.audits.append(
            {
                conn_id: self.airflow.xcom("audits", run_id, "audit", map_index=index)
                for index, conn_id in enumerate(connections)
            }
        )
        self.checks.append(
            {
                connections[task["map_index"]]: task["try_number"]
                for task in tasks
                if task["task_id"] == "check" and task["state"] == "failed"
            }
        )
        self.runs.append(run_id)
        with suppress(BlockingIOError):
            while True:
                self.gauges.append(self.statsd.recv(1000).decode())

    def read_events(self) -> None:
        """Ask Airflow for the history of each account."""
        assets = self.airflow.request("GET", "/api/v2/assets?only_active=false&limit=100")
        for asset in assets["assets"]:
            path = f"/api/v2/assets/events?asset_id={asset['id']}&order_by=timestamp"
            self.events[asset["name"]] = self.airflow.request("GET", path)["asset_events"]

    def history(self, conn_id: str) -> list[dict[str, Any]]:
        """What the events of a connection hold."""
        return [event["extra"] for event in self.events[f"useapi/{conn_id}"]]

    def found(self, run: int, conn_id: str) -> list[tuple[str, str | None]]:
        """What a run found about a connection; runs count from 1."""
        findings = self.audits[run - 1][conn_id]["findings"]
        return [(finding["code"], finding["service"]) for finding in findings]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def week(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Week]:
    """The five runs."""
    on_postgres = request.param == "postgresql"
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    reports = tmp_path_factory.mktemp("reports")
    (dags / "audits.py").write_text(DAG_FILE.replace("REPORTS", str(reports)))
    with ExitStack() as running:
        database = running.enter_context(postgres() if on_postgres else nullcontext())
        sandboxes = {conn_id: Sandbox(token=f"user:{TOKEN}-{conn_id}") for conn_id in FOUR}
        for number, sandbox in enumerate(sandboxes.values(), 1):
            running.enter_context(sandbox)
            sandbox.account.update(
                id=number,
                email=f"{PERSON}@example.com",
                name=PERSON,
                replyUrl=f"https://example.com/{PERSON}",
                accounts=HEALTHY,
                sub=f"{TODAY:%y%m%d}",
            )
        statsd = running.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        statsd.bind(("127.0.0.1", 0))
        statsd.setblocking(False)
        port = {"AIRFLOW__METRICS__STATSD_PORT": str(statsd.getsockname()[1])}
        components = ("api-server", "scheduler", "dag-processor", "triggerer")
        airflow = running.enter_context(
            LocalAirflow(home, dags, {**EAGER, **METRICS, **port}, components, database)
        )
        for conn_id, sandbox in sandboxes.items():
            connection = {"connection_id": conn_id, "conn_type": "useapi", "host": sandbox.url}
            connection["password"] = sandbox.token
            airflow.request("POST", "/api/v2/connections", connection)
        airflow.unpause("audits")
        airflow.unpause("tickets")

        week = Week(airflow, sandboxes, reports, statsd)
        shaky = sandboxes[SHAKY].account
        week.run([STEADY, SHAKY, LAPSING], TODAY - timedelta(days=2))
        shaky["accounts"] = BROKEN
        week.run([STEADY, SHAKY, LAPSING])  # without a logical date
        shaky.update(accounts=GONE, error=f"{PERSON} of {PERSON}@example.com owes")
        week.run(FOUR, TODAY - timedelta(days=1))
        sandboxes[LAPSING].script("/v2/account", 402)
        week.run(FOUR)
        sandboxes[SHAKY].token = f"user:{TOKEN}-renewed"
        week.run(FOUR, TODAY - timedelta(days=3))  # later, but for an earlier day
        week.read_events()
        yield week


def test_each_connection_has_a_history_of_its_own(week: Week) -> None:
    for number, conn_id in enumerate(FOUR, 1):
        history = week.history(conn_id)
        assert len(history) == (3 if conn_id == LATE else 5)
        assert {extra["conn_id"] for extra in history} == {conn_id}
        assert {extra["account_id"] for extra in history} <= {number, None}
        moments = [extra["checked_at"] for extra in history]
        assert moments == sorted(set(moments))
        asked = Counter(request.path for request in week.sandboxes[conn_id].requests)
        assert asked.pop("/v2/account") == len(history), "one request an audit"
        # And one to each list of linked accounts, of what the account lists.
        assert set(asked) <= {"/v1/kling/accounts", "/v1/minimax/accounts"}
        assert all(times <= len(history) for times in asked.values())


def test_an_event_holds_the_snapshot_that_its_task_returned(week: Week) -> None:
    for conn_id in FOUR:
        pushed = [run[conn_id]["snapshot"] for run in week.audits if conn_id in run]
        assert week.history(conn_id) == pushed


def test_every_run_is_compared_with_the_last_audit_of_the_same_connection(week: Week) -> None:
    for run in range(1, 6):
        assert week.found(run, STEADY) == []
    assert [week.found(run, LATE) for run in (3, 4, 5)] == [[], [], []]
    assert [week.found(run, SHAKY) for run in range(1, 6)] == [
        [],
        [("UA002", "kling"), ("UA005", "kling")],
        [("UA002", "kling"), ("UA006", "minimax"), ("UA007", None)],
        [("UA002", "kling"), ("UA007", None)],
        [("UA009", None)],
    ]
    assert [week.found(run, LAPSING) for run in range(1, 6)] == [
        [], [], [], [("UA001", None), ("UA007", None)], [],
    ]  # fmt: skip


def test_a_finding_keeps_its_since(week: Week) -> None:
    history = week.history(SHAKY)
    since = {(found["since"]) for extra in history for found in extra["findings"][:1]}
    assert since == {history[1]["checked_at"], history[4]["checked_at"]}


def test_an_answer_without_an_account_keeps_the_last_one_as_the_baseline(week: Week) -> None:
    refused, lapsed = week.history(SHAKY)[4], week.history(LAPSING)[3]
    assert refused["baseline"] == week.history(SHAKY)[3]
    assert lapsed["baseline"] == week.history(LAPSING)[2]
    assert set(week.history(LAPSING)[4]["services"]) == {"kling", "minimax"}


def test_the_check_fails_exactly_on_the_bad_ones_and_is_not_retried(week: Week) -> None:
    assert week.checks == [{}, {}, {}, {LAPSING: 1}, {SHAKY: 1}]
    log = "\n".join(week.airflow.log("audits", week.runs[4], "check", 1, map_index=2))
    assert "shaky: 1 critical (UA009)" in log
    assert "UA009 critical: Connection 'shaky'" in log
    assert "the API token was refused" in log


def test_the_log_of_an_audit_says_what_is_wrong(week: Week) -> None:
    log = week.airflow.log("audits", week.runs[2], "audit", 1, map_index=2, logger="useapi")
    moment = week.history(SHAKY)[1]["checked_at"][:16]
    assert log[:3] == [
        "service  active  error  total  left  since last",
        "kling         1      1      2     1",
        "minimax       -      -      -     -        gone",
    ]
    # Each linked account is a line, by a hint: the sandbox has its usual two.
    head, *accounts = log[3:-5]
    assert head.split()[:2] == ["service", "account"]
    assert len(accounts) == 2
    assert all("kl***-" in line and "kling-" not in line for line in accounts)
    assert log[-5:] == [
        f"UA002 warning kling: 1 of 2 linked accounts in error, 1 active (since {moment}Z)",
        "UA006 warning minimax: no longer listed; it had 2 of 2 accounts active (new)",
        "UA007 warning: *** of *** owes (new)",
        "shaky: 3 warnings (UA002 kling, UA006 minimax, UA007)",
        f"Wrote the report to {week.reports}/shaky.html.",
    ]


def test_each_report_is_that_of_the_last_audit(week: Week) -> None:
    assert {path.name for path in week.reports.iterdir()} == {
        "steady.html", "late.html", "shaky.html", "team.lapsing.html",
    }  # fmt: skip
    assert "the API token was refused" in (week.reports / "shaky.html").read_text()


def test_a_dag_that_follows_an_account_is_told_once_of_each_finding(week: Week) -> None:
    def told() -> list[list[str | None]]:
        path = "/api/v2/dags/tickets/dagRuns?order_by=run_after"
        runs = week.airflow.request("GET", path)["dag_runs"]
        states = {run["state"] for run in runs}
        assert "failed" not in states
        if states != {"success"}:
            return []
        return [
            finding
            for run in runs
            for finding in week.airflow.xcom("tickets", run["dag_run_id"], "tickets")
        ]

    expected = [
        ["UA002", "kling"], ["UA005", "kling"], ["UA006", "minimax"], ["UA007", None],
        ["UA009", None],
    ]  # fmt: skip
    week.airflow.wait_until(lambda: len(told()) >= len(expected), 60)
    assert told() == expected


def test_the_gauges_follow_the_account(week: Week) -> None:
    def sent(name: str) -> list[str]:
        start = f"airflow.useapi.accounts{name}:"
        return [gauge.removeprefix(start) for gauge in week.gauges if gauge.startswith(start)]

    # The fifth run was refused: it sent nothing.
    assert sent(".shaky.kling.active") == ["2|g", "1|g", "1|g", "1|g"]
    assert sent(",conn_id=shaky,service=kling,state=error") == ["0|g", "1|g", "1|g", "1|g"]
    assert sent(".shaky.minimax.total") == ["2|g", "2|g", "0|g"], "gone at the third, then unknown"
    assert sent(".team_lapsing.kling.active") == ["2|g"] * 4, "nothing where payment was asked for"


@pytest.mark.parametrize("canary", [PERSON, TOKEN], ids=["person", "token"])
def test_nothing_leaks(week: Week, canary: str) -> None:
    assert canary not in json.dumps([week.events, week.audits])
    places = [*logs(week.airflow), *week.reports.iterdir()]
    assert holding(places, {"UA006"}), "the search finds nothing"
    assert holding(places, {canary}) == []
