"""The DAGs whose tasks wait in the triggerer."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

with DAG("waiting", schedule=None, start_date=datetime(2026, 1, 1)):
    EmptyOperator(task_id="gate")  # what waits for it is the trigger, whichever that is

with DAG("workerless", schedule=None, start_date=datetime(2026, 1, 1)):
    UseApiAccountSensor(
        task_id="gate",
        service="minimax",
        deferrable=True,
        start_from_trigger=True,
        end_from_trigger=True,
    )
