"""
Write deferred tasks and their triggers into Airflow's database, as a scheduler would.

A process of its own, in the environment of the Airflow concerned: ``python -m benchmarks.seed``
with a :class:`Batch` as JSON on standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

RUN_ID, TASK_ID = "benchmark", "gate"


@dataclass(frozen=True)
class Batch:
    """
    Tasks that wait: map indexes ``first`` to ``first + count - 1`` of the one task of a DAG.

    :param classpath: of the trigger.
    :param kwargs: its arguments.
    :param each: arguments in which they differ, taken in turn.
    """

    dag_id: str
    first: int
    count: int
    classpath: str
    kwargs: Mapping[str, Any]
    each: Sequence[Mapping[str, Any]]


def seed(batch: Batch) -> None:
    """Write them."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    with create_session() as session:
        run, version = _run_of(batch.dag_id, session)
        task = version.serialized_dag.dag.get_task(TASK_ID)
        triggers = [
            Trigger(batch.classpath, {**batch.kwargs, **own})
            for own in islice(cycle(batch.each), batch.count)
        ]
        session.add_all(triggers)
        session.flush()
        for map_index, trigger in enumerate(triggers, batch.first):
            ti = TaskInstance(
                task, version.id, run.run_id, TaskInstanceState.DEFERRED, map_index=map_index
            )
            ti.trigger_id = trigger.id
            ti.next_method, ti.next_kwargs = "execute_complete", {}
            ti.start_date, ti.try_number = datetime.now(UTC), 1
            session.add(ti)


def _run_of(dag_id: str, session: Session) -> tuple[DagRun, Any]:
    """The run of a DAG, made if there is none, and the version of the DAG."""
    from airflow.models.dag_version import DagVersion
    from airflow.models.dagrun import DagRun
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import select

    run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id))
    if run is None:
        _read_dags(session)
    if (version := DagVersion.get_latest_version(dag_id, session=session)) is None:
        raise ValueError(f"There is no DAG {dag_id!r}.")
    if run is None:
        run = DagRun(
            dag_id=dag_id,
            run_id=RUN_ID,
            run_after=datetime.now(UTC),
            start_date=datetime.now(UTC),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
        )
        run.created_dag_version_id = version.id
        session.add(run)
        session.flush()
    return run, version


def _read_dags(session: Session) -> None:
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

    manager = DagBundlesManager()
    manager.sync_bundles_to_db(session=session)
    session.commit()
    (bundle,) = manager.get_all_dag_bundles()
    bundle.initialize()
    bag = BundleDagBag(bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    if bag.import_errors:
        raise RuntimeError(bag.import_errors)
    sync_bag_to_db(bag, bundle.name, bundle_version=None, session=session)
    session.commit()


if __name__ == "__main__":
    seed(Batch(**json.load(sys.stdin)))
