"""The rows: which Airflow runs with which Python and with which versions of everything else."""

from __future__ import annotations

import shutil
import subprocess
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


def chosen(name: str = "") -> tuple[Row, ...]:
    """
    The row of a name; every row without one.

    :raises ValueError: there is no such row; the message lists those there are.
    """
    found = tuple(row for row in ROWS if name in ("", row.name))
    if not found:
        raise ValueError(f"There is no row {name!r}; there are {', '.join(r.name for r in ROWS)}.")
    return found


def interpreter(python: str) -> Path | None:
    """
    A Python of a release: ``python3.12`` on the path.

    :param python: the release, such as ``3.12``.
    :return: ``None`` if there is none that runs.
    """
    found = shutil.which(f"python{python}")
    return Path(found) if found and _runs(Path(found), python) else None


def _runs(path: Path, python: str) -> bool:
    """Whether it is that release: what is on the path may be a shim of one that is not there."""
    ask = [str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return said.strip() == python
