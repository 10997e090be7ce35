"""A trigger of Airflow's own kind, which shares nothing with ours but the faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent


class FileThere(BaseTrigger):
    """
    Wait for a file, and end the task with success.

    :param path: of the file.
    :param interval: seconds between two looks.
    """

    def __init__(self, path: str, interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path, self.interval = path, interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its arguments."""
        return f"{__name__}.FileThere", {"path": self.path, "interval": self.interval}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until the file is there."""
        while not Path(self.path).exists():  # noqa: ASYNC240 - a file on a local disk
            await asyncio.sleep(self.interval)
        yield TaskSuccessEvent()
