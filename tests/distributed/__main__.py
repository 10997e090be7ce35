"""``python -m tests.distributed [--set core] [SCENARIO ...]``: the scenarios, and their table."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.distributed.builds import ROOT
from tests.distributed.leaks import leaks
from tests.distributed.plan import modes
from tests.distributed.runner import Outcome, play, workload
from tests.distributed.scenarios import SETS
from tests.distributed.table import shortened, written

CONNECTIONS = 20
TABLE = ROOT / "build" / "distributed" / "table.md"


def main() -> int:
    """Play scenarios one after the other on one Airflow; 1 if one is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.distributed", description=__doc__)
    names = [each.name for each in SETS["all"]]
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(names))
    parser.add_argument("--set", choices=SETS, default="all", help="if no scenario is named")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="of ten gates each")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(names):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [
        each for each in SETS["all" if options.scenarios else options.set]
        if not options.scenarios or each.name in options.scenarios
    ]  # fmt: skip
    outcomes: list[Outcome] = []
    began = time.monotonic()
    _say(*shortened())
    with workload(options.connections) as load:
        _say(f"the Airflow runs after {time.monotonic() - began:.0f} s")
        for scenario in chosen:
            _say(f"== {scenario.name}: {scenario.says}, {scenario.moment}")
            outcome = play(scenario, load)
            outcomes.append(outcome)
            _publish(TABLE, outcomes)
            faults = outcome.judgement.faults
            _say(f"{outcome.seconds:.0f} s: {'; '.join(faults) or 'as it must be'}")
        restarts = dict(load.cluster.restarts)
        places, searched = leaks(load.cluster)
    _say(TABLE.read_text(), f"ended by themselves and started again: {restarts or 'none'}")
    _say(f"a token in {searched}: {', '.join(places) or 'none'}")
    return int(bool(places) or any(outcome.judgement.faults for outcome in outcomes))


def _publish(file: Path, outcomes: list[Outcome]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(written(outcomes, sum(modes(CONNECTIONS).values())))


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
