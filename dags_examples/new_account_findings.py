"""
A daily audit that tells people of what is new, linked account by linked account.

The audit names each account in trouble by a hint of its address. What was found yesterday is not
told again today; one that is mended and breaks again is. The mark of an account stays the same from
day to day, so that a chat or a ticket system can keep one thread for each.
"""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.assets import account_asset, new_findings
from airflow_provider_useapi.operators.useapi import UseApiAuditOperator

with DAG(
    "useapi_audit_of_linked_accounts",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # the accounts cannot be asked how they were yesterday
    tags=["useapi"],
):
    UseApiAuditOperator(
        task_id="audit",
        retries=3,  # for hours when the API is down
        session_min_days=5,  # logins that have to be renewed by hand
        min_credits={"kling": 500},  # read live, once a day
    )

with DAG(
    "useapi_new_account_findings",
    schedule=[account_asset("useapi_default")],
    start_date=datetime(2026, 1, 1),
    tags=["useapi"],
):

    @task
    def tell(**context: object) -> None:
        """Your own chat goes here; this one prints what it would send."""
        for found in new_findings(context):
            thread = f"{found['service'] or 'account'} {found.get('ref', '')}".strip()
            print(f"[{thread}] {found['severity']} {found['code']}: {found['message']}")

    tell()
