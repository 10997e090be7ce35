"""The table of scenarios: printed as they end, and written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.distributed.cluster import SHORTENED
from tests.distributed.judgement import Count, worst
from tests.distributed.runner import Outcome

HEAD = (
    "scenario", "who waits", "tried", "lost", "wrong", "tries above one",
    "requests during (allowed)", "30 s after (allowed)", "seconds to recover", "events an edge",
)  # fmt: skip


def rows(outcome: Outcome, whole: int) -> Iterator[tuple[str, ...]]:
    """
    The rows of a scenario: one for each mode, the control group and the audits.

    :param whole: how many gates there are when nothing is shrunk.
    """
    seen = outcome.seen
    shrunk = sum(seen.tried.values()) < whole
    name = f"{outcome.scenario.name}{' (fewer gates)' if shrunk else ''}"
    of_all = (
        str(worst(seen.during) or "-"),
        str(worst(seen.after) or "-"),
        "never" if seen.recovery is None else f"{seen.recovery:.0f}",
        ", ".join(map(str, seen.events)),
    )
    for number, count in enumerate(outcome.judgement.counts):
        yield (name if not number else "", *_cells(count), *(of_all if not number else [""] * 4))


def written(outcomes: Sequence[Outcome], whole: int) -> str:
    """The whole table as Markdown, with what is shortened and what is wrong."""
    lines = [_row(HEAD), _row(["---"] * len(HEAD))]
    lines += [_row(row) for outcome in outcomes for row in rows(outcome, whole)]
    lines += ["", *shortened(), ""]
    lines += [_told(outcome) for outcome in outcomes]
    return "\n".join(lines) + "\n"


def _told(outcome: Outcome) -> str:
    """What was done, how long it took, and what is wrong."""
    what = outcome.scenario
    wrong = "; ".join(outcome.judgement.faults) or "as it must be"
    return f"* {what.name}: {what.says}, {what.moment}; {outcome.seconds:.0f} s; {wrong}"


def shortened() -> list[str]:
    """What of Airflow's is shorter than by default, a line each."""
    return [
        f"{name} is {value} here, {default} by default"
        for name, (value, default) in SHORTENED.items()
    ]


def _cells(count: Count) -> tuple[str, ...]:
    return (count.name, str(count.tried), str(count.lost), str(count.wrong), str(count.retried))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
