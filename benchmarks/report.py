"""Tables, on the screen and in docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_PACKAGES = (
    "apache-airflow",
    "apache-airflow-providers-http",
    "apache-airflow-providers-standard",
    "requests",
    "httpcore",
    "aiohttp",
)
Cell = str | int | float


@dataclass
class Table:
    """
    Figures.

    :param head: the names of the columns.
    :param notes: what to know of them, each a line below the table.
    """

    head: Sequence[str]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *row: Cell) -> None:
        """Add a row, and show it."""
        self.rows.append(row)
        print(*map(_text, row), sep=" | ", flush=True)

    def markdown(self) -> str:
        """The table as Markdown, aligned for those who read it as text."""
        lines = [self.head, *([_text(cell) for cell in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        rows = [
            "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
            for line in lines
        ]
        rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join([*rows, *("\n" + note for note in self.notes)])


def ratio(ours: float, other: float) -> str:
    """How much less ours is, or more."""
    if ours <= 0:
        return "-"
    times = other / ours
    return f"1/{times:.3g}" if times >= 1 else f"{1 / times:.3g} times"


def publish(part: str, table: Table, command: str = "") -> None:
    """
    Print the table of a part and put it between its markers in the page.

    :param command: what repeats it, if it is no part of ``make bench``.
    """
    text = table.markdown()
    print(f"\n{text}\n", flush=True)
    command = command or f"make bench PART={part}"
    measured = f"Measured {datetime.now(UTC):%Y-%m-%d} by `{command}` on {machine()}."
    begin, end = f"<!-- {part}: generated -->\n", f"\n<!-- {part}: end -->"
    page = PAGE.read_text()
    if not (old := re.search(re.escape(begin) + ".*?" + re.escape(end), page, re.DOTALL)):
        raise SystemExit(f"{PAGE.name} has no place for {part!r}.")
    PAGE.write_text(page.replace(old[0], f"{begin}{text}\n\n{measured}{end}"))


def machine() -> str:
    """Where this runs, and with what."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {system},"
        f" Python {platform.python_version()}; {packages}"
    )


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and abs(cell) < 1000:
        return f"{cell:.3g}"
    return f"{cell:,.0f}"
