"""
A daily look at the accounts of several connections.

One mapped task for each connection; what each found is in XCom, by connection, day after day.
"""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.operators.useapi import UseApiAccountOperator

# One Airflow connection for each useapi.net subscription.
CONNECTIONS = ["useapi_default", "useapi_studio"]

with DAG(
    "useapi_daily_account",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # the account cannot be asked how it was yesterday
    tags=["useapi"],
):
    accounts = UseApiAccountOperator.partial(
        task_id="account",
        retries=3,  # for hours when the API is down; a refused token is not tried again
    ).expand(useapi_conn_id=CONNECTIONS)

    @task
    def report(accounts: list[dict]) -> None:
        """Say in a line for each connection how it is."""
        for conn_id, account in zip(CONNECTIONS, accounts, strict=True):
            state = "active" if account["subscriptionIsActive"] else "NOT ACTIVE"
            broken = [s["name"] for s in account["services"].values() if s["error"]]
            print(f"{conn_id}: subscription {state}; in error: {', '.join(broken) or 'none'}")

    report(accounts.output)
