"""What came of the rows: counted from pytest's reports, and written as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

HEAD = ("row", "Airflow", "Python", "passed", "skipped", "failed", "seconds", "real run")


@dataclass(frozen=True)
class Counts:
    """
    What came of a call of pytest.

    :param passed: how many tests passed; likewise the next two, errors count as failed.
    :param seconds: how long all took.
    :param skips: how many tests were skipped for which reason.
    """

    passed: int
    skipped: int
    failed: int
    seconds: float
    skips: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether there is a test that passed, and none that failed."""
        return bool(self.passed) and not self.failed

    def __str__(self) -> str:
        counted = {"passed": self.passed, "skipped": self.skipped, "failed": self.failed}
        told = [f"{number} {what}" for what, number in counted.items() if number]
        return ", ".join(told) or "nothing was run"


@dataclass(frozen=True)
class Result:
    """
    What came of a row.

    :param name: of the row.
    :param airflow: the Airflow that was installed, to the last digit.
    :param python: the Python that it ran with.
    :param problem: why nothing could be run.
    :param suite: what `make test` runs; ``None`` if pytest did not get as far as a report.
    :param real: the run on real processes; likewise.
    """

    name: str
    airflow: str = ""
    python: str = ""
    problem: str = ""
    suite: Counts | None = None
    real: Counts | None = None

    @property
    def good(self) -> bool:
        """Whether all of it was run, and passed."""
        return bool(self.suite and self.suite.good and self.real and self.real.good)


def read_report(path: Path) -> Counts | None:
    """
    Count what a JUnit report of pytest's holds.

    :param path: the file; pytest writes none when it is interrupted.
    """
    if not path.exists():
        return None
    (suite,) = ET.parse(path).getroot()
    skips = Counter(skip.get("message", "") for skip in suite.iter("skipped"))
    total, failures, errors, skipped = (
        int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    seconds = float(suite.get("time", 0))
    return Counts(total - failed - skipped, skipped, failed, seconds, skips)


def table(results: Sequence[Result]) -> str:
    """All results as two tables in Markdown: the outcomes, and the reasons of skips."""
    reasons = sorted({reason for result in results for reason in _skips(result)})
    names = [result.name for result in results]
    by_row = [[why, *(str(_skips(result)[why] or "") for result in results)] for why in reasons]
    return "\n".join(
        [
            *_markdown(HEAD, map(_cells, results)),
            "",
            "Skipped, by reason:",
            "",
            *_markdown(("reason", *names), by_row),
            "",
        ]
    )


def _skips(result: Result) -> Counter[str]:
    return sum((tests.skips for tests in (result.suite, result.real) if tests), Counter())


def _cells(result: Result) -> list[str]:
    suite = result.suite
    counted = (suite.passed, suite.skipped, suite.failed, round(suite.seconds)) if suite else "----"
    outcome = result.problem or str(result.real or "no report")
    return [result.name, result.airflow, result.python, *map(str, counted), outcome]


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
