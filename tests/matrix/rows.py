"""The rows: which Airflow runs with which Python and with which versions of everything else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Versions = Literal["locked", "lowest", "newest"]


@dataclass(frozen=True)
class Row:
    """
    An Airflow and a Python.

    :param airflow: the release; of more than is stated, the newest.
    :param python: the release.
    :param versions: those of everything else: as in ``tests/constraints``, the lowest that
        ``pyproject.toml`` allows, with an Airflow as low, or the newest there are.
    """

    airflow: str
    python: str
    versions: Versions = "locked"

    @property
    def name(self) -> str:
        """What ``make matrix ROW=...`` takes."""
        named = self.airflow if self.versions == "locked" else self.versions
        return f"{named}-py{self.python}"


ROWS = (
    Row("2.11", "3.11", "lowest"),
    Row("2.11", "3.11"),
    Row("2.11", "3.12"),
    Row("3.0", "3.12"),
    Row("3.1", "3.13"),
    Row("3.2", "3.12"),
    Row("3.3", "3.11"),
    Row("3.3", "3.13"),
    Row("3", "3.13", "newest"),
)
"""
Each Airflow once, the oldest and the newest with the lowest and the highest Python they support.

Airflow 2.11 and 3.0 support no Python 3.13.
"""


def chosen(name: str) -> tuple[Row, ...]:
    """
    The row of a name; every row if the name is empty.

    :raises ValueError: there is no such row; the message lists those there are.
    """
    found = tuple(row for row in ROWS if name in ("", row.name))
    if not found:
        raise ValueError(f"There is no row {name!r}; there are {', '.join(r.name for r in ROWS)}.")
    return found


def interpreter(python: str, home: Path | None = None) -> Path | None:
    """
    A Python of a release: ``python3.12`` on the path, or the newest one that pyenv has built.

    :param python: the release, such as ``3.12``.
    :param home: where pyenv keeps its own; ``~/.pyenv`` when not given.
    :return: ``None`` if there is none that runs.
    """
    return next((path for path in _candidates(python, home) if _runs(path, python)), None)


def _candidates(python: str, home: Path | None) -> Iterator[Path]:
    if on_path := shutil.which(f"python{python}"):
        yield Path(on_path)
    built = (home or Path.home() / ".pyenv").glob(f"versions/{python}.*/bin/python{python}")
    yield from sorted(built, key=lambda path: _numbers(path.parts[-3]), reverse=True)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _runs(path: Path, python: str) -> bool:
    """Whether it is that release: a shim of pyenv's is there for releases that are not, too."""
    ask = [str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return said.strip() == python
