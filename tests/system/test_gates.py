"""
Gates and operators on a real Airflow: how their tasks end, after how many tries and requests.

All cases are tasks of one run. Each has a connection and a sandbox of its own, so that the requests
of one are not mistaken for those of another, and both are named like the task.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_useapi.api.account import FIELDS
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox

from .leaks import base64_forms, holding, holds, logs, stored
from .postgres import postgres
from .stack import LocalAirflow

pytestmark = pytest.mark.timeout(600)

DAG_ID = "cases"
DAG_FILE = f'''
import json
from datetime import timedelta
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG
from airflow.sdk import Asset, AssetWatcher

from airflow_provider_useapi.operators.audit import UseApiAuditOperator
from airflow_provider_useapi.operators.useapi import UseApiAccountOperator
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger

classes = {{
    "sensor": UseApiAccountSensor,
    "operator": UseApiAccountOperator,
    "audit": UseApiAuditOperator,
}}
# Short, so that a try too many would show while the test looks.
again = {{"retries": 3, "retry_delay": timedelta(seconds=1)}}

with DAG("{DAG_ID}", schedule=None, default_args=again):
    for weight, (name, kind, arguments) in enumerate(
        reversed(json.loads(Path(__file__).with_name("cases.json").read_text()))
    ):
        classes[kind](task_id=name, useapi_conn_id=name, priority_weight=weight + 1, **arguments)

watching = UseApiAccountEventTrigger(
    useapi_conn_id="watched", service="runwayml", min_free_job_slots=1, poke_interval=5,
    fire_on="change", emit_initial=True,
)
watched = Asset("watched", watchers=[AssetWatcher(name="watched", trigger=watching)])
follows = DAG("follows", schedule=[watched])
'''

MODES: Mapping[str, Mapping[str, Any]] = {
    "poke": {"mode": "poke"},
    "reschedule": {"mode": "reschedule"},
    "deferred": {"deferrable": True},
    "zero": {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True},
}
"""The ways to wait; the last one needs no worker."""
LENIENT = ("soft_fail", "never_fail", "silent_fail")
RETRY_AFTER, LONG_AFTER = 20, 600
"""What a busy server asks for, in seconds; the second is beyond the time-out of any gate here."""
TIMEOUT = 20
EARLY = 5
"""Seconds that a busy worker takes from the beginning of a gate to its first request."""
SLACK = {"poke": 10, "reschedule": 60, "deferred": 60, "zero": 60}
"""Seconds by which a gate may be late; all but the first wait for scheduler and worker as well."""

LIVE = ("flowmusic", "runwayml")
"""Services whose lists of accounts hold secrets; the sandbox makes some up."""

TOKEN_CANARY, PERSON_CANARY, PROXY_CANARY = (secrets.token_hex(8) for _ in range(3))
EMAIL = f"{PERSON_CANARY}@example.com"
ECHO = f"The token %s of {EMAIL} is worn out"
"""An API that repeats what it should not, in the text of an error."""

LOST = "The check failed: Connection"
"""What a gate logs whose connection is not there any more."""

ABSENT = "is not defined, or Airflow cannot read it"
"""What the first try of a gate logs that has never had a connection."""

INACTIVE = {"subscriptionIsActive": False}


@dataclass(frozen=True)
class Case:
    """
    A task, and the server it meets.

    :param arguments: of the sensor or operator.
    :param answers: what the server says before it behaves: an inactive account, an error, a page.
    :param account: what its account holds, other than usual.
    :param retry_after: what a 429 asks for, in seconds.
    :param refused: the server knows only the token that comes after that of the connection.
    :param linked: the service that the one linked account with two job slots belongs to.
    :param is_proxied: its server is asked through a proxy, which wants a password.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[int | str, ...] = ()
    account: Mapping[str, Any] = field(default_factory=dict)
    retry_after: int = RETRY_AFTER
    refused: bool = False
    linked: str = ""
    is_proxied: bool = False

    @property
    def token(self) -> str:
        """The token of the connection; no other case has it."""
        return f"user:{TOKEN_CANARY}-{self.name}"

    @property
    def next_token(self) -> str:
        """The one that replaces it."""
        return f"{self.token}-renewed"

    def sandbox(self) -> Sandbox:
        """The server, not started."""
        sandbox = Sandbox(token=self.next_token if self.refused else self.token)
        sandbox.account.update({"email": EMAIL, "name": PERSON_CANARY})
        sandbox.account["replyUrl"] = f"https://example.com/{PERSON_CANARY}"
        sandbox.account.update({"error": ECHO % sandbox.token, **self.account})
        if self.linked:
            sandbox.link(self.linked, LinkedAccount(EMAIL, max_jobs=2))
        if self.kind == "audit":
            lost = LinkedAccount(f"lost.{EMAIL}", health=f"{EMAIL} is signed out")
            sandbox.link(self.linked, lost)
        for said in self.answers:
            status = said if isinstance(said, int) else 200
            headers = {"Retry-After": str(self.retry_after)} if status == 429 else {}
            body = {"error": ECHO % self.token, **INACTIVE} if isinstance(said, int) else said
            sandbox.script("/v2/account", Answer(status=status, headers=headers, body=body))
        return sandbox


