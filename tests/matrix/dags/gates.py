"""
What every Airflow has to bring to its end, by itself: each DAG runs once, as soon as it is read.

A task has a connection of its name, which leads to a sandbox of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.assets import account_asset, new_findings
from airflow_provider_useapi.operators.useapi import (
    UseApiAccountOperator,
    UseApiAuditCheckOperator,
    UseApiAuditOperator,
)
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

BEGIN = datetime(2026, 1, 1)
AGAIN = {"retries": 3, "retry_delay": timedelta(seconds=1)}
"""Short, so that a try too many would show while the test looks."""

WORKERLESS = {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True}
MODES: dict[str, dict[str, Any]] = {
    "poke": {"mode": "poke", "poke_interval": 1},
    # Not below, its last look at the time-out neither: a task that comes back to the scheduler
    # within seconds looks dead to it.
    "reschedule": {"mode": "reschedule", "poke_interval": 15},
    "deferred": {"deferrable": True, "poke_interval": 5},
    "zero": {**WORKERLESS, "poke_interval": 5},
}

KINDS: dict[str, dict[str, Any]] = {
    "opens": {"service": "minimax", "timeout": 240},
    "refused": {"timeout": 240},
    "closed": {"timeout": 30},
    "lenient": {"timeout": 30, "soft_fail": True},
}

with DAG("gates", schedule="@once", start_date=BEGIN, default_args=AGAIN):
    for mode, arguments in MODES.items():
        for kind, others in KINDS.items():
            name = f"{kind}_{mode}"
            UseApiAccountSensor(task_id=name, useapi_conn_id=name, **arguments, **others)

    UseApiAccountSensor(
        task_id="remembers",
        useapi_conn_id="remembers",
        mode="reschedule",
        poke_interval=20,
        timeout=35,
    )
    UseApiAccountSensor.partial(
        task_id="mapped", useapi_conn_id="mapped", poke_interval=5, timeout=240, deferrable=True
    ).expand(service=["minimax", "Runway AP"])

with DAG("account", schedule="@once", start_date=BEGIN, default_args=AGAIN):
    UseApiAccountOperator(task_id="account", useapi_conn_id="account")
    audit = UseApiAuditOperator(task_id="audit", useapi_conn_id="audit")
    UseApiAuditCheckOperator(task_id="check", audit=audit.output)

with DAG("tickets", schedule=[account_asset("audit")], start_date=BEGIN):

    @task
    def tickets(**context: Any) -> list[str]:
        """What a DAG is told that follows the account."""
        return [found["code"] for found in new_findings(context)]

    tickets()
