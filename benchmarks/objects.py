"""What ten thousand waiting gates cost garbage collector and event loop, beside the least."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from statistics import median

from benchmarks.crowd import SmallestTrigger
from benchmarks.report import Table
from benchmarks.server import Server

GATES = 10_000
ROUNDS = 3

_FLOOR, _OURS = SmallestTrigger.__name__, "UseApiAccountTrigger"


def objects() -> Table:
    """Ours and the smallest trigger on a shared stream, three processes each, in turns."""
    table = Table(
        (
            "trigger",
            "tracked objects a gate",
            "full collection ms",
            "loop lag ms p99",
            "loop lag ms max",
        )
    )
    found: dict[str, list[dict[str, float]]] = {_FLOOR: [], _OURS: []}
    with Server() as server, tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, **server.connections(), "AIRFLOW_HOME": home}
        for _ in range(ROUNDS):
            for name, rounds in found.items():
                command = [sys.executable, "-m", "benchmarks.crowd", name, str(GATES)]
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                rounds.append(json.loads(done.stdout.splitlines()[-1]))
    middle = {
        name: {key: median(each[key] for each in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    }
    for name, figures in middle.items():
        milliseconds = (1000 * figures[key] for key in ("collection", "lag_p99", "lag_max"))
        table.add(name, figures["objects"], *milliseconds)
    floor, ours = middle[_FLOOR], middle[_OURS]
    table.notes.append(
        f"{GATES:,} triggers that wait in one event loop, medians of {ROUNDS} processes each, in"
        f" turns. Ours takes {ours['collection'] / floor['collection']:.2f} of the floor's full"
        f" collection, and {ours['lag_p99'] / floor['lag_p99']:.2f} of its loop lag p99."
    )
    return table
