"""The polls of an event loop, and the holds that all of them keep."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from airflow_provider_useapi.triggers.holds import Holds
from airflow_provider_useapi.triggers.shared_poll import Poll


class _Loop:
    """What belongs to one event loop."""

    def __init__(self) -> None:
        self.holds = Holds()
        self.shared: dict[tuple[str, float], Poll] = {}


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()


def _here() -> _Loop:
    return _loops.setdefault(asyncio.get_running_loop(), _Loop())


def shared_poll(conn_id: str, interval: float) -> Poll:
    """
    The one poll of this event loop for a connection and an interval.

    It outlives its listeners for a while, so that whoever comes next does not ask again too soon.
    """
    here, key = _here(), (conn_id, interval)
    if key not in here.shared:
        for idle in [each for each, poll in here.shared.items() if poll.is_idle]:
            del here.shared[idle]
        here.shared[key] = Poll(conn_id, interval, here.holds)
    return here.shared[key]


def own_poll(conn_id: str, interval: float, delay: float = 0.0) -> Poll:
    """
    A poll for one listener, where Airflow shares no streams; it keeps the holds all the same.

    :param delay: seconds until its first look.
    """
    return Poll(conn_id, interval, _here().holds, delay)