def sensor(name: str, mode: str, arguments: Mapping[str, Any], **others: Any) -> Case:
    """A gate that looks often."""
    # A gate that comes back to the scheduler at once looks dead to it, and counts a try.
    pace = 10 if mode in ("reschedule", "deferred") else 1
    asked = {**MODES[mode], "poke_interval": pace, "timeout": 120, **arguments}
    return Case(f"{name}_{mode}", "sensor", asked, **others)


def make_cases() -> list[Case]:
    """All cases, those that take long first."""
    cases = [sensor("held", mode, {}, answers=(429,)) for mode in MODES]
    for lenient in ("strict", *LENIENT[:2]):
        for mode in MODES:
            arguments: dict[str, Any] = {"timeout": TIMEOUT}
            arguments |= {} if lenient == "strict" else {lenient: True}
            busy = {"answers": (429,), "retry_after": LONG_AFTER}
            cases.append(sensor(f"late_{lenient}", mode, dict(arguments), **busy))
            if mode == "reschedule":  # what is left after a look would be a few seconds
                arguments["poke_interval"] = TIMEOUT
            cases.append(sensor(f"closed_{lenient}", mode, arguments, account=INACTIVE))
    rough: dict[str, Any] = {"answers": (200, 429, 503, "<html>"), "retry_after": 6}
    arguments = {"service": "minimax"}
    cases += [sensor("rough", mode, arguments, **rough) for mode in MODES]
    for service in LIVE:
        live = {"service": service, "min_free_job_slots": 2}
        for mode in MODES:
            case = sensor(f"live_{service}", mode, live, answers=(200,), linked=service)
            cases.append(case)
    # Refused later on, and for good: it is tried once more when the time is up.
    arguments = {"timeout": TIMEOUT, "soft_fail": True}
    worse = {"answers": (200, *[401] * 9)}
    cases += [sensor("worse", mode, arguments, **worse) for mode in MODES]
    cases += [sensor("absent", mode, {"never_fail": True}) for mode in MODES]
    # Closed at the first look; then there is time to renew the token before the next one.
    closed = {"answers": (200,), "refused": True}
    cases += [sensor("renewed", mode, {"poke_interval": 15}, **closed) for mode in MODES]
    lost: dict[str, Any] = {"answers": (200,)}
    cases += [sensor("lost", mode, {"poke_interval": 15}, **lost) for mode in MODES]
    for lenient in ("strict", *LENIENT):
        for mode in MODES:
            arguments = {} if lenient == "strict" else {lenient: True}
            cases.append(sensor(f"refused_{lenient}", mode, arguments, refused=True))
    return [
        *cases,
        Case("account", "operator"),
        Case("account_by_key", "operator", {"multiple_outputs": True}),
        Case("lapsed", "operator", {"require_active_subscription": True}, account=INACTIVE),
        Case("malformed", "operator", answers=(400,)),
        Case("unwell", "operator", answers=(503, 503, 503)),
        *(sensor("proxied", mode, {}, is_proxied=True) for mode in ("poke", "zero")),
        Case("audited", "audit", {"min_credits": {"runwayml": 10**6}}, linked="runwayml"),
    ]


WATCHED = Case("watched", "watcher", linked="runwayml")
DENIED = Case("denied", "command", refused=True)
"""What the watcher asks, and a command; they are no tasks."""

