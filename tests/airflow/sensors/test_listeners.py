"""Gates without a worker in an Airflow with a plugin that listens to tasks, as OpenLineage does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_useapi.compat import SHARES_STREAMS
from airflow_provider_useapi.sandbox import Sandbox

ROOT = Path(__file__).parents[3]
LISTENED = "INFO A worker ends this task: listener plugins are called only there."
FAILED = "WARNING A worker ends this task: here it failed with PluginValidationError."
REFUSAL = "Listeners are not supported with end_from_trigger=True"

LISTENER = """
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin


class Listener:
    @hookimpl
    def {hook}:
        pass


class Listening(AirflowPlugin):
    name = "listening"
    listeners = [Listener()]
"""
PLUGINS = {
    "tasks": LISTENER.format(hook="on_task_instance_success(self, previous_state, task_instance)"),
    "starting": LISTENER.format(hook="on_starting(self, component)"),
    # Of an older Airflow: this one cannot register it.
    "broken": LISTENER.format(hook="on_task_instance_success(self, gone)"),
}

GATES = """
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

WORKERLESS = {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True}

with DAG("gates", schedule=None):
    gate = UseApiAccountSensor(task_id="plain", service="{{ params.service }}", **WORKERLESS)
    UseApiAccountSensor.partial(task_id="mapped", **WORKERLESS).expand(service=["kling", "muse"])
    UseApiAccountSensor(task_id="only_end", deferrable=True, end_from_trigger=True)
"""
REFUSED = GATES + "\ngate.end_from_trigger = True  # where Airflow looks for it\n"


def in_an_airflow_with(plugin: str, folder: Path) -> dict[str, Any]:
    """What happens where the plugins folder holds this one; see tests.helpers.listening."""
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "listening.py").write_text(PLUGINS[plugin])
    for name, source in (("gates", GATES), ("refused", REFUSED)):
        (folder / f"{name}.py").write_text(source)
    files = [str(folder / f"{name}.py") for name in ("gates", "refused")]
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.listening", *files],
        cwd=ROOT,
        env={**os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["errors"] = {Path(file).stem: errors for file, errors in found["errors"].items()}
    return found


@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_listener_refuses_no_dag_file_and_leaves_the_end_to_a_worker(
    sandbox: Sandbox, tmp_path: Path, plugin: str
) -> None:
    found = in_an_airflow_with(plugin, tmp_path)
    assert found["errors"]["gates"] == {}
    if plugin != "broken":
        # The listener is there, and that attribute is all that Airflow asks for.
        (refused,) = found["errors"]["refused"].values()
        assert "AirflowClusterPolicyError" in refused
        assert REFUSAL in refused
    if SHARES_STREAMS:  # without a listener the task ends there: see test_deferred_gate
        assert found["event"] == "TriggerEvent"
        assert found["payload"]["outcome"] == "open"
        assert found["log"][-1] == (FAILED if plugin == "broken" else LISTENED)
