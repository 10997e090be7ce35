"""What gates cost while they wait in a real triggerer: requests, connections, CPU, a late loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from benchmarks.contenders import INTERVAL, OURS, PEERS, Contender, sleepers
from benchmarks.report import Table, ratio
from benchmarks.server import Server
from benchmarks.triggerer import AT_A_TIME, TAKE_UP, Cost, Triggerer, raise_file_limit
from tests.system.stack import LocalAirflowError

LEVELS, MANY = (1, 100, 1000, 3000), 10_000
COMPARED = 1000
_WINDOWS = {0: 120.0, 1: 20.0, 100: 20.0, 1000: 90.0, 3000: 20.0, MANY: 30.0}
"""Seconds of measuring, by the number of gates."""

_FLOOR = sleepers("2100-01-01T00:00:00+00:00")

HEAD = (
    "trigger",
    "gates",
    "requests an interval",
    "new TCP connections an interval",
    "longest gap between requests s",
    "CPU s/min runner",
    "CPU s/min supervisor",
    "CPU s/min above idle",
    "loop lag ms p99",
    "loop lag ms max",
    "taken up in s",
)


@dataclass(frozen=True)
class Reading:
    """What was seen of waiting gates; costs are CPU seconds a minute."""

    requests: float
    connections: float
    cost: Cost
    lag_p99: float
    lag_max: float
    largest_gap: float


def waiting() -> Table:
    """Ours and the peers, for more and more gates."""
    table, above, limit = Table(HEAD), {}, raise_file_limit()
    many = (MANY,) if limit > MANY + 1000 else ()
    idle = _idle()
    for contender, levels in (
        (_FLOOR, (COMPARED, *many)),
        *((peer, LEVELS) for peer in PEERS),
        (OURS, (*LEVELS, *many)),
    ):
        above[contender.name] = _climb(contender, levels, idle, table)
    best = min(PEERS, key=lambda peer: above[peer.name])
    table.notes += [
        f"CPU above idle at {COMPARED} gates: ours is"
        f" {ratio(above[OURS.name], above[best.name])} of {best.name}'s. {_FLOOR.name} asks nobody:"
        f" the {above[_FLOOR.name]:.2g} s/min are Airflow's own for triggers that wait.",
        f"Capacity as large as the number of gates, `ulimit -n` {limit:,} (a triggerer keeps a log"
        f" open for each trigger), up to {AT_A_TIME} triggers taken up in a turn.",
    ]
    return table


def _idle() -> Cost:
    """What a triggerer costs that has nothing to do."""
    with Server() as server, Triggerer(server.connections(), 0) as triggerer:
        time.sleep(INTERVAL)
        return _read(server, triggerer, 0).cost


def _climb(contender: Contender, levels: Sequence[int], idle: Cost, table: Table) -> float:
    """Measure with more and more gates; return what the compared number costs above idle."""
    compared, so_far = inf, 0
    with Server() as server, Triggerer(server.connections(), max(levels)) as triggerer:
        for level in levels:
            triggerer.seed(contender, level - so_far, so_far)
            try:
                taken_up, so_far = triggerer.wait_taken_up(level), level
            except LocalAirflowError:
                table.notes.append(
                    f"{contender.name}: of {level:,} gates some had not begun to wait after"
                    f" {TAKE_UP:g} s; that was not measured."
                )
                break
            time.sleep(2 * INTERVAL + 1)  # the last to come are told what the next look finds
            found = _read(server, triggerer, level)
            above = (found.cost - idle).both
            if level == COMPARED:
                compared = above
            table.add(
                contender.name,
                level,
                found.requests,
                found.connections,
                found.largest_gap,
                found.cost.runner,
                found.cost.supervisor,
                above,
                found.lag_p99,
                found.lag_max,
                taken_up,
            )
        else:
            triggerer.check_waiting(so_far)
    return compared


def _read(server: Server, triggerer: Triggerer, gates: int) -> Reading:
    server.take(), triggerer.lags()
    seconds, before = _WINDOWS[gates], triggerer.cost()
    began = time.monotonic()
    time.sleep(seconds)
    cost, seconds = triggerer.cost(), time.monotonic() - began
    seen, lags = server.take(), sorted(triggerer.lags())
    intervals = seconds / INTERVAL
    gaps = [later - sooner for sooner, later in zip(seen.times, seen.times[1:], strict=False)]
    return Reading(
        len(seen.times) / intervals,
        seen.connections / intervals,
        (cost - before) * (60 / seconds),
        lags[int(len(lags) * 0.99)],
        lags[-1],
        max(gaps, default=0.0),
    )
