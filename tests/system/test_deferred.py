"""
Deferred gates and asset watchers on a real Airflow, many of them, and what a crash does to them.

All gates of a DAG share a connection, and so a sandbox, which counts what they ask.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_useapi.sandbox import Sandbox

from .postgres import postgres
from .stack import LocalAirflow

pytestmark = pytest.mark.timeout(600)

MANY, WAITING = 200, 100
FIELDS = 11
"""Of the XCom of a gate."""
INTERVAL = 2

DAG_FILE = f"""
from pathlib import Path

from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger

NOTES = Path(__file__).parent / "notes"
WORKERLESS = {{"deferrable": True, "start_from_trigger": True, "end_from_trigger": True}}


def note(context):
    (NOTES / context["ti"].task_id).touch()


def note_run(context):
    (NOTES / context["dag"].dag_id).touch()


with DAG("many", schedule=None, on_success_callback=note_run):
    for number in range({MANY}):
        UseApiAccountSensor(
            task_id=f"gate_{{number}}",
            useapi_conn_id="{{{{ 'ma' ~ 'ny' }}}}",
            service="{{{{ 'mini' ~ 'max' }}}}",
            poke_interval={INTERVAL},
            timeout=300,
            **WORKERLESS,
        )

with DAG("waiting", schedule=None):
    for number in range({WAITING}):
        UseApiAccountSensor(
            task_id=f"gate_{{number}}",
            useapi_conn_id="waiting",
            poke_interval={INTERVAL},
            timeout=300,
            **WORKERLESS,
        )

@task
def pulled(ti=None):
    found = ti.xcom_pull(task_ids="keyed")
    return [found["active"], ti.xcom_pull(task_ids="keyed", key="active")]


@task
def item(found):
    return list(found)


with DAG("helped", schedule=None):
    counted = UseApiAccountSensor(
        task_id="counted",
        useapi_conn_id="helped",
        service="minimax",
        poke_interval={INTERVAL},
        timeout=120,
        **WORKERLESS,
    )
    item.expand(found=counted.output)
    UseApiAccountSensor.partial(
        task_id="mapped",
        useapi_conn_id="helped",
        poke_interval={INTERVAL},
        timeout=120,
        **WORKERLESS,
    ).expand(service=["minimax", "Runway AP"])
    UseApiAccountSensor(
        task_id="outlets",
        useapi_conn_id="helped",
        poke_interval={INTERVAL},
        timeout=120,
        outlets=[Asset("passed")],
        **WORKERLESS,
    )
    UseApiAccountSensor(
        task_id="called",
        useapi_conn_id="helped",
        poke_interval={INTERVAL},
        timeout=120,
        on_success_callback=note,
        **WORKERLESS,
    )
    UseApiAccountSensor(
        task_id="keyed",
        useapi_conn_id="helped",
        service="minimax",
        poke_interval={INTERVAL},
        timeout=120,
        multiple_outputs=True,
        **WORKERLESS,
    ) >> pulled()

@task
def up():
    return "minimax"


HELPED = {{"useapi_conn_id": "helped", "poke_interval": {INTERVAL}, "timeout": 120, **WORKERLESS}}

with DAG("rendered", schedule=None, params={{"service": "minimax"}}):
    templates = {{
        "params": "{{{{ params.get('service') | lower }}}}",
        "variable": "{{{{ var.value.service }}}}",
        "undefined": "minimax{{{{ params.missing }}}}",
    }}
    for name, template in templates.items():
        UseApiAccountSensor(task_id=name, service=template, **HELPED)
    pulled_service = "{{{{ ti.xcom_pull(task_ids='up') }}}}"
    up() >> UseApiAccountSensor(task_id="xcom", service=pulled_service, **HELPED)

with DAG("own_macros", schedule=None, user_defined_macros={{"service": lambda: "minimax"}}):
    UseApiAccountSensor(task_id="macro", service="{{{{ service() }}}}", **HELPED)

with DAG("listened", schedule=None):
    UseApiAccountSensor(task_id="heard", service="minimax", **HELPED)

