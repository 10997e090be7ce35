"""Gates that take turns on a real Airflow, and what a crash of the triggerer makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from airflow_provider_useapi.gate.turns import TAKEN_FOR

from .pipelines import Pipelines, pipelines

pytestmark = pytest.mark.timeout(600)

GATES, SLOTS, JOB_SECONDS, INTERVAL = 6, 3, 20.0, 2.0


@pytest.fixture(scope="module")
def running() -> Iterator[Pipelines]:
    with pipelines(
        "calm", "killed", gates=GATES, slots=SLOTS, job_seconds=JOB_SECONDS, interval=INTERVAL
    ) as found:
        yield found


def test_one_free_job_slot_opens_one_gate(running: Pipelines) -> None:
    run = running.start("calm")
    assert running.airflow.wait_for("calm", run, 240) == "success"
    assert running.submissions == {200: GATES}
    paced = [later - sooner for sooner, later in pairwise(running.looks)]
    assert min(paced) > INTERVAL - 0.1
    tasks = running.airflow.task_instances("calm", run)
    gates = [task for task in tasks if task["task_id"].startswith("gate")]
    assert {(gate["hostname"], gate["try_number"]) for gate in gates} == {("", 1)}
    running.airflow.wait_until(lambda: len(running.opened("calm", run)) == GATES, 60)
    opened = running.opened("calm", run)
    # A minute after the first ones, though their jobs took 20 seconds.
    assert (opened[SLOTS - 1] - opened[0]).total_seconds() < 1
    assert (opened[SLOTS] - opened[SLOTS - 1]).total_seconds() > TAKEN_FOR - 1
    said = "just taken by other gates, 1 needed."
    logs = [running.airflow.log("calm", run, gate["task_id"], 1) for gate in gates]
    assert sum(any(said in line for line in log) for log in logs) >= GATES - SLOTS


def test_a_crash_of_the_triggerer_loses_no_gate_and_opens_one_batch_too_many_at_most(
    running: Pipelines,
) -> None:
    run, before = running.start("killed"), Counter(running.submissions)
    running.airflow.wait_until(lambda: running.states("killed", run)["success"] >= SLOTS, 120)
    running.airflow.kill("triggerer")
    assert running.states("killed", run) == {"success": SLOTS, "deferred": GATES - SLOTS}
    running.airflow.launch("triggerer")
    ended = {"success": GATES}
    running.airflow.wait_until(lambda: running.states("killed", run) == ended, 240)
    tries = {task["try_number"] for task in running.airflow.task_instances("killed", run)}
    state = running.airflow.wait_for("killed", run, 120)
    found = running.submissions - before
    assert sum(found.values()) == GATES
    assert found[429] <= SLOTS
    assert (state, max(tries)) == ("failed" if found[429] else "success", 1)
