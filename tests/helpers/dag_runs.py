"""Run a DAG of this repository in this process, through Airflow's own ``dag.test()``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG

ROOT = Path(__file__).parents[2]


def read(file: str) -> tuple[dict[str, DAG], dict[str, str]]:
    """The DAGs of a file, by id, as Airflow reads them, and what it has against them, by file."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag

    bag = DagBag(str(ROOT / file))
    return bag.dags, bag.import_errors


def load(file: str) -> dict[str, DAG]:
    """The DAGs of a file, by id, which Airflow has nothing against."""
    dags, errors = read(file)
    assert not errors
    return dags


def run(dag: DAG) -> dict[tuple[str, int], Any]:
    """Run a DAG to its end; its task instances by task id and map index."""
    dag_run = dag.test()
    return {(ti.task_id, ti.map_index): ti for ti in dag_run.get_task_instances()}