watched = Asset(
    "account_is_active",
    watchers=[
        AssetWatcher(
            name="active",
            trigger=UseApiAccountEventTrigger(useapi_conn_id="waiting", poke_interval={INTERVAL}),
        )
    ],
)

with DAG("follows", schedule=[watched]):

    @task
    def follow(triggering_asset_events=None):
        (event,) = triggering_asset_events[watched]
        return event.extra["payload"]["state"]

    follow()
"""

LISTENER = """
from pathlib import Path

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin


class Listener:
    @hookimpl
    def on_task_instance_success(self, previous_state, task_instance):
        Path({notes!r}, f"success of {{task_instance.task_id}}").touch()


class Listening(AirflowPlugin):
    name = "listening"
    listeners = [Listener()]
"""


class Statistics(threading.Thread):
    """What Airflow tells StatsD."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.lines: list[str] = []

    def run(self) -> None:
        while data := self._socket.recv(65536):
            self.lines += data.decode().splitlines()

    def named(self, name: str) -> list[str]:
        """The lines of a metric."""
        return [line for line in self.lines if name in line]


@dataclass
class Stage:
    """A running Airflow, and the server of each DAG."""

    airflow: LocalAirflow
    sandboxes: dict[str, Sandbox]
    notes: Path
    statistics: Statistics
    runs: dict[str, str] = field(default_factory=dict)

    def start(self, dag_id: str) -> None:
        """Start a run."""
        self.airflow.unpause(dag_id)
        self.runs[dag_id] = self.airflow.trigger(dag_id)

    def tasks(self, dag_id: str) -> list[dict[str, Any]]:
        """The tasks of the run."""
        return self.airflow.task_instances(dag_id, self.runs[dag_id])

    def states(self, dag_id: str) -> Counter[str]:
        """How many tasks are in which state."""
        return Counter(str(task["state"]) for task in self.tasks(dag_id))

    def wait(self, dag_id: str, state: str, count: int) -> None:
        """Wait until so many tasks are in a state."""
        end = time.monotonic() + 120
        while (states := self.states(dag_id))[state] < count:
            assert time.monotonic() < end, states
            time.sleep(0.5)

    def wait_running(self, triggers: int) -> None:
        """Wait until the triggerer has taken up so many triggers."""
        newest = "SELECT MAX(id) FROM job WHERE job_type = 'TriggererJob'"
        query = f"SELECT COUNT(*) FROM trigger WHERE triggerer_id = ({newest})"
        self.airflow.wait_until(lambda: self.airflow.query(query)[0][0] >= triggers, 120)

    def wait_noted(self, name: str) -> None:
        """Wait until a callback has left its note."""
        self.airflow.wait_until((self.notes / name).exists, 60)

    def events(self, asset: str) -> list[Any]:
        """The events of an asset."""
        found = self.airflow.request("GET", "/api/v2/assets/events?limit=100")["asset_events"]
        return [event for event in found if event["name"] == asset]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    notes = dags / "notes"
    notes.mkdir()
    (dags / "gates.py").write_text(DAG_FILE)
    statistics = Statistics()
    statistics.start()
    with ExitStack() as running:
        names = ("many", "waiting", "helped")
        sandboxes = {name: running.enter_context(Sandbox()) for name in names}
        env = {
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
            "AIRFLOW_VAR_SERVICE": "minimax",
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_PORT": str(statistics.port),
            "AIRFLOW__METRICS__STATSD_DATADOG_ENABLED": "False",
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
            **{
                f"AIRFLOW_CONN_{name.upper()}": sandbox.connection_uri()
                for name, sandbox in sandboxes.items()
            },
        }
        for sandbox in sandboxes.values():
            sandbox.account["subscriptionIsActive"] = False
        components = ("api-server", "scheduler", "dag-processor", "triggerer")
        database = running.enter_context(postgres())
        airflow = running.enter_context(LocalAirflow(home, dags, env, components, database))
        yield Stage(airflow, sandboxes, notes, statistics)


