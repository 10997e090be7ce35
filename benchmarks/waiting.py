"""What gates cost while they wait in a real triggerer: requests, connections, CPU, a late loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

from benchmarks.contenders import INTERVAL, OURS, PEERS, Contender, sleepers
from benchmarks.report import Table, ratio
from benchmarks.server import Server
from benchmarks.triggerer import AT_A_TIME, TAKE_UP, Cost, Triggerer, raise_file_limit
from tests.system.stack import LocalAirflowError

LEVELS, MANY = (1, 100, 1000, 3000), 10_000
COMPARED, ROUNDS = 1000, 3
"""How many gates are compared, and in how many triggerers each."""

_WINDOWS = {0: 60.0, 1: 20.0, 100: 20.0, 1000: 60.0, 3000: 20.0, MANY: 30.0}
"""Seconds of measuring, by the number of gates."""

_SETTLE = 15.0
"""Seconds from the start of a triggerer until it is measured idle."""

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
    """Ours and the peers, for more and more gates; those compared several times, in turns."""
    table, limit = Table(HEAD), raise_file_limit()
    many = (MANY,) if limit > MANY + 1000 else ()
    above = {
        contender.name: [_climb(contender, levels, table)]
        for contender, levels in (
            (_FLOOR, (COMPARED, *many)),
            *((peer, LEVELS) for peer in PEERS),
            (OURS, (*LEVELS, *many)),
        )
    }
    best = min(PEERS, key=lambda peer: above[peer.name])
    compared = (_FLOOR, best, OURS)
    for _ in range(ROUNDS - 1):
        for contender in compared:
            above[contender.name].append(_climb(contender, (COMPARED,), Table(HEAD)))
    floor, peer, ours = (median(above[contender.name]) for contender in compared)
    each = "; ".join(
        f"{contender.name} {', '.join(f'{found:.3g}' for found in above[contender.name])}"
        for contender in compared
    )
    table.notes += [
        f"CPU s/min above idle at {COMPARED} gates, {ROUNDS} triggerers each, in turns: {each}. By"
        f" the medians ours is {ratio(ours, peer)} of {best.name}'s, and {_FLOOR.name}, which asks"
        f" nobody and shows what Airflow takes for triggers that wait, {ratio(floor, peer)}.",
        f"Capacity as large as the number of gates, `ulimit -n` {limit:,} (a triggerer keeps a log"
        f" open for each trigger), up to {AT_A_TIME} triggers taken up in a turn.",
    ]
    return table


def _climb(contender: Contender, levels: Sequence[int], table: Table) -> float:
    """
    Measure with more and more gates; return what the compared number costs above idle.

    What idle is differs between two starts of a triggerer, so that each is measured idle first.
    """
    compared, so_far = inf, 0
    with Server() as server, Triggerer(server.connections(), max(levels)) as triggerer:
        time.sleep(_SETTLE)
        idle = _read(server, triggerer, 0).cost
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
