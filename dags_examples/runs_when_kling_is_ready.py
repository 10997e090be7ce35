"""
A pipeline that runs whenever Kling becomes available (Airflow 3.0 and later).

The watcher looks once a minute and fires on the edge: one run when Kling opens, none while it stays
open. It shares its requests with the gates that wait on the same connection at the same interval.
"""

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger

kling_is_ready = Asset(
    "kling_is_ready",
    watchers=[
        AssetWatcher(
            name="kling",
            trigger=UseApiAccountEventTrigger(
                useapi_conn_id="useapi_default",
                service="kling",
                min_active_accounts=1,
                poke_interval=60,
                fire_on="open",
            ),
        )
    ],
)

with DAG(
    "useapi_runs_when_kling_is_ready",
    schedule=[kling_is_ready],
    start_date=datetime(2026, 1, 1),
    tags=["useapi"],
):

    @task
    def generate(triggering_asset_events: Any = None) -> None:
        """Your own work goes here; this one prints what the watcher saw."""
        for event in triggering_asset_events[kling_is_ready]:
            seen = event.extra["payload"]
            print(f"{seen['service']}: {seen['active']} of {seen['total']} accounts active")

    generate()
