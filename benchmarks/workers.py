"""What gates take of the workers, in a whole Airflow."""

from __future__ import annotations

import re
import time

from benchmarks.processes import cpu_seconds, descendants, title
from benchmarks.report import Cell, Table, ratio
from benchmarks.server import Server
from benchmarks.triggerer import ROOT
from benchmarks.ways import FLOOR, GATES, HTTP_DEFERRABLE, INTERVAL, OURS_DEFERRABLE, WAYS, Way
from tests.system.stack import LocalAirflow

CLOSED = 15.0
"""Seconds after the first look until the account becomes active."""

_LIMIT = 180.0
_WORKER = "airflow worker -- LocalExecutor"
_STARTED = re.compile(r"method=PATCH path=/execution/task-instances/\S+/run .*status_code=200")


class WholeAirflow(LocalAirflow):
    """An Airflow with every component, whose workers are measured."""

    def worker_seconds(self) -> float:
        """CPU seconds of the executor's workers and the tasks they ran, while none is running."""
        scheduler = self._processes["scheduler"].pid
        workers = [pid for pid in descendants(scheduler) if title(pid).startswith(_WORKER)]
        return sum(cpu_seconds(pid, reaped=True) for pid in workers)

    def processes_started(self) -> int:
        """How many task processes have reported for work so far."""
        return len(_STARTED.findall((self.logs / "api-server.log").read_text()))


def workers() -> Table:
    """Ours in four modes, and the peers in theirs."""
    table = Table(
        (
            "gate",
            "worker processes a gate",
            "worker CPU s a gate",
            "requests of all",
            "run ended after s",
        )
    )
    home, dags = ROOT / ".airflow" / "benchmarks-whole", ROOT / "benchmarks" / "dags"
    components = ("api-server", "scheduler", "dag-processor", "triggerer")
    cpu: dict[str, float] = {}
    with Server() as server:
        env = {**server.connections(), "PYTHONPATH": str(ROOT)}
        with WholeAirflow(home, dags, env, components) as airflow:
            for way in WAYS:
                airflow.unpause(way.dag_id)
            _run(airflow, server, FLOOR)  # the first run starts the executor's workers
            for way in WAYS:
                row = _run(airflow, server, way)
                cpu[way.dag_id] = float(row[2])
                table.add(*row)
    less = ratio(cpu[OURS_DEFERRABLE.dag_id], cpu[HTTP_DEFERRABLE.dag_id])
    table.notes.append(
        f"Each line is {GATES} gates, {INTERVAL:g} s between looks, on an account that becomes"
        f" active {CLOSED:g} s after the first look, from which the last column counts. Deferrable,"
        f" ours takes {less} of HttpSensor's CPU."
    )
    return table


def _run(airflow: WholeAirflow, server: Server, way: Way) -> list[Cell]:
    """A run of all gates of a way."""
    server.set_active(False)
    server.take()
    processes, cpu = airflow.processes_started(), airflow.worker_seconds()
    run_id = airflow.trigger(way.dag_id)
    times = () if way is FLOOR else _opened(server)
    state = airflow.wait_for(way.dag_id, run_id, _LIMIT)
    lasted = time.time() - times[0] if times else "-"
    if state != "success":
        raise RuntimeError(f"The run of {way.dag_id} is {state}; see {airflow.logs}.")
    time.sleep(7)  # the processes take their time to end
    return [
        way.name,
        (airflow.processes_started() - processes) / GATES,
        (airflow.worker_seconds() - cpu) / GATES,
        len(times) + len(server.take().times),
        lasted,
    ]


def _opened(server: Server) -> tuple[float, ...]:
    """Let the account become active a while after the first look; return when the looks were."""
    times: tuple[float, ...] = ()
    while not times:
        time.sleep(0.1)
        times = server.take().times
    time.sleep(max(0.0, times[0] + CLOSED - time.time()))
    server.set_active(True)
    return times
