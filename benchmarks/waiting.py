"""What gates cost while they wait in a real triggerer: requests, connections, CPU, a late loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.contenders import INTERVAL, OURS, PEERS, Contender, sleepers
from benchmarks.report import Table, ratio
from benchmarks.server import Server
from benchmarks.triggerer import AT_A_TIME, Cost, Triggerer, raise_file_limit

LEVELS = (1, 100, 1000, 3000)
COMPARED = 1000
MANY = 10_000
_WINDOWS = {0: 20.0, 1: 10.0, 100: 10.0, 1000: 30.0, 3000: 20.0, MANY: 30.0}
"""Seconds of measuring, by the number of gates."""

HEAD = (
    "trigger",
    "gates",
    "requests an interval",
    "new TCP connections an interval",
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
    table, above, floor = Table(HEAD), {}, sleepers("2100-01-01T00:00:00+00:00")
    for contender, levels in (
        (floor, (COMPARED,)),
        *((peer, LEVELS) for peer in PEERS),
        (OURS, LEVELS),
    ):
        rows, above[contender.name] = _climb(contender, levels)
        table.rows += rows
    best = min(PEERS, key=lambda peer: above[peer.name])
    table.notes.append(
        f"CPU above idle at {COMPARED} gates: ours is"
        f" {ratio(above[OURS.name], above[best.name])} of {best.name}'s. {floor.name} asks nobody:"
        f" the {above[floor.name]:.2g} s/min are Airflow's own for triggers that wait."
    )
    return table


def capacity() -> Table:
    """As many of ours as a triggerer takes, beside as many that do nothing."""
    limit = raise_file_limit()
    if limit < MANY + 1000:
        raise SystemExit(f"A triggerer keeps a file open for each of {MANY:,}; ulimit -n: {limit}.")
    table = Table(HEAD)
    for contender in (sleepers("2100-01-01T00:00:00+00:00"), OURS):
        rows, _ = _climb(contender, (MANY,), table.notes)
        table.rows += rows
    table.notes.append(
        f"Capacity {MANY + 1:,}, `ulimit -n` {limit:,}, {AT_A_TIME} triggers taken up in a turn"
        " (`max_trigger_to_select_per_loop`)."
    )
    return table


def _climb(
    contender: Contender, levels: Sequence[int], notes: list[str] | None = None
) -> tuple[list[Sequence[str | int | float]], float]:
    """Measure with more and more gates; return a row for each, and what the compared one costs."""
    rows: list[Sequence[str | int | float]] = []
    compared = 0.0
    with (
        Server() as server,
        Triggerer(server.connections(), max(levels)) as triggerer,
    ):
        idle = _read(server, triggerer, 0).cost
        so_far = 0
        for level in levels:
            triggerer.seed(contender, level - so_far, so_far)
            taken_up, so_far = triggerer.wait_taken_up(level), level
            time.sleep(INTERVAL + 1)
            found = _read(server, triggerer, level)
            above = (found.cost - idle).both
            if level == COMPARED:
                compared = above
            if notes is not None and found.requests:
                notes.append(f"Longest time between two requests: {found.largest_gap:.2f} s.")
            rows.append(
                (
                    contender.name,
                    level,
                    found.requests,
                    found.connections,
                    found.cost.runner,
                    found.cost.supervisor,
                    above,
                    found.lag_p99,
                    found.lag_max,
                    taken_up,
                )
            )
            print(*rows[-1], flush=True)
        triggerer.check_waiting(so_far)
    return rows, compared


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
