"""What ``make load`` has seen, and whether it is allowed: the rows of its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import Table
from benchmarks.server import ACCOUNT, Seen, Server
from benchmarks.triggerer import Cost
from benchmarks.usage import Watched

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


def add_rows(report: Report, name: str, crowds: Sequence[Crowd], run: Run) -> None:
    """
    What was seen of some crowds in one triggerer.

    :param name: what the table calls them.
    """
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
