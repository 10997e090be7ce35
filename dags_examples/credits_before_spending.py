"""
A pipeline that looks at the credits before it spends anything on the steps before.

Scripts, voices and pictures cost money, too. Whoever finds out at the last step that no account has
the credits for the videos has paid for all of them. The gate reads the credits last, once
everything else holds, live at the service with the login of each account, and not again within ten
minutes. It asks for one account that has enough: several may share one pool, so that a sum would
say too much.
"""

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

with DAG(
    "useapi_credits_before_spending",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["useapi"],
):
    gate = UseApiAccountSensor(
        task_id="wait_for_kling",
        service="kling",
        min_free_job_slots=1,
        min_credits=200,  # what the videos of one run take
        deferrable=True,
        timeout=timedelta(hours=6),
    )

    @task
    def write_script() -> str:
        """Your own work goes here; this is what would be paid for in vain."""
        return "a cat looks out of the window"

    @task
    def make_videos(script: str) -> None:
        """The step that takes the credits; this one prints what it would submit."""
        print(f"submitting: {script}")

    script = write_script()
    gate >> script
    make_videos(script)
