"""The triggers, under the path that Airflow stores."""

from __future__ import annotations

from airflow_provider_useapi.triggers.gate import UseApiAccountTrigger
from airflow_provider_useapi.triggers.watcher import UseApiAccountEventTrigger

__all__ = ["UseApiAccountEventTrigger", "UseApiAccountTrigger"]