COMMANDS = {
    "connections test proxied_poke": "Connection success!",
    "connections test denied": "the API token was refused",
    "useapi account --conn-id audited -o json": "maxAccountsPerAPI",
    "useapi accounts runwayml --credits --conn-id audited": "is signed out",
    "useapi capacity runwayml --conn-id audited -o yaml": "max_jobs",
    "useapi check --conn-id denied": "the API token was refused",
}
"""Commands, and what each prints."""


class Processes:
    """
    The processes of an Airflow, as everybody on its machine sees them.

    :param home: of that Airflow.
    """

    def __init__(self, home: Path) -> None:
        self._home = f"AIRFLOW_HOME={home}\0"
        self.seen: dict[int, str] = {}

    def see(self) -> None:
        """Look at their command lines and environments."""
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is somebody else's
                environment = (entry / "environ").read_text(errors="replace")
                if self._home in environment:
                    told = (entry / "cmdline").read_text(errors="replace") + environment
                    self.seen[int(entry.name)] = self.seen.get(int(entry.name), "") + told


@dataclass(frozen=True)
class Results:
    """The run, when it has ended."""

    airflow: LocalAirflow
    run_id: str
    sandboxes: Mapping[str, Sandbox]
    tasks: Mapping[str, Mapping[str, Any]]
    printed: Mapping[str, str]
    processes: Processes

    def outcome(self, name: str) -> tuple[str, int]:
        """The state of a task, and the number of its last try; more tries were allowed."""
        task = self.tasks[name]
        assert task["max_tries"] == 3
        return task["state"], task["try_number"]

    def began(self, name: str) -> float:
        """When a gate began to wait. Its start date is that of its last process."""
        if name.endswith("_zero"):  # and a triggerer takes it up when it can
            path = f"/api/v2/dags/{DAG_ID}/dagRuns/{self.run_id}"
            run = self.airflow.request("GET", path)
            return datetime.fromisoformat(run["start_date"]).timestamp()
        return self.sandboxes[name].requests[0].time

    def statuses(self, name: str) -> list[int | None]:
        """What a task was answered, request by request."""
        return [request.status for request in self.sandboxes[name].requests]

    def log(self, name: str, try_number: int = 1) -> str:
        """What a try wrote."""
        return "\n".join(self.airflow.log(DAG_ID, self.run_id, name, try_number))

    def xcom(self, name: str, key: str = "return_value") -> Any:
        """What a task pushed."""
        return self.airflow.xcom(DAG_ID, self.run_id, name, key)


