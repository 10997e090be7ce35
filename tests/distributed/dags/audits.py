"""Audits of connections on which no gate waits."""

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_useapi.operators.useapi import UseApiAuditOperator
from tests.distributed.plan import WATCHED, audited_id

with DAG("audits", schedule=None):
    for number in range(WATCHED):
        UseApiAuditOperator(
            task_id=f"audit_{number}",
            useapi_conn_id=audited_id(number),
            retries=20,
            retry_delay=timedelta(seconds=5),
        )
