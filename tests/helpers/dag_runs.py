"""Run a DAG of this repository in this process, through Airflow's own ``dag.test()``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG

ROOT = Path(__file__).parents[2]


def load(file: str) -> dict[str, DAG]:
    """The DAGs of a file, by id, as Airflow reads them."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag

    bag = DagBag(str(ROOT / file))
    assert not bag.import_errors
    dags: dict[str, DAG] = bag.dags
    return dags


def run(dag: DAG) -> dict[tuple[str, int], Any]:
    """Run a DAG to its end; its task instances by task id and map index."""
    dag_run = dag.test()
    return {(ti.task_id, ti.map_index): ti for ti in dag_run.get_task_instances()}