class Connections:
    """
    The connections of the cases, in Airflow's database.

    :param airflow: the Airflow.
    :param sandboxes: what each case's leads to.
    """

    def __init__(self, airflow: LocalAirflow, sandboxes: Mapping[str, Sandbox]) -> None:
        self._airflow = airflow
        self._sandboxes = sandboxes

    def add(self, case: Case) -> None:
        """Define the connection of a case."""
        connection = {"connection_id": case.name, "conn_type": "useapi", "password": case.token}
        connection["host"] = host = self._sandboxes[case.name].url
        if case.is_proxied:  # its server is the proxy as well
            proxy = host.replace("//", f"//gate:{PROXY_CANARY}@")
            connection["extra"] = json.dumps({"proxy": proxy})
        self._airflow.request("POST", "/api/v2/connections", connection)

    def changes(self, cases: list[Case], run_id: str) -> Iterator[None]:
        """Change some while their gates wait, whenever this is asked to go on."""
        changing = [case for case in cases if case.name.startswith(("renewed", "lost"))]
        missing = {case.name: case for case in cases if case.name.startswith("absent")}
        while True:
            for case in [case for case in changing if self._sandboxes[case.name].requests]:
                changing.remove(case)
                path = f"/api/v2/connections/{case.name}"
                if case.refused:
                    fields = {"connection_id": case.name, "conn_type": "useapi"}
                    fields["password"] = case.next_token
                    self._airflow.request("PATCH", f"{path}?update_mask=password", fields)
                else:
                    self._airflow.request("DELETE", path)
                    missing[case.name] = case
            for name in list(missing):
                said = ABSENT if name.startswith("absent") else LOST
                if said in "".join(self._airflow.log(DAG_ID, run_id, name, 1)):
                    self.add(missing.pop(name))
            yield


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """The run of all cases."""
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    cases = make_cases()
    reports = {"report_path": f"{home}/reports/"}
    tasks = [
        (case.name, case.kind, {**case.arguments, **(reports if case.kind == "audit" else {})})
        for case in cases
    ]
    (dags / "cases.json").write_text(json.dumps(tasks))
    (dags / "cases.py").write_text(DAG_FILE)
    with ExitStack() as running:
        asked = [*cases, WATCHED, DENIED]
        sandboxes = {case.name: running.enter_context(case.sandbox()) for case in asked}
        # Five gates poke for long; the others need a slot now and then.
        parallel = {
            "AIRFLOW__CORE__PARALLELISM": "8",
            # What leaks would leak there: our own lines, those of HTTP clients, and Airflow's.
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        }
        components = ("api-server", "scheduler", "dag-processor", "triggerer")
        database = running.enter_context(postgres())
        airflow = running.enter_context(LocalAirflow(home, dags, parallel, components, database))

        connections = Connections(airflow, sandboxes)
        for case in asked:
            if not case.name.startswith("absent"):
                connections.add(case)
        airflow.unpause("follows")
        airflow.unpause(DAG_ID)
        run_id = airflow.trigger(DAG_ID)
        changes, processes = connections.changes(cases, run_id), Processes(home)

        def meanwhile() -> None:
            next(changes)
            processes.see()

        airflow.wait_for(DAG_ID, run_id, 360, meanwhile)
        # Not before: six commands at once are what two cores can do.
        commands = {line: airflow.command(*line.split()) for line in COMMANDS}
        processes.see()
        event = "SELECT * FROM asset_event JOIN asset ON asset.id = asset_id WHERE name = 'watched'"
        airflow.wait_until(lambda: airflow.query(event), 60)
        ended = {task["task_id"]: task for task in airflow.task_instances(DAG_ID, run_id)}
        assert {case.name for case in cases} == set(ended)
        printed = {line: each.communicate(timeout=60)[0] for line, each in commands.items()}
        yield Results(airflow, run_id, sandboxes, ended, printed, processes)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lenient", ["strict", *LENIENT])
def test_a_refused_token_fails_at_once_and_for_good(
    results: Results, lenient: str, mode: str
) -> None:
    name = f"refused_{lenient}_{mode}"
    assert results.outcome(name) == ("failed", 1)
    assert results.statuses(name) == [401]
    assert "the API token was refused" in results.log(name)


def test_a_renewed_token_is_noticed_by_a_gate_that_pokes(results: Results) -> None:
    assert results.outcome("renewed_poke") == ("success", 1)
    assert results.statuses("renewed_poke") == [200, 401, 200]
    assert "the connection has a new one: checking again" in results.log("renewed_poke")


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "poke"])
def test_a_renewed_token_is_used_by_a_gate_that_reads_the_connection_again(
    results: Results, mode: str
) -> None:
    assert results.outcome(f"renewed_{mode}") == ("success", 1)
    assert results.statuses(f"renewed_{mode}") == [200, 200]


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_is_lost_for_a_while_is_waited_for(results: Results, mode: str) -> None:
    assert results.outcome(f"lost_{mode}") == ("success", 1)
    assert results.statuses(f"lost_{mode}") == [200, 200]
    # A gate that pokes has it in its process.
    assert (LOST in results.log(f"lost_{mode}")) == (mode != "poke")


