"""Watchers of some connections, and what follows when a subscription becomes active."""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger
from tests.distributed.plan import INTERVAL, WATCHED, asset_of, connection_id, connections

for connection in range(min(WATCHED, connections())):
    trigger = UseApiAccountEventTrigger(
        useapi_conn_id=connection_id(connection), poke_interval=INTERVAL
    )
    asset = Asset(
        asset_of(connection), watchers=[AssetWatcher(name=asset_of(connection), trigger=trigger)]
    )
    with DAG(f"follows_{connection:02}", schedule=[asset]):
        EmptyOperator(task_id="follow")
