"""The rows of `make matrix`: where else they are named, and how what came of them is told."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.matrix import environments
from tests.matrix.__main__ import PARTS, main, run
from tests.matrix.report import Counts, Result, read_report, table
from tests.matrix.rows import ROWS, Row, chosen, interpreter

ROOT = Path(__file__).parents[2]
LOCKED = [row for row in ROWS if row.versions == "locked"]


def test_every_airflow_and_every_python_has_a_row() -> None:
    files = (ROOT / "tests" / "constraints").glob("airflow-*.txt")
    assert {row.airflow for row in LOCKED} == {path.stem.removeprefix("airflow-") for path in files}
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    assert {row.python for row in LOCKED} == set(named)
    assert {row.versions for row in ROWS} == {"locked", "lowest", "newest"}


def test_the_oldest_and_the_newest_airflow_run_with_the_first_and_the_last_python() -> None:
    def pythons(airflow: str) -> list[str]:
        return [row.python for row in LOCKED if row.airflow == airflow]

    assert pythons("2.11") == ["3.11", "3.12"]
    assert pythons("3.3") == ["3.11", "3.13"]


def test_the_workflow_has_the_same_rows() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["test"]
    expected = [{"row": row.name, "python": row.python} for row in ROWS]
    assert job["strategy"]["matrix"] == {"include": expected}
    assert job["steps"][-1] == {"run": "make matrix ROW=${{ matrix.row }}"}


def test_the_documentation_has_the_same_rows() -> None:
    page = (ROOT / "docs" / "versions.md").read_text()
    told = re.findall(r"^\| `(\S+-py\S+)` \| (\S+)[^|]* \| (\S+) \|", page, re.MULTILINE)
    # In words: the lowest 3.x is a release of its own, and the newest is whichever there is.
    airflows = {"lowest": "2.11.0", "newest": "the"}
    expected = [(row.name, airflows.get(row.versions, row.airflow), row.python) for row in ROWS]
    assert told == expected


def test_the_suite_is_what_make_test_runs() -> None:
    recipe = re.search(r"^test: .*\n\t\$\(BIN\)/python -m pytest (.*?)(?: +#.*)?$", *makefile())
    assert recipe
    assert recipe[1].split() == list(PARTS["suite"])


def makefile() -> tuple[str, re.RegexFlag]:
    return (ROOT / "Makefile").read_text(), re.MULTILINE


def test_constraints_of_a_row_exist() -> None:
    assert all((ROOT / environments.constraints(row)).is_file() for row in LOCKED)
    assert environments.constraints(Row("3", "3.13", "newest")) == ""


def test_beside_the_lowest_versions_of_ours_the_others_are_as_they_are_locked() -> None:
    locked = "# by make lock\nFlask==2.3.3\nJinja2==3.1.6\nurllib3==2.7.0\npytest_xdist==3.8.0\n"
    assert environments.others_of(locked) == "Flask==2.3.3\n"


def test_a_row_is_chosen_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen() == ROWS
    assert chosen("3.2-py3.12") == (Row("3.2", "3.12"),)
    assert main(["3.2"]) == 2
    assert "There is no row '3.2'; there are lowest-py3.11, 2.11-py3.11," in capsys.readouterr().err


@pytest.fixture
def shims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path: one Python that runs, and the shim of one that is not there."""
    executable(tmp_path / "python3.98", "echo 3.98")
    executable(tmp_path / "python3.99", "exit 127")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def executable(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_a_python_is_taken_from_the_path(shims: Path) -> None:
    assert interpreter("3.98") == shims / "python3.98"


@pytest.mark.usefixtures("shims")
def test_a_python_that_does_not_run_is_none() -> None:
    assert interpreter("3.99") is None
    assert interpreter("3.97") is None


def test_a_row_without_its_python_says_so_and_is_not_good() -> None:
    result = run(Row("3.3", "3.99"))
    assert not result.good
    assert "there is no Python 3.99" in table([result])


REPORTED = """
import pytest

def test_good(): pass
def test_better(): pass
def test_bad(): assert 0

@pytest.fixture
def broken(): raise RuntimeError

def test_error(broken): pass

@pytest.mark.parametrize("number", [1, 2])
def test_skipped(number): pytest.skip("of Airflow 3 | 4")
"""


def test_what_pytest_reports_is_counted(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(REPORTED)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}"]
    subprocess.run([*command, "-c", "/dev/null"], cwd=tmp_path, capture_output=True, check=False)
    found = read_report(report)
    assert found is not None
    assert (found.passed, found.skipped, found.failed, found.good) == (2, 2, 2, False)
    assert found.skips == {"of Airflow 3 | 4": 2}
    assert str(found) == "2 passed, 2 skipped, 2 failed"


def test_a_run_without_a_report_or_without_a_test_is_not_good(tmp_path: Path) -> None:
    assert read_report(tmp_path / "none.xml") is None
    good, empty = Counts(1, 0, 0, 1.0), Counts(0, 3, 0, 1.0)
    assert Result("row", suite=good, real=good).good
    assert not Result("row", suite=good).good
    assert not Result("row", suite=good, real=empty).good


def test_the_table() -> None:
    suite = Counts(1800, 30, 1, 123.4, Counter({"from 3.3 on": 30}))
    real = Counts(22, 1, 0, 60.0, Counter({"from 3 on": 1}))
    results = [
        Result("2.11-py3.12", "2.11.2", "3.12.1", suite=suite, real=real),
        Result("3.3-py3.13", python="3.13", problem="there is no Python 3.13"),
    ]
    assert table(results).splitlines() == [
        "| row | Airflow | Python | passed | skipped | failed | seconds | real run |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| 2.11-py3.12 | 2.11.2 | 3.12.1 | 1800 | 30 | 1 | 123 | 22 passed, 1 skipped |",
        "| 3.3-py3.13 |  | 3.13 | - | - | - | - | there is no Python 3.13 |",
        "",
        "Skipped, by reason:",
        "",
        "| reason | 2.11-py3.12 | 3.3-py3.13 |",
        "| --- | --- | --- |",
        "| from 3 on | 1 |  |",
        "| from 3.3 on | 30 |  |",
    ]
