"""Render the fields of a DAG's one task as Airflow 3.3 does: on a worker, and in a triggerer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from airflow.executors.workloads import TaskInstanceDTO
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.models.trigger import Trigger
from airflow.providers.common.compat.sdk import DAG
from airflow.sdk.api.datamodels._generated import DagRun, TIRunContext
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.serialization.decoders import smart_decode_trigger_kwargs
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_ID = UUID(int=1)


def stored(dag: DAG) -> dict[str, Any]:
    """What Airflow stores of a DAG."""
    written: dict[str, Any] = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    return written


def rendered_on_worker(dag: DAG, conf: Mapping[str, Any] | None = None) -> UseApiAccountSensor:
    """
    The task, with its fields rendered.

    :param conf: of the run.
    """
    (task,) = dag.tasks
    instance = RuntimeTaskInstance.model_construct(
        **_instance(dag).model_dump(exclude_unset=True),
        task=task,
        _ti_context_from_server=TIRunContext.model_construct(
            dag_run=DagRun(**_run(dag, conf)), max_tries=0
        ),
    )
    instance.render_templates()
    rendered: UseApiAccountSensor = instance.task
    return rendered


def rendered_in_triggerer(dag: DAG, conf: Mapping[str, Any] | None = None) -> UseApiAccountTrigger:
    """
    The trigger that Airflow starts for the task, with its fields rendered.

    :param conf: of the run.
    """
    encoded = stored(dag)
    instance = TriggerRunner.create_runtime_ti(_instance(dag), encoded, _run(dag, conf))
    start = DagSerialization.from_dict(encoded).get_task(instance.task_id).start_trigger_args
    row = Trigger(start.trigger_cls, start.trigger_kwargs)
    arguments = Trigger._decrypt_kwargs(row.encrypted_kwargs)
    trigger = UseApiAccountTrigger(
        **{name: smart_decode_trigger_kwargs(value) for name, value in arguments.items()}
    )
    trigger.task_instance = instance
    trigger.render_template_fields(instance.get_template_context())
    return trigger


def _instance(dag: DAG) -> TaskInstanceDTO:
    (task,) = dag.tasks
    return TaskInstanceDTO(
        id=_ID,
        dag_id=dag.dag_id,
        task_id=task.task_id,
        run_id="manual__2026",
        try_number=1,
        map_index=-1,
        dag_version_id=_ID,
        pool_slots=1,
        queue="default",
        priority_weight=1,
    )


def _run(dag: DAG, conf: Mapping[str, Any] | None) -> dict[str, Any]:
    moments = ("run_after", "start_date", "logical_date", "data_interval_start")
    return {
        "dag_id": dag.dag_id,
        "run_id": "manual__2026",
        **dict.fromkeys((*moments, "data_interval_end"), _NOW),
        "end_date": None,
        "run_type": "manual",
        "state": "running",
        "conf": conf,
        "consumed_asset_events": [],
        "partition_key": None,
    }