@pytest.mark.parametrize("mode", MODES)
def test_the_same_answers_have_the_same_outcome(results: Results, mode: str) -> None:
    name, other = f"rough_{mode}", "rough_poke"
    assert results.outcome(name) == ("success", 1)
    assert results.statuses(name) == [200, 429, 503, 200, 200]
    found, expected = results.xcom(name), results.xcom(other)
    assert {**found, "checked_at": ""} == {**expected, "checked_at": ""}
    assert (found["slug"], found["active"]) == ("minimax", 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("service", LIVE)
def test_a_gate_waits_for_what_is_free(results: Results, service: str, mode: str) -> None:
    name = f"live_{service}_{mode}"
    assert results.outcome(name) == ("success", 1)
    found = results.xcom(name)
    assert (found["free_job_slots"], found["free_accounts"]) == (2, 1)
    paths = [request.path for request in results.sandboxes[name].requests]
    assert paths[:2] == ["/v2/account"] * 2, "nothing live is asked while the account is closed"
    assert len(paths) == 4


@pytest.mark.parametrize("mode", MODES)
def test_a_token_that_is_refused_later_on_fails_for_good(results: Results, mode: str) -> None:
    name = f"worse_{mode}"
    assert results.outcome(name) == ("failed", 1), "neither skipped nor retried"
    assert results.statuses(name) == [200, 401, 401]
    last = results.sandboxes[name].requests[-1].time
    assert last - results.began(name) >= TIMEOUT - EARLY, "it is tried once more, at the time-out"
    assert "Put a new one into the connection" in results.log(name)


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_is_not_there_yet_is_for_the_retries_of_the_task(
    results: Results, mode: str
) -> None:
    assert results.outcome(f"absent_{mode}") == ("success", 2)
    assert results.statuses(f"absent_{mode}") == [200]


@pytest.mark.parametrize("name", ["held_zero", "renewed_zero", "rough_zero"])
def test_a_gate_that_begins_and_ends_in_the_triggerer_has_no_worker(
    results: Results, name: str
) -> None:
    assert (results.tasks[name]["hostname"], results.tasks[name]["pid"]) == ("", None)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("lenient", "state"),
    [("strict", "failed"), ("soft_fail", "skipped"), ("never_fail", "skipped")],
)
def test_a_gate_that_stays_closed_says_why_at_its_time_out(
    results: Results, lenient: str, state: str, mode: str
) -> None:
    name = f"closed_{lenient}_{mode}"
    assert results.outcome(name) == (state, 1)
    said = f"Timed out after {TIMEOUT} s; the gate is closed: the subscription is not active"
    assert said in results.log(name)
    last = results.sandboxes[name].requests[-1].time
    assert TIMEOUT - EARLY < last - results.began(name) < TIMEOUT + SLACK[mode]


@pytest.mark.parametrize("mode", MODES)
def test_retry_after_holds_the_gate_back(results: Results, mode: str) -> None:
    name = f"held_{mode}"
    assert results.outcome(name) == ("success", 1)
    assert results.statuses(name) == [429, 200]
    first, second = (request.time for request in results.sandboxes[name].requests)
    assert RETRY_AFTER <= second - first < RETRY_AFTER + SLACK[mode]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("lenient", "state"),
    [("strict", "failed"), ("soft_fail", "skipped"), ("never_fail", "skipped")],
)
def test_retry_after_beyond_the_timeout(
    results: Results, lenient: str, state: str, mode: str
) -> None:
    name = f"late_{lenient}_{mode}"
    assert results.outcome(name) == (state, 1)
    assert results.statuses(name) == [429]
    log = results.log(name)
    assert f"Timed out after {TIMEOUT} s without an answer: Connection '{name}'" in log
    assert ("AirflowSensorTimeout" in log) == (state == "failed")
    # Once: a task that is back in the queue too soon may be taken for a failed one by Airflow.
    assert log.count("Rescheduling task") == (mode == "reschedule")
    ended = datetime.fromisoformat(results.tasks[name]["end_date"]).timestamp()
    assert TIMEOUT - EARLY < ended - results.began(name) < TIMEOUT + SLACK[mode]


def test_the_account_in_xcom(results: Results) -> None:
    assert results.outcome("account") == ("success", 1)
    values = results.xcom("account")
    assert set(values) == {*FIELDS, "services"}
    assert [values[key] for key in ("email", "name", "replyUrl")] == ["***"] * 3
    assert (values["id"], values["subscriptionIsActive"]) == (12345, True)
    minimax = {"name": "MiniMax API", "total": 3, "active": 3, "error": 0, "allocations_left": 0}
    assert values["services"]["minimax"] == minimax
    assert "deprecated" not in results.log("account")


def test_the_account_in_an_xcom_for_each_key(results: Results) -> None:
    assert results.outcome("account_by_key") == ("success", 1)
    values = results.xcom("account_by_key")
    assert {key: results.xcom("account_by_key", key) for key in values} == values
    assert values["email"] == "***"


def test_an_inactive_subscription_fails_at_once_where_it_must_be_active(results: Results) -> None:
    assert results.outcome("lapsed") == ("failed", 1)
    assert results.statuses("lapsed") == [200]
    assert "AirflowFailException: Connection 'lapsed': the subscription is not active" in (
        results.log("lapsed")
    )