def paced(sandbox: Sandbox) -> None:
    """Check that the looks on a server are an interval apart."""
    times = [request.time for request in sandbox.requests]
    assert all(later - sooner > INTERVAL - 0.1 for sooner, later in pairwise(times))


def test_many_gates_need_no_worker_and_one_request_an_interval(stage: Stage) -> None:
    sandbox = stage.sandboxes["many"]
    stage.start("many")
    stage.wait("many", "deferred", MANY)
    stage.wait_running(MANY)
    # A trigger that has begun to log has not yet begun to wait.
    looks = max(3, len(sandbox.requests) + 2)
    stage.airflow.wait_until(lambda: len(sandbox.requests) >= looks, 120)
    paced(sandbox)
    assert sandbox.connections == 1
    sandbox.account["subscriptionIsActive"] = True
    stage.wait("many", "success", MANY)
    tasks = stage.tasks("many")
    assert {(task["hostname"], task["pid"], task["try_number"]) for task in tasks} == {
        ("", None, 1)
    }
    for number in (0, MANY - 1):
        found = stage.airflow.xcom("many", stage.runs["many"], f"gate_{number}")
        assert (found["slug"], found["active"]) == ("minimax", 3)
    stage.wait_noted("many")  # a callback of the DAG, which needs no worker either


def test_what_needs_a_worker_gets_one_and_the_log_says_why(stage: Stage) -> None:
    stage.start("helped")
    stage.wait("helped", "deferred", 6)
    stage.sandboxes["helped"].account["subscriptionIsActive"] = True
    stage.wait("helped", "success", 7 + FIELDS)
    tasks = {(task["task_id"], task["map_index"]): task for task in stage.tasks("helped")}
    run = stage.runs["helped"]

    def log(task_id: str, map_index: int = -1) -> str:
        return "\n".join(stage.airflow.log("helped", run, task_id, 1, map_index))

    # The start of a mapped gate, but not its end.
    said = "This gate makes its first check on a worker: Airflow cannot start a mapped task"
    assert said in log("mapped", 0)
    slugs = {stage.airflow.xcom("helped", run, "mapped", map_index=i)["slug"] for i in (0, 1)}
    assert slugs == {"minimax", "runwayml"}
    # The end of a gate with outlets, but not its start.
    assert "A worker ends this task: only a worker emits the events of its outlets." in log(
        "outlets"
    )
    assert len(stage.events("passed")) == 1
    # Airflow calls what is to be called on success on workers alone.
    assert "A worker ends this task: only a worker calls its on_success_callback." in log("called")
    stage.wait_noted("called")
    assert {path.name for path in stage.notes.iterdir()} - {"many"} == {"called"}
    # Airflow has to know how many items there are.
    said = "A worker ends this task: only a worker counts the items of an XCom"
    assert said in log("counted")
    items = [stage.airflow.xcom("helped", run, "item", map_index=i) for i in range(FIELDS)]
    assert dict(items) == stage.airflow.xcom("helped", run, "counted")
    keyed = stage.airflow.xcom("helped", run, "keyed")
    assert stage.airflow.xcom("helped", run, "keyed", "active") == keyed["active"] == 3
    assert tasks["keyed", -1]["hostname"] == ""
    assert stage.airflow.xcom("helped", run, "pulled") == [3, 3]


def test_a_template_is_rendered_where_it_can_be(stage: Stage) -> None:
    stage.sandboxes["helped"].account["subscriptionIsActive"] = True
    stage.start("rendered")
    stage.start("own_macros")
    stage.wait("rendered", "success", 4)
    stage.wait("rendered", "failed", 1)
    stage.wait("own_macros", "success", 1)
    tasks = {task["task_id"]: task for task in stage.tasks("rendered")}
    run = stage.runs["rendered"]
    for name in ("params", "variable"):
        assert tasks[name]["hostname"] == ""
        assert stage.airflow.xcom("rendered", run, name)["slug"] == "minimax"
    # What is not defined is an error, as on a worker, and no shorter name.
    assert "UndefinedError" in "\n".join(stage.airflow.log("rendered", run, "undefined", 1))
    said = "This gate makes its first check on a worker: only a worker renders the template of its"
    for dag_id, task_id in (("rendered", "xcom"), ("own_macros", "macro")):
        log = stage.airflow.log(dag_id, stage.runs[dag_id], task_id, 1)
        assert f"{said} service." in log
        assert stage.airflow.xcom(dag_id, stage.runs[dag_id], task_id)["slug"] == "minimax"


