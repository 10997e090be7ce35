"""
A ticket for each new finding, and none for what is known already.

Runs after every audit of the account, whichever DAG audits it, because it is scheduled on the
account's asset.
"""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.assets import account_asset, new_findings

with DAG(
    "useapi_audit_tickets",
    schedule=[account_asset("useapi_default")],
    start_date=datetime(2026, 1, 1),
    tags=["useapi"],
):

    @task
    def open_tickets(**context: object) -> None:
        """Your own ticket system goes here; this one prints what it would file."""
        for found in new_findings(context):
            service = found["service"] or "account"
            print(f"[{found['severity']}] {found['code']} {service}: {found['message']}")

    open_tickets()
