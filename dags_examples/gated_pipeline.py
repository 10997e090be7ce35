"""
A pipeline that waits until useapi.net is ready for it.

The gate stays closed until the subscription is active, at least two MiniMax accounts work, and two
videos can start right now. It waits in the triggerer and needs no worker at all (Airflow 3.3; on an
earlier one a worker makes its first look and ends it).
"""

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.operators.useapi import UseApiAccountOperator
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

with DAG("useapi_gated_pipeline", schedule=None, start_date=datetime(2026, 1, 1), tags=["useapi"]):
    gate = UseApiAccountSensor(
        task_id="wait_for_minimax",
        service="minimax",
        min_active_accounts=2,
        min_free_job_slots=2,
        deferrable=True,
        start_from_trigger=True,
        end_from_trigger=True,
        poke_interval=10,  # seconds; once a minute is often enough
        timeout=timedelta(hours=6),
    )

    account = UseApiAccountOperator(task_id="account")

    @task
    def generate(account: dict) -> None:
        """Your own work goes here; this one prints what it has to work with."""
        print(f"{'service':<20}{'active':>8}{'error':>8}{'left':>8}")
        for service in account["services"].values():
            left = service["allocations_left"]
            print(f"{service['name']:<20}{service['active']:>8}{service['error']:>8}{left!s:>8}")

    gate >> account
    generate(account.output)
