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
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from benchmarks.contenders import ours
from benchmarks.report import Table, machine, publish
from benchmarks.server import ACCOUNT, Seen, Server
from benchmarks.triggerer import ROOM, ROOT, Cost, Triggerer
from benchmarks.usage import Watched, watch
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

LEAST_PACE = 0.95
"""What a look takes comes on top of the interval: the connection is read, the server answers."""

MEMORY, FILES = 4.0, 5
"""
MiB and descriptors by which a process may grow after the warm-up.

Python and the C library give memory back in pages, not by the object; 800 bytes kept of each of the
5,400 looks of nine minutes would be more than that. A client that replaces its connection has two
for a moment; one descriptor kept of each look would be thousands.
"""

LAG = 50.0
"""Milliseconds by which 99 of 100 wake-ups of the event loop may come late."""

_OPENED = (
    "SELECT COUNT(*) FROM task_instance WHERE state = 'scheduled'"
    " AND next_method = 'execute_complete' AND CAST(next_kwargs AS TEXT) LIKE '%\"open\"%'"
)
_REPORT = ROOT / "build" / "load.md"


@dataclass(frozen=True)
class Crowd:
    """
    Gates on some connections of one server.

    :param name: what the table calls it, and the beginning of the connections' ids.
    :param interval: seconds between two looks.
    :param answer_after: seconds after which the server answers.
    """

    name: str
    server: Server
    gates: int
    connections: int
    interval: float
    answer_after: float = 0.0

    @property
    def ids(self) -> list[str]:
        """The ids of its connections; each has a path of its own at the server."""
        return [f"{self.name}_{number}" for number in range(self.connections)]


@dataclass(frozen=True)
class Run:
    """
    What was seen of waiting gates, after the warm-up.

    :param taken_up: seconds until all waited.
    :param requests: of each crowd.
    :param lags: of the event loop, in milliseconds, sorted.
    :param waiting: how many gates waited at the end.
    :param opened: how many then opened, and within how many seconds.
    """

    taken_up: float
    seconds: float
    requests: Sequence[Seen]
    runner: Watched
    supervisor: Watched
    cost: Cost
    lags: Sequence[float]
    waiting: int
    opened: tuple[int, float]


class Report:
    """The table of what was found and what is allowed."""

    def __init__(self) -> None:
        self.table = Table(("gates", "what", "found", "allowed", "kept"))
        self.is_kept = True

    def add(self, gates: str, what: str, found: float, allowed: str, is_kept: bool) -> None:
        """A row, and whether what it allows was kept."""
        self.is_kept &= is_kept
        self.table.add(gates, what, found, allowed, "yes" if is_kept else "NO")

    def tell(self, gates: str, what: str, found: float) -> None:
        """A row that allows anything."""
        self.table.add(gates, what, found, "-", "-")


def load(minutes: float) -> Report:
    """Both crowds, one after the other."""
    report = Report()
    with Server() as server:
        many = Crowd("many", server, GATES, CONNECTIONS, INTERVAL)
        name = f"{GATES:,} on {CONNECTIONS} connections"
        _report(report, name, [many], _run([many], minutes))
    with Server(delay=ANSWER_AFTER) as slow, Server() as quick:
        crowds = [
            Crowd("quick", quick, SLOW_GATES, SLOW_CONNECTIONS, SLOW_INTERVAL),
            Crowd("slow", slow, SLOW_GATES, SLOW_CONNECTIONS, SLOW_INTERVAL, ANSWER_AFTER),
        ]
        name = f"{SLOW_GATES} quick, {SLOW_GATES} slow"
        _report(report, name, crowds, _run(crowds, min(minutes, SLOW_MINUTES)))
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


def _report(report: Report, name: str, crowds: Sequence[Crowd], run: Run) -> None:
    gates = sum(crowd.gates for crowd in crowds)
    report.tell(name, "all wait after, s", run.taken_up)
    for crowd, seen in zip(crowds, run.requests, strict=True):
        _report_requests(report, name, crowd, seen, run.seconds)
    for process, watched in (("runner", run.runner), ("supervisor", run.supervisor)):
        last, memory, files = watched.samples[-1], watched.memory_grown, watched.files_grown
        report.tell(name, f"{process}: memory, MiB", last.memory / 2**20)
        report.add(
            name, f"{process}: memory grown by, MiB", memory, f"{MEMORY:g}", memory <= MEMORY
        )
        report.tell(name, f"{process}: descriptors", last.files)
        report.add(name, f"{process}: descriptors grown by", files, f"{FILES}", files <= FILES)
    p99 = run.lags[int(len(run.lags) * 0.99)]
    report.add(name, "loop lag p99, ms", p99, f"below {LAG:g}", p99 < LAG)
    report.tell(name, "loop lag max, ms", run.lags[-1])
    report.tell(name, "CPU s/min of the runner", run.cost.runner)
    report.tell(name, "CPU s/min of the supervisor", run.cost.supervisor)
    report.add(name, "waiting at the end", run.waiting, f"{gates:,}", run.waiting == gates)
    opened, seconds = run.opened
    report.add(name, "opened by the server's word", opened, f"{gates:,}", opened == gates)
    report.tell(name, "last state written after, s", seconds)


def _report_requests(report: Report, name: str, crowd: Crowd, seen: Seen, seconds: float) -> None:
    """Each connection is asked about once an interval, and that begins when it was answered."""
    period = crowd.interval + crowd.answer_after
    intervals = seconds / period
    by_path = Counter(seen.paths)
    each = [by_path.pop(f"/{conn_id}{ACCOUNT}", 0) for conn_id in crowd.ids]
    total = sum(each) / intervals
    cut = 1 / intervals  # a watch begins and ends within an interval
    least, most = (crowd.connections * factor for factor in (LEAST_PACE - cut, 1 + cut))
    fewest, upmost = max(0, int(LEAST_PACE * intervals) - 1), int(intervals) + 1
    # No TCP connection is kept whose server takes long.
    new = sum(each) if crowd.answer_after else 0

    def add(what: str, found: float, allowed: str, is_kept: bool) -> None:
        report.add(name, f"{crowd.name}: {what}", found, allowed, is_kept)

    add(f"requests in {period:g} s", total, f"{least:.4g} to {most:.4g}", least <= total <= most)
    add("fewest of a connection", min(each), f"{fewest}", min(each) >= fewest)
    add("most of a connection", max(each), f"{upmost}", max(each) <= upmost)
    add("requests for none of them", by_path.total(), "0", not by_path.total())
    add("new TCP connections", seen.connections, f"{new}", seen.connections <= new)


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
