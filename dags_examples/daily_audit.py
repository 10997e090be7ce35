"""
A daily audit of several connections.

Each connection has an audit and a check. The audit succeeds and is remembered, whatever it finds;
the check fails, without retries, when something critical was found.
"""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG, task_group

from airflow_provider_useapi.operators.useapi import UseApiAuditCheckOperator, UseApiAuditOperator

with DAG(
    "useapi_daily_audit",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # the account cannot be asked how it was yesterday
    default_args={"retries": 3},  # for hours when the API is down
    tags=["useapi"],
):
    # A group for each connection: one that cannot be audited does not hide the others.
    @task_group
    def audited(conn_id: str) -> None:
        """Audit one connection."""
        audit = UseApiAuditOperator(task_id="audit", useapi_conn_id=conn_id)
        UseApiAuditCheckOperator(task_id="check", audit=audit.output, fail_on="critical")

    audited.expand(conn_id=["useapi_default", "useapi_studio"])
