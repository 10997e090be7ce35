"""
Many gates in one triggerer, for long: ``python -m benchmarks.load [--minutes N]``.

3000 gates wait over 300 connections, which are in Airflow's database, in a real ``airflow
triggerer`` on PostgreSQL. Then 100 gates wait for a server that takes 29 s to answer, beside 100 on
one that answers at once. What a row of the table allows is asserted: the exit code says so too.

A run of ten minutes goes into docs/performance.md, a shorter one into build/load.md alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from benchmarks.contenders import ours
from benchmarks.load_report import Crowd, Report, Run, add_rows
from benchmarks.report import machine, publish
from benchmarks.server import Server
from benchmarks.triggerer import ROOM, ROOT, Triggerer
from benchmarks.usage import watch
from tests.system.postgres import postgres
from tests.system.stack import LocalAirflowError

GATES, CONNECTIONS = 3000, 300
SLOW_GATES, SLOW_CONNECTIONS, ANSWER_AFTER = 100, 10, 29.0
INTERVAL, SLOW_INTERVAL = 30.0, 10.0
"""
Seconds between two looks. The supervisor answers one message in a turn, and each look at a
connection in the database is one: 300 of them every 10 s are more than it does on two busy cores.
"""

AT_A_TIME = 50
"""Triggers that are taken up in a turn: Airflow's own default."""

MINUTES, SLOW_MINUTES = 10.0, 3.0
WARM_UP = 60.0
"""Seconds from the moment at which all gates wait until what they take is to be steady."""

TAKE_UP = 600.0
"""Seconds until all have to wait."""

_OPENED = (
    "SELECT COUNT(*) FROM task_instance WHERE state = 'scheduled'"
    " AND next_method = 'execute_complete' AND CAST(next_kwargs AS TEXT) LIKE '%\"open\"%'"
)
_REPORT = ROOT / "build" / "load.md"


def load(minutes: float) -> Report:
    """Both crowds, one after the other."""
    report = Report()
    with Server() as server:
        many = Crowd("many", server, GATES, CONNECTIONS, INTERVAL)
        name = f"{GATES:,} on {CONNECTIONS} connections"
        add_rows(report, name, [many], _run([many], minutes))
    with Server(delay=ANSWER_AFTER) as slow, Server() as quick:
        crowds = [
            Crowd("quick", quick, SLOW_GATES, SLOW_CONNECTIONS, SLOW_INTERVAL),
            Crowd("slow", slow, SLOW_GATES, SLOW_CONNECTIONS, SLOW_INTERVAL, ANSWER_AFTER),
        ]
        name = f"{SLOW_GATES} quick, {SLOW_GATES} slow"
        add_rows(report, name, crowds, _run(crowds, min(minutes, SLOW_MINUTES)))
    return report


def _run(crowds: Sequence[Crowd], minutes: float) -> Run:
    gates = sum(crowd.gates for crowd in crowds)
    with _waiting(crowds, gates) as (triggerer, taken_up):
        time.sleep(WARM_UP)
        for crowd in crowds:
            crowd.server.take()
        triggerer.lags()
        began, before = time.monotonic(), triggerer.cost()
        runner, supervisor = watch(
            (triggerer.runner, triggerer.supervisor), max(minutes * 60 - WARM_UP, WARM_UP)
        )
        seconds = time.monotonic() - began
        cost = (triggerer.cost() - before) * (60 / seconds)
        requests = [crowd.server.take() for crowd in crowds]
        lags, waiting = sorted(triggerer.lags()), triggerer.waiting()
        opened = _open(crowds, triggerer, waiting)
    return Run(taken_up, seconds, requests, runner, supervisor, cost, lags, waiting, opened)


@contextmanager
def _waiting(crowds: Sequence[Crowd], gates: int) -> Iterator[tuple[Triggerer, float]]:
    """A triggerer in which all of them wait, and how long that took."""
    with ExitStack() as running:
        database = running.enter_context(postgres())
        triggerer = running.enter_context(Triggerer({}, gates + ROOM, database, AT_A_TIME))
        first = 0
        for crowd in crowds:
            ids = crowd.ids
            triggerer.define({each: crowd.server.connection_uri(each, timeout=30) for each in ids})
            each = [{"useapi_conn_id": conn_id} for conn_id in ids]
            gate = ours(crowd.name, poke_interval=crowd.interval)
            triggerer.seed(gate, crowd.gates, first, each)
            first += crowd.gates
        yield triggerer, triggerer.wait_taken_up(gates, TAKE_UP)


def _open(crowds: Sequence[Crowd], triggerer: Triggerer, waiting: int) -> tuple[int, float]:
    """Let the servers say that the subscription is active, and see who opens."""
    began = time.monotonic()
    for crowd in crowds:
        crowd.server.set_active(True)
    with suppress(LocalAirflowError):  # what is missing is counted
        triggerer.wait_released(waiting, timeout=180)
    return triggerer.query(_OPENED)[0][0], time.monotonic() - began


def main() -> None:
    """Run it, and say whether all was kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="10 by default")
    minutes = parser.parse_args().minutes
    report = load(minutes)
    report.table.notes.append(
        f"A look every {INTERVAL:g} s, with the slow server every {SLOW_INTERVAL:g} s. Watched for"
        f" {minutes:g} minutes from the moment at which all gates waited, those with the slow"
        f" server for {min(minutes, SLOW_MINUTES):g}; the first of them is the warm-up, and not in"
        " the figures."
    )
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(f"{report.table.markdown()}\n\nMeasured on {machine()}.\n")
    if minutes == MINUTES:
        publish("load", report.table, "make load")
    else:
        print(f"\n{_REPORT.read_text()}", flush=True)
    sys.exit(0 if report.is_kept else "Not all was kept.")


if __name__ == "__main__":
    main()
