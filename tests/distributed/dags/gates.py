"""The gates of each connection, a DAG of their own."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.distributed.plan import (
    INTERVAL,
    SERVICES,
    Mode,
    connection_id,
    connections,
    dag_of,
    gates_of,
    wants_free_slots,
)

RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=2)}

for connection in range(connections()):
    with DAG(dag_of(connection), schedule=None, max_active_tasks=100):
        for gate in gates_of(connection):
            common = {
                "task_id": gate.task_id,
                "useapi_conn_id": connection_id(connection),
                "poke_interval": INTERVAL,
                "timeout": 3600,
                **RETRIES,
                **gate.arguments,
            }
            if gate.mode is Mode.MAPPED:
                UseApiAccountSensor.partial(**common).expand(service=list(SERVICES))
            elif wants_free_slots(connection):
                UseApiAccountSensor(service="kling", min_free_job_slots=1, **common)
            else:
                UseApiAccountSensor(service="minimax", **common)
