"""The same gates as a function that asks with requests."""

from datetime import datetime

import requests
from airflow.sdk import DAG, BaseHook, PokeReturnValue, task

from benchmarks.server import ACCOUNT
from benchmarks.ways import PACE, WAYS, task_ids


def gate():
    connection = BaseHook.get_connection("http_default")
    url = f"{connection.schema}://{connection.host}:{connection.port}{ACCOUNT}"
    response = requests.get(url, timeout=30)
    response.raise_for_status()
    account = response.json()
    return PokeReturnValue(account["subscriptionIsActive"], account)


for way in WAYS:
    if way.kind == "task":
        with DAG(way.dag_id, schedule=None, start_date=datetime(2026, 1, 1)):
            for task_id in task_ids():
                task.sensor(task_id=task_id, **PACE, **way.arguments)(gate)()
