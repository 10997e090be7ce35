"""CPU time, memory and open files of processes, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def cpu_seconds(pid: int, *, reaped: bool = False) -> float:
    """
    User and system time of a process, in seconds.

    :param reaped: with those of its children that have ended.
    """
    fields = _stat(pid)[11 : 15 if reaped else 13]
    return sum(map(int, fields)) / _TICKS


def resident_bytes(pid: int) -> int:
    """What a process has in memory."""
    return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE


def open_files(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(_PROC / str(pid) / "fd"))  # noqa: PTH208 - names alone, and many


def children(pid: int) -> list[int]:
    """The processes that a process has started and that run."""
    return [each for each in _running() if _parent(each) == pid]


def descendants(pid: int) -> list[int]:
    """Its children, and theirs."""
    found = children(pid)
    return found + [each for child in found for each in descendants(child)]


def title(pid: int) -> str:
    """The command line of a process, or what it calls itself."""
    return (_PROC / str(pid) / "cmdline").read_text().replace("\0", " ")


def _running() -> list[int]:
    return [int(entry.name) for entry in _PROC.glob("[0-9]*")]


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/<pid>/stat`` from the state on; the name before may hold anything."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
