"""A trigger that asks nobody and pushes an XCom: the least that a task without a worker takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from time import time
from typing import Any

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

VALUE = {f"field_{number}": number for number in range(10)}


class PushingTrigger(BaseTrigger):
    """
    Sleeps, pushes an XCom through Airflow, and ends its task.

    :param target_time: until when, in ISO format.
    """

    def __init__(self, target_time: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.target_time = target_time

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its argument."""
        return f"{__name__}.{type(self).__name__}", {"target_time": self.target_time}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The end of the task."""
        from airflow.sdk.execution_time.xcom import XCom

        await asyncio.sleep(datetime.fromisoformat(self.target_time).timestamp() - time())
        names = ("dag_id", "task_id", "run_id", "map_index")
        ti = {name: getattr(self.task_instance, name) for name in names}
        await XCom.aset(key="return_value", value=VALUE, **ti)
        yield TaskSuccessEvent()
