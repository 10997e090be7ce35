"""The audits of a fortnight, and gates that wait, for a local Airflow to look around in."""

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_useapi.operators.useapi import UseApiAuditOperator
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

CONNECTIONS = ["useapi_default", "useapi_studio", "useapi_team"]

with DAG("nightly_audit", schedule=None, tags=["useapi"]):
    UseApiAuditOperator.partial(task_id="audit", min_credits={"kling": 500}).expand(
        useapi_conn_id=CONNECTIONS
    )

with DAG(
    "video_pipeline",
    schedule=None,
    tags=["useapi"],
    default_args={"timeout": timedelta(days=2), "poke_interval": 15},
):
    UseApiAccountSensor(
        task_id="wait_for_kling", service="kling", min_active_accounts=3, deferrable=True
    )
    UseApiAccountSensor(
        task_id="wait_for_studio",
        useapi_conn_id="useapi_studio",
        service="mureka",
        mode="reschedule",
    )
    UseApiAccountSensor(
        task_id="wait_for_slots",
        useapi_conn_id="useapi_team",
        service="minimax",
        min_free_job_slots=100,
        deferrable=True,
        start_from_trigger=True,
        end_from_trigger=True,
    )
