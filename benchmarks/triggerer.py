"""A real ``airflow triggerer``, and deferred tasks for it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.processes import children, cpu_seconds
from benchmarks.seed import Batch
from tests.system.stack import LocalAirflow, LocalAirflowError

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".airflow" / "benchmarks"
ON_POSTGRES = HOME.with_name("benchmarks-postgres")
AT_A_TIME = 500
"""Triggers that are taken up in a turn of a second; Airflow's own default is 50."""

ROOM = 100
"""Triggers that a triggerer could take besides: a full one asks its database for less."""

TAKE_UP = 300.0
"""Seconds until all triggers have to have started."""

_ROWS = ("trigger", "task_instance", "dag_run", "job", "xcom", "callback")
_WAITING = "SELECT COUNT(*) FROM task_instance WHERE state = 'deferred'"
"""The probe is one of them."""
_FIRED = "Trigger fired event"
_PROBE = Contender("", "benchmarks.loop_lag.LoopLagTrigger", dag_id="waiting")


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the two processes of a triggerer."""

    runner: float
    supervisor: float

    @property
    def both(self) -> float:
        """The sum."""
        return self.runner + self.supervisor

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.runner - other.runner, self.supervisor - other.supervisor)

    def __mul__(self, factor: float) -> Cost:
        return Cost(self.runner * factor, self.supervisor * factor)


class Triggerer(LocalAirflow):
    """
    An Airflow of which only the triggerer runs, on a database without runs.

    :param connections: Airflow's connections, for the environment.
    :param capacity: how many triggers it takes.
    :param database: SQLAlchemy's URL of an empty database; a SQLite that is kept when not given.
    :param at_a_time: triggers that are taken up in a turn.
    """

    def __init__(
        self,
        connections: Mapping[str, str],
        capacity: int,
        database: str | None = None,
        at_a_time: int = AT_A_TIME,
    ) -> None:
        home = ON_POSTGRES if database else HOME
        self._lags = home / "lags"
        self._offset = 0
        env = {
            **connections,
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__TRIGGERER__CAPACITY": str(capacity + 1),  # the probe is one as well
            "AIRFLOW__TRIGGERER__MAX_TRIGGER_TO_SELECT_PER_LOOP": str(at_a_time),
        }
        super().__init__(home, ROOT / "benchmarks" / "dags", env, ["triggerer"], database)

    def start(self) -> None:
        """Begin anew, and wait until the triggerer runs its first trigger, the probe."""
        raise_file_limit()
        shutil.rmtree(self.home / "logs", ignore_errors=True)
        self._lags.unlink(missing_ok=True)
        if self.home.name == ON_POSTGRES.name:
            (self.home / "migrated.json").unlink(missing_ok=True)  # a new database each time
        elif (HOME / "airflow.db").exists():
            with closing(sqlite3.connect(HOME / "airflow.db")) as database, database:
                for table in _ROWS:
                    database.execute(f"DELETE FROM {table}")  # noqa: S608
        super().start()

    def wait_healthy(self, timeout: float = 120.0) -> None:
        """Wait until the probe writes."""
        self.seed(_PROBE, 1, 1_000_000, path=str(self._lags))
        self._until(lambda: self._lags.exists() and self._lags.stat().st_size, timeout, "No probe")

    def define(self, connections: Mapping[str, str]) -> None:
        """Write connections into the database: their URIs by their ids."""
        file = self.home / "connections.json"
        file.write_text(json.dumps(connections))
        airflow = Path(sys.executable).with_name("airflow")
        subprocess.run(
            [airflow, "connections", "import", file],
            check=True,
            env=dict(self._environ),
            stdout=subprocess.DEVNULL,
        )

    def seed(
        self,
        contender: Contender,
        count: int,
        first: int = 0,
        each: Sequence[Mapping[str, Any]] = ({},),
        **kwargs: Any,
    ) -> None:
        """
        Let that many more tasks wait.

        :param each: arguments in which they differ, taken in turn.
        """
        arguments = {**contender.kwargs, **kwargs}
        batch = Batch(contender.dag_id, first, count, contender.classpath, arguments, each)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.seed"],
            input=json.dumps(asdict(batch)),
            text=True,
            check=True,
            env=dict(self._environ),
            stdout=subprocess.DEVNULL,
        )

    def wait_taken_up(self, count: int, timeout: float = TAKE_UP) -> float:
        """Wait until that many triggers have started, and return how many seconds that took."""
        began = time.monotonic()
        self._until(lambda: self._started_triggers() >= count, timeout, f"{count} do not wait")
        return time.monotonic() - began

    def cost(self) -> Cost:
        """The CPU time so far."""
        return Cost(cpu_seconds(self.runner), cpu_seconds(self.supervisor))

    @property
    def supervisor(self) -> int:
        """The process that talks to the database."""
        return self._processes["triggerer"].pid

    @cached_property
    def runner(self) -> int:
        """Of its two children, not the one that serves logs: the one that talks to its parent."""
        for child in children(self.supervisor):
            if str(Path(f"/proc/{child}/fd/0").readlink()).startswith("socket:"):
                return child
        raise LocalAirflowError("The triggerer runs no triggers.")

    def lags(self) -> list[float]:
        """How late the event loop was since the last time, every 10 ms, in milliseconds."""
        with self._lags.open() as file:
            file.seek(self._offset)
            lines = file.read()
            self._offset = file.tell()
        return [float(line) for line in lines.split()]

    def wait_released(self, count: int, timeout: float = 120.0) -> None:
        """Wait until no task waits any more, and that many triggers have logged that they fired."""
        self._until(lambda: self.query(_WAITING)[0][0] == 1, timeout, "Not all are released")
        # The log has a way of its own: what the last triggers say may come after their events.
        self._until(lambda: len(self.fired()) >= count, timeout, "Not all have logged their event")

    def fired(self) -> list[float]:
        """When each trigger fired, as the runner's log says, in seconds since the epoch."""
        events = (json.loads(line) for log in self._trigger_logs() for line in log.open())
        moments = [each["timestamp"] for each in events if each["event"] == _FIRED]
        # A line that comes after its trigger's log was closed is in that of the triggerer.
        lines = self._log_of("triggerer").read_text().splitlines()
        moments += [line.split()[0] for line in lines if _FIRED in line]
        return [datetime.fromisoformat(moment).timestamp() for moment in moments]

    def written(self) -> list[float]:
        """When the new state of each task was written, in seconds since the epoch."""
        found = self.query(
            "SELECT COALESCE(end_date, scheduled_dttm) FROM task_instance WHERE state <> 'deferred'"
        )
        return [datetime.fromisoformat(f"{moment}+00:00").timestamp() for (moment,) in found]

    def waiting(self) -> int:
        """How many tasks wait."""
        return int(self.query(_WAITING)[0][0]) - 1

    def check_waiting(self, count: int) -> None:
        """
        See to it that what was measured were triggers that wait.

        :raises LocalAirflowError: if one has ended.
        """
        if (found := self.waiting()) != count:
            raise LocalAirflowError(f"{found} of {count} triggers wait; see {self.logs}.")

    def _started_triggers(self) -> int:
        return sum(1 for _ in self._trigger_logs())

    def _trigger_logs(self) -> Iterator[Path]:
        """The logs of the triggers; each is opened when its trigger starts."""
        logs = self.home / "logs"
        for run in logs.glob("dag_id=*/run_id=*/task_id=*"):
            for task in os.scandir(run):
                if task.name != "map_index=1000000":
                    yield from Path(task.path).glob("*.trigger.*.log")


def raise_file_limit() -> int:
    """Allow as many open files as may be: a triggerer keeps a log open for each trigger."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def until(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
