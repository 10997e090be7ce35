"""
Run the tests in every row, one after the other: ``python -m tests.matrix [ROW]``.

A row that fails does not keep the next ones from their turn. The table is written after each row,
into ``build/matrix.md``. It needs nothing but the standard library, and uv for the lowest versions.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .environments import ROOT, set_up
from .report import Counts, Result, read_report, table
from .rows import Row, chosen, interpreter

TABLE = ROOT / "build" / "matrix.md"
PARTS = {
    "suite": ("--numprocesses", "4"),  # as `make test` has it
    "real": ("tests/matrix",),
}
VERSIONS = """
import platform
from importlib.metadata import version

print(version("apache-airflow"), platform.python_version())
"""


def main(arguments: Sequence[str]) -> int:
    """
    Run the row that is named, or all, and return the exit code.

    :param arguments: at most the name of a row.
    """
    try:
        rows = chosen(*arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    results: list[Result] = []
    for row in rows:
        print(f"\n=== {row.name}", flush=True)
        results.append(run(row))
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(table(results))
    print(f"\n{table(results)}\nWritten to {TABLE.relative_to(ROOT)}.")
    if bad := [result.name for result in results if not result.good]:
        print(f"Failed: {', '.join(bad)}.", file=sys.stderr)
        return 1
    return 0


def run(row: Row) -> Result:
    """Set up the environment of a row, unless it is there, and run both of its parts."""
    found = interpreter(row.python)
    if found is None:
        return Result(row.name, python=row.python, problem=f"there is no Python {row.python}")
    python = set_up(row, found)
    if python is None:
        return Result(row.name, python=row.python, problem="it could not be set up")
    asked = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True)
    airflow, release = asked.stdout.split()
    suite, real = (run_part(row, part, python) for part in PARTS)
    return Result(row.name, airflow, release, suite=suite, real=real)


def run_part(row: Row, part: str, python: Path) -> Counts | None:
    """
    Run pytest, which prints what it finds.

    :return: what it counted; ``None`` if it has not come to its end.
    """
    report = ROOT / "build" / "matrix" / f"{row.name}-{part}.xml"
    report.unlink(missing_ok=True)
    options = ("--quiet", "-o", "junit_family=xunit2", f"--junitxml={report}")
    subprocess.run([python, "-m", "pytest", *options, *PARTS[part]], cwd=ROOT, check=False)
    return read_report(report)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
