"""Gates of this provider, a DAG for each way to wait."""

from datetime import datetime

from airflow.sdk import DAG

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from benchmarks.ways import PACE, WAYS, task_ids

for way in WAYS:
    if way.kind == "ours":
        with DAG(way.dag_id, schedule=None, start_date=datetime(2026, 1, 1)):
            for task_id in task_ids():
                UseApiAccountSensor(task_id=task_id, service="minimax", **PACE, **way.arguments)
