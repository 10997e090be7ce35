"""How long it takes from an account that becomes active until all gates are through."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from benchmarks.contenders import HTTP_EVENT, INTERVAL, Contender, ours, sleepers
from benchmarks.report import Table
from benchmarks.server import Server
from benchmarks.triggerer import Triggerer, until

GATES = 1000
PUSHERS = Contender(
    "sleep, then XCom.aset, the floor", "benchmarks.pushing.PushingTrigger", {"target_time": ""}
)
_AHEAD = 30.0
"""Seconds after which the sleepers fire: all of them have to sleep by then."""


def release() -> Table:
    """Ours, a peer, and triggers that fire by the clock."""
    table = Table(
        ("trigger", "ends the task", "first event s", "last event s", "last state written s")
    )
    ending = {"end_from_trigger": True}
    for contender, how in (
        (HTTP_EVENT, "on a worker"),
        (ours("UseApiAccountTrigger"), "on a worker"),
        (sleepers("", "DateTimeTrigger, the floor"), "on a worker"),
        (ours("UseApiAccountTrigger", **ending), "itself, with its XCom"),
        (PUSHERS, "itself, with its XCom"),
        (ours("UseApiAccountTrigger", **ending, xcoms="none"), "itself, without XCom"),
        (sleepers("", "DateTimeTrigger, the floor", **ending), "itself, without XCom"),
    ):
        table.add(contender.name, how, *_released(contender))
    return table


def _released(contender: Contender) -> tuple[float, float, float]:
    """First event, last event, last state: seconds after the account became active."""
    with Server() as server, Triggerer(server.connections(), GATES) as triggerer:
        if "target_time" in contender.kwargs:
            flipped = _by_clock(contender, triggerer)
        else:
            flipped = _by_server(contender, server, triggerer)
        triggerer.wait_released(GATES)
        fired, written = triggerer.fired(), triggerer.written()
        if len(fired) != GATES or len(written) != GATES:
            raise RuntimeError(f"{len(fired)} events, {len(written)} tasks, not {GATES} each")
        return min(fired) - flipped, max(fired) - flipped, max(written) - flipped


def _by_server(contender: Contender, server: Server, triggerer: Triggerer) -> float:
    """Open the gates right after a look, so that they have to wait for the next one."""
    triggerer.seed(contender, GATES)
    triggerer.wait_taken_up(GATES)
    time.sleep(INTERVAL + 1)
    server.take()
    until(lambda: bool(server.take().times))
    server.set_active(True)
    return time.time()


def _by_clock(contender: Contender, triggerer: Triggerer) -> float:
    flipped = time.time() + _AHEAD
    moment = datetime.fromtimestamp(flipped, UTC).isoformat()
    triggerer.seed(contender, GATES, target_time=moment)
    triggerer.wait_taken_up(GATES)
    if time.time() > flipped - INTERVAL:
        raise RuntimeError("This machine is too slow: the triggers fired before all had started.")
    return flipped
