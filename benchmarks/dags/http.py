"""The same gates as HttpSensor, a DAG for each way to wait."""

from datetime import datetime

from airflow.providers.http.sensors.http import HttpSensor
from airflow.sdk import DAG

from benchmarks.server import ACCOUNT, HIDDEN
from benchmarks.ways import PACE, WAYS, task_ids


def is_active(response):
    return response.json()["subscriptionIsActive"]


for way in WAYS:
    if way.kind == "http":
        # With a condition it would not defer at all; without one it waits for anything but a 404.
        found = {"endpoint": HIDDEN}
        if not way.arguments.get("deferrable"):
            found = {"endpoint": ACCOUNT, "response_check": is_active}
        with DAG(way.dag_id, schedule=None, start_date=datetime(2026, 1, 1)):
            for task_id in task_ids():
                HttpSensor(task_id=task_id, **found, **PACE, **way.arguments)