def test_a_crash_of_the_triggerer_loses_nothing_and_doubles_nothing(stage: Stage) -> None:
    sandbox = stage.sandboxes["waiting"]
    stage.airflow.unpause("follows")
    stage.start("waiting")
    stage.wait("waiting", "deferred", WAITING)
    stage.wait_running(WAITING + 1)
    stage.airflow.wait_until(lambda: len(sandbox.requests) >= 3, 120)
    paced(sandbox)
    stage.airflow.kill("triggerer")
    sandbox.requests.clear()
    stage.airflow.launch("triggerer")
    stage.wait_running(WAITING + 1)
    stage.airflow.wait_until(lambda: len(sandbox.requests) >= 3, 120)
    assert stage.states("waiting") == {"deferred": WAITING}
    assert stage.events("account_is_active") == []
    sandbox.account["subscriptionIsActive"] = True
    stage.wait("waiting", "success", WAITING)
    paced(sandbox)
    tries = {(task["try_number"], task["hostname"]) for task in stage.tasks("waiting")}
    assert tries == {(1, "")}
    stage.airflow.wait_until(lambda: stage.events("account_is_active"), 60)
    # A condition that stays true, looked at again and again, and by a new triggerer as well.
    looks = len(sandbox.requests)
    stage.airflow.kill("triggerer")
    stage.airflow.launch("triggerer")
    stage.airflow.wait_until(lambda: len(sandbox.requests) >= looks + 10, 90)
    (event,) = stage.events("account_is_active")
    assert event["extra"]["payload"]["state"] == "open"
    (run,) = stage.airflow.request("GET", "/api/v2/dags/follows/dagRuns")["dag_runs"]
    stage.airflow.wait_for("follows", run["dag_run_id"], 60)
    assert stage.airflow.xcom("follows", run["dag_run_id"], "follow") == "open"


def test_airflows_statistics_tell_of_requests_and_gates(stage: Stage) -> None:
    requests = stage.statistics.named("useapi.requests")
    assert any("conn_id=many" in line and "outcome=answered" in line for line in requests)
    waiting = stage.statistics.named("useapi.gates.waiting")
    most = max(int(float(line.split(":")[1].split("|")[0])) for line in waiting if "many" in line)
    assert most == MANY
    waited = stage.statistics.named("useapi.gates.waited")
    assert len([line for line in waited if "outcome=open" in line]) >= MANY
    every = "\n".join(stage.statistics.named("useapi"))
    assert "user:" not in every
    assert "@" not in every.replace("|@", "")


def test_no_token_is_in_what_airflow_stores_of_a_trigger(stage: Stage) -> None:
    token = stage.sandboxes["waiting"].token
    rows = json.dumps(stage.airflow.query("SELECT classpath, kwargs FROM trigger"), default=str)
    assert "UseApiAccountEventTrigger" in rows
    assert token not in rows


def test_with_a_listener_a_worker_ends_the_task_and_the_log_says_why(stage: Stage) -> None:
    plugins = stage.airflow.home / "plugins"
    plugins.mkdir()
    (plugins / "listening.py").write_text(LISTENER.format(notes=str(stage.notes)))
    stage.airflow.kill("triggerer")
    stage.airflow.launch("triggerer")
    stage.sandboxes["helped"].account["subscriptionIsActive"] = True
    stage.start("listened")
    stage.wait("listened", "success", 1)
    (task,) = stage.tasks("listened")
    assert task["hostname"] != ""
    said = "A worker ends this task: listener plugins are called only there."
    # What a trigger logs comes a way of its own.
    run = stage.runs["listened"]
    stage.airflow.wait_until(lambda: said in stage.airflow.log("listened", run, "heard", 1), 60)
    stage.wait_noted("success of heard")
