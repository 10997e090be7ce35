"""An Airflow of any supported release, with what it needs to run tasks and triggers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from airflow_provider_useapi.compat import RELEASE
from tests.system.stack import START_UP, LocalAirflow

HAS_API_SERVER = RELEASE >= (3, 0)
"""Workers of Airflow 3 ask its API server; a scheduler of Airflow 2 reads the DAG files itself."""

COMPONENTS = (
    ("api-server", "scheduler", "dag-processor", "triggerer")
    if HAS_API_SERVER
    else ("scheduler", "triggerer")
)
UNATTENDED = {
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # Seconds until a new file is seen, as Airflow 3 and Airflow 2 have it.
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "3",
    "AIRFLOW__CORE__PARALLELISM": "5",
    # On a busy machine: the four of Airflow 3.0 are ended by the one that watches them, and a
    # task that the API server has not answered in time loses its try.
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
}


class AnyAirflow(LocalAirflow):
    """
    A local Airflow that is asked by its database alone, which all releases have.

    :param home: the Airflow home; created when missing.
    :param dags: the folder of the DAGs; each runs as soon as it is read.
    :param connections: variables of the environment that define connections.
    :param database: SQLAlchemy's URL of an empty database.
    """

    def __init__(
        self, home: Path, dags: Path, connections: Mapping[str, str], database: str
    ) -> None:
        super().__init__(home, dags, {**UNATTENDED, **connections}, COMPONENTS, database)

    def wait_healthy(self, timeout: float = START_UP) -> None:
        """Wait until every component reports that it is healthy."""
        if HAS_API_SERVER:
            super().wait_healthy(timeout)
            return
        expected = {"SchedulerJob", "TriggererJob"}

        def healthy() -> bool:
            running = self.query("SELECT job_type FROM job WHERE state = 'running'")
            return expected <= {job_type for (job_type,) in running}

        self.wait_until(healthy, timeout)

    def states(self, dag_id: str) -> list[str]:
        """The states of the runs of a DAG."""
        runs = self.query(f"SELECT state FROM dag_run WHERE dag_id = '{dag_id}' ORDER BY id")
        return [str(state) for (state,) in runs]

    def tasks(self, dag_id: str) -> dict[tuple[str, int], dict[str, Any]]:
        """The task instances of a DAG, by task and map index."""
        columns = ("task_id", "map_index", "state", "try_number", "max_tries", "hostname")
        found = self.query(
            f"SELECT {', '.join(columns)} FROM task_instance WHERE dag_id = '{dag_id}'"
        )
        return {row[:2]: dict(zip(columns, row, strict=True)) for row in found}

    def event_of_audit(self) -> dict[str, Any]:
        """What the only event of an account's asset holds."""
        table = "asset_event" if HAS_API_SERVER else "dataset_event"
        ((extra,),) = self.query(f"SELECT extra FROM {table} WHERE source_task_id = 'audit'")
        found: dict[str, Any] = _decoded(extra)
        return found

    def xcom_of(self, dag_id: str, task_id: str, map_index: int = -1) -> Any:
        """What a task returned."""
        (value,) = self.xcoms_of(dag_id, task_id, map_index)
        return value

    def xcoms_of(self, dag_id: str, task_id: str, map_index: int = -1) -> list[Any]:
        """What a task returned in each run of its DAG."""
        found = self.query(
            "SELECT value FROM xcom WHERE key = 'return_value' AND "
            f"dag_id = '{dag_id}' AND task_id = '{task_id}' AND map_index = {map_index}"
        )
        return [_decoded(value) for (value,) in found]

    def log_of(self, dag_id: str, task_id: str) -> str:
        """All that the tries of a task wrote, on workers and in the triggerer."""
        folder = f"dag_id={dag_id}/*/task_id={task_id}/**/*"
        texts = [path.read_text() for path in self.logs.glob(folder) if path.is_file()]
        return "\n".join(texts)


def _decoded(value: Any) -> Any:
    """The value of an XCom, which Airflow 2 stores as bytes and Airflow 3 as JSON within JSON."""
    if isinstance(value, memoryview):
        value = bytes(value)
    with suppress(ValueError):
        while isinstance(value, str | bytes):
            value = json.loads(value)
    return value