def test_a_permanent_error_of_an_operator_fails_at_once(results: Results) -> None:
    assert results.outcome("malformed") == ("failed", 1)
    assert results.statuses("malformed") == [400]


def test_a_transient_error_of_an_operator_is_left_to_airflows_retries(results: Results) -> None:
    assert results.outcome("unwell") == ("success", 2)
    assert results.statuses("unwell") == [503, 503, 503, 200]
    assert "was answered with 503" in results.log("unwell")


@pytest.mark.parametrize("mode", ["poke", "zero"])
def test_a_gate_asks_through_a_proxy_with_a_password(results: Results, mode: str) -> None:
    assert results.outcome(f"proxied_{mode}") == ("success", 1)


# --- Leaks ----------------------------------------------------------------------------------------


CANARIES = {
    "token": {TOKEN_CANARY, *base64_forms(TOKEN_CANARY)},
    "person": {PERSON_CANARY, *base64_forms(PERSON_CANARY)},
    "proxy": {PROXY_CANARY, *base64_forms(PROXY_CANARY)},
    "linked": {"made-up-by-the-sandbox"},
}
"""What must be nowhere. Letters and digits: to quote them for URLs or JSON changes nothing."""


def test_the_search_for_canaries_finds_them_in_whatever_base64_makes_of_them() -> None:
    for before in ("", "B", "Be", "Bearer ", "gate:", "Bearer user:"):
        encoded = base64.b64encode(f"{before}{TOKEN_CANARY}-and-more".encode()).decode()
        assert holds(encoded, CANARIES["token"])


@pytest.mark.parametrize("canaries", CANARIES.values(), ids=CANARIES)
def test_nothing_leaks_into_a_log(results: Results, canaries: set[str]) -> None:
    files = logs(results.airflow)
    for said in ("The check failed", "[httpcore", "GET /v2/account: 200"):
        assert holding(files, {said}), "the search finds nothing at all"
    assert holding(files, canaries) == []


FILLED = {
    "asset_event.extra",
    "rendered_task_instance_fields.rendered_fields",
    "serialized_dag.data",
    "trigger.kwargs",
    "xcom.value",
}
"""Columns that hold something of the gates, the audit or the watcher."""


@pytest.fixture(scope="module")
def holders(results: Results) -> dict[str, set[str]]:
    """Which columns of the database hold each canary, and which what stands there by right."""
    sought = {**CANARIES, "by right": {"runwayml"}}
    found: dict[str, set[str]] = {name: set() for name in sought}
    for column, text in stored(results.airflow):
        for name, canaries in sought.items():
            if column not in found[name] and holds(text, canaries):
                found[name].add(column)
    return found


@pytest.mark.parametrize("canary", CANARIES)
def test_nothing_leaks_into_the_database(holders: dict[str, set[str]], canary: str) -> None:
    assert holders["by right"] >= FILLED, "the search finds nothing"
    assert holders[canary] == set()


@pytest.mark.parametrize("canaries", CANARIES.values(), ids=CANARIES)
def test_nothing_leaks_into_a_report(results: Results, canaries: set[str]) -> None:
    (report,) = (results.airflow.home / "reports").iterdir()
    assert "is signed out" in report.read_text()
    assert holding([report], canaries) == []


@pytest.mark.parametrize("canaries", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("line", COMMANDS)
def test_nothing_leaks_into_what_a_command_prints(
    results: Results, line: str, canaries: set[str]
) -> None:
    printed = results.printed[line]
    assert COMMANDS[line] in printed
    assert not holds(printed, canaries)


def test_a_secret_in_the_environment_of_a_process_is_found(tmp_path: Path) -> None:
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "SECRET": f"user:{TOKEN_CANARY}"}
    started = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        processes = Processes(tmp_path)
        processes.see()
        assert holds(processes.seen[started.pid], CANARIES["token"])
    finally:
        started.kill()
        started.wait()


@pytest.mark.parametrize("canaries", CANARIES.values(), ids=CANARIES)
def test_nothing_leaks_into_the_list_of_processes(results: Results, canaries: set[str]) -> None:
    seen = results.processes.seen
    assert len(seen) > len(MODES), "tasks have processes of their own"
    assert [number for number, told in seen.items() if holds(told, canaries)] == []
