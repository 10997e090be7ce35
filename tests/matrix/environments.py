"""The virtual environment of a row, made by the Makefile as every other one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from .rows import Row

ROOT = Path(__file__).resolve().parents[2]
LOWEST = Path("build", "matrix", "lowest.txt")


def set_up(row: Row, python: Path) -> Path | None:
    """
    Make the environment of a row, unless it is there; the newest versions are always today's.

    :param python: what it is made with.
    :return: the Python inside, or ``None`` if it cannot be made; what was said is printed.
    """
    environment = f".venv-{row.name}"
    if row.versions == "newest":
        shutil.rmtree(ROOT / environment, ignore_errors=True)
    if row.versions == "lowest" and not write_lowest(row):
        return None
    values = {
        "AIRFLOW": row.airflow,
        "PYTHON": python,
        "VENV": environment,
        "CONSTRAINTS": constraints(row),
    }
    variables = [f"{name}={value}" for name, value in values.items()]
    command = ["make", "--no-print-directory", *variables, f"{environment}/ready"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return None if done.returncode else ROOT / environment / "bin" / "python"


def constraints(row: Row) -> str:
    """The file of versions for a row, from the root of the repository; empty without one."""
    files = {
        "locked": f"tests/constraints/airflow-{row.airflow}.txt",
        "lowest": str(LOWEST),
        "newest": "",
    }
    return files[row.versions]


def write_lowest(row: Row) -> bool:
    """
    Write down the lowest version of each dependency of ours.

    The others are as they are locked, as far as that Airflow takes them: an old release with the
    newest of everything else is what nobody installs, and does not run.

    :return: whether there is such a set of versions.
    """
    path = ROOT / LOWEST
    found = path.with_name("found.txt")
    found.parent.mkdir(parents=True, exist_ok=True)
    locked = ROOT / constraints(replace(row, versions="locked"))
    found.write_text(others_of(locked.read_text()))  # uv keeps what is in its output already
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--resolution=lowest-direct", f"--python-version={row.python}", "--group=test"]
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", *options]
    output = f"--output-file={found}"
    done = subprocess.run([*command, output, "pyproject.toml"], cwd=ROOT, check=False)
    # The Makefile installs again what is older than its constraints.
    if not done.returncode and not (path.exists() and path.read_text() == found.read_text()):
        found.replace(path)
    return not done.returncode


def others_of(locked: str) -> str:
    """
    What is locked, without Airflow and what is named in ``pyproject.toml``.

    :param locked: a file of versions.
    """
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())
    ours = {_name(each) for each in named["project"]["dependencies"]}
    ours |= {_name(each) for each in named["dependency-groups"]["test"]}
    lines = [line for line in locked.splitlines() if line and not line.startswith("#")]
    return "".join(f"{line}\n" for line in lines if _name(line) not in ours)


def _name(requirement: str) -> str:
    """The name of a distribution, as names are compared."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")
