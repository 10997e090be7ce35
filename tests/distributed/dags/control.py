"""Tasks of Airflow's own that wait for a file, in the modes in which gates wait."""

import os
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, BaseOperator
from airflow.triggers.base import StartTriggerArgs

from tests.distributed.plan import FOLDER_VARIABLE, INTERVAL, LONG_INTERVAL

FILE = str(Path(os.environ[FOLDER_VARIABLE], "open"))
RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=2)}
SENSOR = {"filepath": FILE, "poke_interval": INTERVAL, "timeout": 3600, **RETRIES}


class BareTrigger(BaseOperator):
    """A task that a trigger starts and ends."""

    start_from_trigger = True
    start_trigger_args = StartTriggerArgs(
        trigger_cls="tests.distributed.control.FileThere",
        trigger_kwargs={"path": FILE, "interval": INTERVAL},
        next_method="execute_complete",
        next_kwargs=None,
        timeout=None,
    )


with DAG("control", schedule=None, max_active_tasks=100):
    for number in range(24):
        BareTrigger(task_id=f"zero-worker_{number}", **RETRIES)
    for number in range(5):
        FileSensor(task_id=f"deferred_{number}", deferrable=True, **SENSOR)
    for number in range(3):
        rescheduled = {**SENSOR, "mode": "reschedule", "poke_interval": LONG_INTERVAL}
        FileSensor(task_id=f"reschedule_{number}", **rescheduled)
    FileSensor(task_id="poke_0", **SENSOR)
