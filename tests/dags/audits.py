"""Audits for the tests of whole runs: mapped, each with its check, and a DAG that follows one."""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.assets import account_asset, new_findings
from airflow_provider_useapi.operators.useapi import UseApiAuditCheckOperator, UseApiAuditOperator

with DAG("audits", schedule=None, start_date=datetime(2026, 1, 1)):
    audits = UseApiAuditOperator.partial(task_id="audit").expand(
        useapi_conn_id=["useapi_default", "useapi_studio"]
    )
    UseApiAuditCheckOperator.partial(task_id="check", retries=3).expand(audit=audits.output)

with DAG(
    "audit_templated",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    params={"conn_id": "useapi_default"},
):
    audit = UseApiAuditOperator(task_id="audit", useapi_conn_id="{{ params.conn_id }}")
    UseApiAuditCheckOperator(task_id="check", audit=audit.output, fail_on="warning", retries=3)

with DAG("audit_linked_accounts", schedule=None, start_date=datetime(2026, 1, 1)):
    audits = UseApiAuditOperator.partial(
        task_id="audit", min_credits={"Kling API": 500, "google-flow": 100}
    ).expand(useapi_conn_id=["useapi_default", "useapi_studio", "useapi_third"])
    UseApiAuditCheckOperator.partial(task_id="check").expand(audit=audits.output)

with DAG("tickets", schedule=[account_asset("useapi_default")], start_date=datetime(2026, 1, 1)):

    @task
    def tickets(**context: object) -> list[str]:
        """Return what is new, so that a test can see it."""
        return [f"{found['conn_id']}: {found['code']}" for found in new_findings(context)]

    tickets()
