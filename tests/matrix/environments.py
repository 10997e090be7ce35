"""The virtual environment of a row, made by the Makefile as every other one."""

from __future__ import annotations

import shutil
import subprocess
import sys
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
    Write down the lowest version of each dependency of ours, and what goes with all of them.

    :return: whether there is such a set of versions.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--resolution=lowest-direct", f"--python-version={row.python}", "--group=test"]
    command = [uv, "pip", "compile", "--quiet", "--no-annotate", *options, "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    path = ROOT / LOWEST
    path.parent.mkdir(parents=True, exist_ok=True)
    # The Makefile installs again what is older than its constraints.
    if not done.returncode and not (path.exists() and path.read_text() == done.stdout):
        path.write_text(done.stdout)
    return not done.returncode
