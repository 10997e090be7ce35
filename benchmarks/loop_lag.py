"""A trigger that measures how late the event loop of a triggerer is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

PERIOD = 0.01
_A_SECOND = round(1 / PERIOD)


class LoopLagTrigger(BaseTrigger):
    """
    Wants to run every 10 ms, and writes down by how much it came late each time.

    The moments are fixed beforehand: a loop that is held up for 100 ms is late for ten of them.

    :param path: the file for the lags, in milliseconds, a line each.
    """

    def __init__(self, path: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path = path

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its argument."""
        return f"{__name__}.{type(self).__name__}", {"path": self.path}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Measure, without end."""
        due = monotonic()
        with Path(self.path).open("a", buffering=1) as file:  # noqa: ASYNC230 - tens of microseconds
            for _ in count():
                lags = []
                for _ in range(_A_SECOND):
                    due += PERIOD
                    if (left := due - monotonic()) > 0:
                        await asyncio.sleep(left)
                    lags.append(monotonic() - due)
                file.write("".join(f"{lag * 1000:.3f}\n" for lag in lags))
        yield TriggerEvent(None)  # never; it makes this a generator
