"""
Fifty gates on Google Flow that open at once, and a pool behind them that spaces what follows.

The sandbox takes more jobs than the pool lets through: it is the pool that is shown, not a refusal.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox

from .postgres import postgres
from .stack import LocalAirflow

pytestmark = pytest.mark.timeout(300)

GATES = 50
ACCOUNTS, AN_ACCOUNT = 2, 2
SLOTS = ACCOUNTS * AN_ACCOUNT
PARALLEL = 16
"""Tasks that this Airflow runs at a time: more than the pool has slots."""
JOB_SECONDS = 0.5
VIDEOS = "/v1/google-flow/videos"

DAG_FILE = f"""
import time
from urllib.request import Request, urlopen

from airflow.sdk import DAG, task

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor


@task(pool="google_flow")
def submit():
    headers = {{"Authorization": "Bearer TOKEN"}}
    urlopen(Request("SANDBOX{VIDEOS}", b"{{}}", headers), timeout=10).close()
    time.sleep({JOB_SECONDS})  # the job is over then, and only then this task ends


with DAG("herd", schedule=None):
    for number in range({GATES}):
        gate = UseApiAccountSensor(
            task_id=f"gate_{{number}}",
            service="google-flow",
            poke_interval=2,
            timeout=120,
            deferrable=True,
            start_from_trigger=True,
            end_from_trigger=True,
        )
        gate >> submit.override(task_id=f"submit_{{number}}")()
"""


Span = tuple[float, float]
"""From when to when something went on."""


@dataclass
class Herd:
    """
    What the run left behind.

    :param opened: when each gate opened, in seconds since the epoch.
    :param submitting: from when to when each task behind a gate ran.
    :param states: of all tasks.
    :param seconds: from the moment that the gates could open to the end.
    """

    sandbox: Sandbox
    opened: list[float]
    submitting: list[Span]
    states: set[str]
    seconds: float


@pytest.fixture(scope="module")
def herd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Herd]:
    """The run."""
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    with ExitStack() as running:
        database = running.enter_context(postgres())
        sandbox = running.enter_context(Sandbox(job_seconds=JOB_SECONDS))
        accounts = [LinkedAccount(f"{n}@example.com", max_jobs=GATES) for n in range(ACCOUNTS)]
        sandbox.link("google-flow", *accounts)
        sandbox.account["subscriptionIsActive"] = False
        (dags / "herd.py").write_text(
            DAG_FILE.replace("SANDBOX", sandbox.url).replace("TOKEN", sandbox.token)
        )
        env = {
            "AIRFLOW_CONN_USEAPI_DEFAULT": sandbox.connection_json(),
            "AIRFLOW__CORE__PARALLELISM": str(PARALLEL),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(2 * GATES),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        }
        components = ("api-server", "scheduler", "dag-processor", "triggerer")
        airflow = running.enter_context(LocalAirflow(home, dags, env, components, database))
        pool = {"name": "google_flow", "slots": SLOTS, "include_deferred": True}
        airflow.request("POST", "/api/v2/pools", pool)
        airflow.unpause("herd")
        run_id = airflow.trigger("herd")

        def states(prefix: str) -> list[str]:
            tasks = airflow.task_instances("herd", run_id)
            return [str(task["state"]) for task in tasks if task["task_id"].startswith(prefix)]

        airflow.wait_until(lambda: states("gate").count("deferred") == GATES, 60)
        began = time.monotonic()
        sandbox.account["subscriptionIsActive"] = True
        airflow.wait_for("herd", run_id, 180)
        seconds = time.monotonic() - began
        tasks = airflow.task_instances("herd", run_id)
        opened = [span(task)[1] for task in tasks if task["task_id"].startswith("gate")]
        submitting = [span(task) for task in tasks if task["task_id"].startswith("submit")]
        yield Herd(sandbox, opened, submitting, {str(task["state"]) for task in tasks}, seconds)


def span(task: dict[str, Any]) -> Span:
    """From when to when a task ran, in seconds since the epoch."""
    began, ended = (datetime.fromisoformat(task[f"{edge}_date"]) for edge in ("start", "end"))
    return began.timestamp(), ended.timestamp()


def most_at_a_time(spans: Iterable[Span]) -> int:
    """How many of them went on at a time, at most."""
    spans = list(spans)
    return max(sum(began <= moment < ended for began, ended in spans) for moment, _ in spans)


def test_every_gate_opens_and_every_job_is_taken(herd: Herd) -> None:
    assert herd.states == {"success"}
    submitted = [request.status for request in herd.sandbox.requests if request.path == VIDEOS]
    assert submitted == [200] * GATES
    assert len(herd.sandbox.jobs) == len(herd.opened) == GATES


def test_the_gates_open_at_once(herd: Herd) -> None:
    later = [
        request
        for request in herd.sandbox.requests
        if request.path == VIDEOS and request.time > max(herd.opened)
    ]
    assert len(later) > GATES / 2, "most submissions stood in the pool once all gates were open"


def test_never_more_are_submitted_than_the_pool_allows(herd: Herd) -> None:
    assert most_at_a_time(herd.submitting) == SLOTS, "as many as it allows, and no more"
    ran = defaultdict(list)
    for job in herd.sandbox.jobs:
        ran[job.account].append((job.began, job.ends))
    assert most_at_a_time(each for spans in ran.values() for each in spans) <= SLOTS
    assert set(ran) == {f"{n}@example.com" for n in range(ACCOUNTS)}
    assert all(most_at_a_time(spans) <= AN_ACCOUNT for spans in ran.values())
