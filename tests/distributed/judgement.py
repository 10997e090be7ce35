"""What a scenario showed: one row for each mode, and what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.distributed.plan import Mode, dag_of, mode_of
from tests.distributed.states import Instance

RECOVERY = 90.0
"""Seconds in which all gates have to be looked after again, with the thresholds used here."""


@dataclass(frozen=True)
class Looks:
    """
    The requests of a connection's gates in a window.

    :param made: how many there were.
    :param allowed: how many there might be.
    """

    made: int
    allowed: int

    @property
    def over(self) -> int:
        """How many too many."""
        return self.made - self.allowed

    def __str__(self) -> str:
        return f"{self.made} ({self.allowed})"


@dataclass(frozen=True)
class Expectation:
    """
    What a scenario must show.

    :param retried: modes in which Airflow gives a task another try: its worker was killed.
    :param edges: how often each watched subscription became active, for longer than an interval;
        the least and the most.
    :param held: whether the API says when to come back: then nobody looks twice meanwhile.
    :param patience: seconds that gates may wait before they ask again, with the fault over.
    """

    retried: frozenset[Mode] = frozenset()
    edges: tuple[int, int] = (1, 1)
    held: bool = False
    patience: float = 0.0


@dataclass(frozen=True)
class Observation:
    """
    What was recorded.

    :param gates: the task instances of all gates.
    :param tried: how many of them there should be in each mode.
    :param opened: when the first subscription became active, in seconds since the epoch.
    :param control: the task instances of Airflow's own.
    :param audits: those of the audits.
    :param during: for each connection, the looks while the fault lasted; empty where they say
        nothing.
    :param after: the same for the 30 seconds after it.
    :param recovery: seconds from the end of the fault until all were looked after again; ``None``
        if they never were.
    :param events: for each watched connection, how often its watcher fired.
    :param followers: for each, how many runs followed.
    :param waited: whether all gates waited before anything else was done.
    """

    gates: Sequence[Instance]
    tried: dict[Mode, int]
    opened: float
    control: Sequence[Instance] = ()
    audits: Sequence[Instance] = ()
    during: Sequence[Looks] = ()
    after: Sequence[Looks] = ()
    recovery: float | None = 0.0
    events: Sequence[int] = ()
    followers: Sequence[int] = ()
    waited: bool = True


@dataclass(frozen=True)
class Count:
    """
    A row: what became of those that wait in one way.

    :param name: the mode, or ``control`` or ``audits``.
    :param tried: how many there should have been.
    :param lost: how many never ended, or were never there.
    :param wrong: how many ended as they should not, too early, more than once, or without a result.
    :param retried: how many needed more than one try.
    """

    name: str
    tried: int
    lost: int
    wrong: int
    retried: int


@dataclass(frozen=True)
class Judgement:
    """
    What an observation amounts to.

    :param counts: of each mode, of the control group and of the audits.
    :param faults: what is wrong, in words; empty if all is well.
    """

    counts: Sequence[Count]
    faults: Sequence[str] = field(default=())


def judge(seen: Observation, expected: Expectation) -> Judgement:
    """
    Compare what was recorded with what must be.

    :param seen: what was recorded.
    :param expected: what must be.
    """
    counts = [
        _count(mode, [each for each in seen.gates if mode_of(each.task_id) is mode], tried, seen)
        for mode, tried in seen.tried.items()
        if tried
    ]
    control = _plain("control", seen.control)
    audits = _plain("audits", seen.audits)
    faults = [] if seen.waited else ["not every gate waited in time"]
    faults += [*_of_gates(counts, expected), *_of_windows(seen, expected)]
    faults += _of_watchers(seen, expected)
    if audits.lost or audits.wrong:
        faults.append(f"audits: {audits.lost} lost, {audits.wrong} wrong")
    return Judgement([*counts, control, audits], faults)


def worst(looks: Sequence[Looks]) -> Looks | None:
    """Those of the connection that came nearest to what is allowed, or went beyond."""
    return max(looks, key=lambda each: (each.over, each.made), default=None)


def _count(mode: Mode, gates: Sequence[Instance], tried: int, seen: Observation) -> Count:
    ended = [gate for gate in gates if gate.has_ended]
    return Count(
        name=mode,
        tried=tried,
        lost=tried - len(ended),
        wrong=sum(not _is_right(gate, seen.opened) for gate in ended),
        retried=sum(gate.try_number > 1 for gate in gates),
    )


def _is_right(gate: Instance, opened: float) -> bool:
    """Whether a gate succeeded once, not before it was open, and said what it had found."""
    return (
        gate.state == "success"
        and gate.has_result
        and len(gate.successes) == 1
        and gate.successes[0] >= opened
    )


def _plain(name: str, tasks: Sequence[Instance]) -> Count:
    ended = [task for task in tasks if task.has_ended]
    return Count(
        name=name,
        tried=len(tasks),
        lost=len(tasks) - len(ended),
        wrong=sum(task.state != "success" for task in ended),
        retried=sum(task.try_number > 1 for task in tasks),
    )


def _of_gates(counts: Sequence[Count], expected: Expectation) -> Iterator[str]:
    for count in counts:
        if count.lost:
            yield f"{count.name}: {count.lost} of {count.tried} lost"
        if count.wrong:
            yield f"{count.name}: {count.wrong} of {count.tried} ended wrong"
        if count.retried and count.name not in expected.retried:
            yield f"{count.name}: {count.retried} of {count.tried} needed another try"


def _of_windows(seen: Observation, expected: Expectation) -> Iterator[str]:
    for name, looks in (("during", seen.during), ("after", seen.after)):
        for number, each in enumerate(looks):
            if each.over > 0:
                yield f"{dag_of(number)}: {each.made} requests {name} the fault, not {each.allowed}"
    recovery = RECOVERY + expected.patience
    if seen.recovery is None or seen.recovery > recovery:
        yield f"not looked after again within {recovery:.0f} s"


def _of_watchers(seen: Observation, expected: Expectation) -> Iterator[str]:
    least, most = expected.edges
    for number, events in enumerate(seen.events):
        if not least <= events <= most:
            yield f"watcher {number}: {events} events, not {least} to {most}"
    for number, (events, runs) in enumerate(zip(seen.events, seen.followers, strict=True)):
        if events != runs:
            yield f"watcher {number}: {runs} runs followed {events} events"
