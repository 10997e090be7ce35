"""
The demo: a real Airflow runs the example DAGs against the provider's own stand-in for useapi.net.

Run it from the root of the repository: ``python -m tests.system.demo``. It needs no account and no
network. Its Airflow home, ``.airflow/demo``, is kept, which makes the next run faster.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from airflow_provider_useapi.sandbox import Sandbox

from .stack import LocalAirflow, LocalAirflowError

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".airflow" / "demo"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
RUN_LIMIT = 180.0
"""Seconds that a run of a DAG may take."""


def main() -> int:
    """Run both examples and return the exit code."""
    began = time.monotonic()
    first = "" if (HOME / "airflow.db").exists() else "; the first time takes a little longer"
    with Sandbox() as sandbox:
        sandbox.account["subscriptionIsActive"] = False
        say(f"A sandbox of useapi.net listens on {sandbox.url}. Its subscription is not active.")
        say(f"Starting Airflow {version('apache-airflow')} in {HOME.relative_to(ROOT)}{first} ...")
        connections = {
            "AIRFLOW_CONN_USEAPI_DEFAULT": sandbox.connection_uri(),
            "AIRFLOW_CONN_USEAPI_STUDIO": sandbox.connection_json(),
        }
        try:
            with LocalAirflow(HOME, ROOT / "dags_examples", connections, COMPONENTS) as airflow:
                say(f"Airflow is up after {time.monotonic() - began:.0f} s: {airflow.url}")
                gated_pipeline(airflow, sandbox)
                daily_account(airflow)
                say("\nBoth runs succeeded. Stopping Airflow ...")
        except LocalAirflowError as error:
            print(f"\nThe demo failed. {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted; Airflow is stopped.", file=sys.stderr)
            return 130
    say(f"Done in {time.monotonic() - began:.0f} s. Read on in README.md.")
    return 0


def gated_pipeline(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    """Show a gate that is closed, that opens, and what runs behind it."""
    run = Run(airflow, "useapi_gated_pipeline")
    gate = run.printer("wait_for_minimax", "UseApiAccountTrigger")

    def watch() -> None:
        if gate() and not sandbox.account["subscriptionIsActive"]:
            sandbox.account["subscriptionIsActive"] = True
            say("   * the subscription becomes active; the gate looks again after 10 s")

    run.finish(watch)
    run.check_no_worker("wait_for_minimax")
    say("   * it waited in the triggerer and ended there: no worker has run it")
    gate_says = run.xcom("wait_for_minimax")
    say(f"   XCom of the gate: {excerpt(gate_says, 'slug', 'active', 'free_job_slots')}")
    account = run.xcom("account")
    shown = ("id", "email", "subscriptionIsActive", "maxAccountsPerAPI", "sub")
    say(f"   XCom of the operator: {excerpt(account, *shown)}")
    run.printer("generate", "task.stdout")()


def daily_account(airflow: LocalAirflow) -> None:
    """Show one task that is mapped over two connections."""
    run = Run(airflow, "useapi_daily_account")
    run.finish()
    for map_index in (0, 1):
        run.printer("account", "UseApiAccountOperator", map_index)()
    run.printer("report", "task.stdout")()


class Run:
    """
    A run of a DAG that is watched.

    :param airflow: where it runs.
    :param dag_id: the DAG to run now.
    """

    def __init__(self, airflow: LocalAirflow, dag_id: str) -> None:
        self._airflow = airflow
        airflow.unpause(dag_id)
        say(f"\nDAG {dag_id}")
        self._at = (dag_id, airflow.trigger(dag_id))

    def printer(self, task_id: str, logger: str, map_index: int = -1) -> Callable[[], bool]:
        """Return what prints the new lines of a task's log and tells whether there were any."""
        label = task_id if map_index < 0 else f"{task_id}[{map_index}]"
        printed = 0

        def show() -> bool:
            nonlocal printed
            lines = self._airflow.log(*self._at, task_id, 1, map_index, logger)[printed:]
            for line in lines:
                say(f"   {label} | {line}")
            printed += len(lines)
            return bool(lines)

        return show

    def finish(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """
        Wait for the end.

        :raises LocalAirflowError: unless every task succeeded.
        """
        state = self._airflow.wait_for(*self._at, RUN_LIMIT, meanwhile)
        tasks = self._airflow.task_instances(*self._at)
        if bad := [task for task in tasks if task["state"] != "success"]:
            task_id, tried, index = (bad[0][key] for key in ("task_id", "try_number", "map_index"))
            states = ", ".join(f"{task['task_id']} {task['state']}" for task in bad)
            log = "\n".join(self._airflow.log(*self._at, task_id, tried, index)[-30:])
            raise LocalAirflowError(f"The run is {state}: {states}. The end of the log:\n{log}")

    def check_no_worker(self, task_id: str) -> None:
        """
        Check that a task has never been on a worker.

        :raises LocalAirflowError: if it has.
        """
        tasks = {task["task_id"]: task for task in self._airflow.task_instances(*self._at)}
        if tasks[task_id]["hostname"]:
            raise LocalAirflowError(f"The task {task_id} ran on {tasks[task_id]['hostname']}.")

    def xcom(self, task_id: str) -> dict[str, Any]:
        """Return what a task pushed."""
        return dict(self._airflow.xcom(*self._at, task_id))


def excerpt(values: dict[str, Any], *keys: str) -> str:
    """Some of the values, as a line of text."""
    return ", ".join(f"{key}={values[key]!r}" for key in keys)


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
