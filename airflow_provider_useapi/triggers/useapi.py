"""The triggers, under the path that Airflow stores."""

from __future__ import annotations

from airflow_provider_useapi.triggers.asset_watcher import UseApiAccountEventTrigger
from airflow_provider_useapi.triggers.deferred_gate import UseApiAccountTrigger

__all__ = ["UseApiAccountEventTrigger", "UseApiAccountTrigger"]
