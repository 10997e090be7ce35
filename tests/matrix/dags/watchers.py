"""A DAG that runs when an account is ready: of Airflow 3, whose assets have watchers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger

ready = Asset(
    "minimax_ready",
    watchers=[
        AssetWatcher(
            name="minimax",
            trigger=UseApiAccountEventTrigger(
                useapi_conn_id="watched", service="minimax", poke_interval=2
            ),
        )
    ],
)

with DAG("follows", schedule=[ready], start_date=datetime(2026, 1, 1)):

    @task
    def follow(triggering_asset_events: Any = None) -> str:
        """What the event says."""
        (event,) = triggering_asset_events[ready]
        return str(event.extra["payload"]["state"])

    follow()
