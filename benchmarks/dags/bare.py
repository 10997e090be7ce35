"""Sensors that ask nobody and are open at once: what a task takes of a worker in any case."""

from datetime import datetime

from airflow.sdk import DAG, BaseSensorOperator

from benchmarks.ways import FLOOR, PACE, task_ids


class OpenSensor(BaseSensorOperator):
    """Open at its first look."""

    def poke(self, context):
        """Open."""
        return True


with DAG(FLOOR.dag_id, schedule=None, start_date=datetime(2026, 1, 1)):
    for task_id in task_ids():
        OpenSensor(task_id=task_id, **PACE, **FLOOR.arguments)
