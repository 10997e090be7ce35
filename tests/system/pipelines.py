"""
Pipelines that wait for a free job slot, and then submit a job, on a real Airflow.

What counts is how many submissions the sandbox answers with 429. As a command it runs many, and
prints what came of them: ``python -m tests.system.pipelines --gates 200``, which takes as long as
the 60 seconds after each opening make it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox

from .postgres import postgres
from .stack import LocalAirflow

SUBMISSION = "/v1/kling/videos/text2video"
LIVE = "/v1/kling/scheduler/available"

_DAG_FILE = """
from airflow.sdk import DAG, task

from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor


@task
def submit():
    with UseApiHook() as hook:
        session = hook.get_conn()
        session.post(hook.settings.url("{submission}"), json={{}}).raise_for_status()


for name in {names}:
    with DAG(name, schedule=None, max_active_tasks=1000):
        for number in range({gates}):
            UseApiAccountSensor(
                task_id=f"gate_{{number}}",
                service="kling",
                min_free_job_slots=1,
                poke_interval={interval},
                timeout=24 * 3600,
                deferrable=True,
                start_from_trigger=True,
                end_from_trigger=True,
            ) >> submit.override(task_id=f"submit_{{number}}")()
"""


@dataclass
class Pipelines:
    """
    A running Airflow, and the sandbox that its pipelines submit to.

    :param airflow: with its triggerer.
    :param sandbox: with one linked account at Kling.
    :param gates: pipelines in each DAG.
    """

    airflow: LocalAirflow
    sandbox: Sandbox
    gates: int

    def start(self, name: str) -> str:
        """Start a run of a DAG, while no job slot is free, and wait until all gates wait."""
        (account,) = self.sandbox.capacity["kling"]
        account.running = account.max_jobs
        self.airflow.unpause(name)
        run = self.airflow.trigger(name)
        self.airflow.wait_until(lambda: self.states(name, run)["deferred"] == self.gates, 240)
        newest = "SELECT MAX(id) FROM job WHERE job_type = 'TriggererJob'"
        taken_up = f"SELECT COUNT(*) FROM trigger WHERE triggerer_id = ({newest})"
        self.airflow.wait_until(lambda: self.airflow.query(taken_up)[0][0] >= self.gates, 240)
        account.running = 0
        return run

    def states(self, name: str, run: str) -> Counter[str]:
        """How many gates of a run are in which state."""
        tasks = self.airflow.task_instances(name, run)
        return Counter(str(t["state"]) for t in tasks if t["task_id"].startswith("gate"))

    def opened(self, name: str, run: str) -> list[datetime]:
        """When the gates of a run opened, as their triggers logged it, in order."""
        entries = (
            entry
            for number in range(self.gates)
            for entry in self.airflow.log_entries(name, run, f"gate_{number}", 1)
        )
        said = "The gate is open"
        return sorted(
            datetime.fromisoformat(entry["timestamp"])
            for entry in entries
            if entry["event"].startswith(said)
        )

    @property
    def submissions(self) -> Counter[int | None]:
        """How many submissions were answered with which status."""
        return Counter(each.status for each in self.sandbox.requests if each.method == "POST")

    @property
    def looks(self) -> list[float]:
        """When the live endpoint was asked."""
        return [each.time for each in self.sandbox.requests if each.path == LIVE]


@contextmanager
def pipelines(
    *names: str, gates: int, slots: int, job_seconds: float, interval: float
) -> Iterator[Pipelines]:
    """
    An Airflow with DAGs of pipelines, while a ``with`` block runs.

    :param names: of the DAGs.
    :param gates: pipelines in each.
    :param slots: job slots of the one linked account.
    :param job_seconds: how long a job takes one.
    :param interval: seconds between two looks of the gates.
    """
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="pipelines-")))
        (folder / "dags").mkdir()
        file = _DAG_FILE.format(names=names, gates=gates, interval=interval, submission=SUBMISSION)
        (folder / "dags" / "pipelines.py").write_text(file)
        sandbox = running.enter_context(Sandbox())
        sandbox.job_seconds = job_seconds
        sandbox.link("kling", LinkedAccount("kling@example.com", max_jobs=slots))
        env = {
            "AIRFLOW_CONN_USEAPI_DEFAULT": sandbox.connection_json(),
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
            "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "0",
        }
        database = running.enter_context(postgres())
        components = ("api-server", "scheduler", "dag-processor", "triggerer")
        airflow = running.enter_context(
            LocalAirflow(folder / "home", folder / "dags", env, components, database)
        )
        yield Pipelines(airflow, sandbox, gates)


def main() -> None:
    """Run many pipelines to their end."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--gates", type=int, default=200)
    parser.add_argument("--slots", type=int, default=3)
    parser.add_argument("--job-seconds", type=float, default=20.0)
    parser.add_argument("--interval", type=float, default=5.0)
    options = parser.parse_args()
    with pipelines("pipelines", **vars(options)) as running:
        run, began = running.start("pipelines"), time.monotonic()
        state = running.airflow.wait_for("pipelines", run, 86400.0)
        lasted = time.monotonic() - began
        told = {
            **vars(options),
            "run": state,
            "gates_by_state": running.states("pipelines", run),
            "submissions_by_status": running.submissions,
            "seconds": round(lasted),
            "looks": len(running.looks),
        }
    print(json.dumps(told))  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
