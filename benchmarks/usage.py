"""What a triggerer holds while it is watched: memory and open files, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import open_files, resident_bytes

EVERY = 2.0
"""Seconds between two samples."""

WINDOW = 60.0
"""Seconds at the beginning and at the end whose medians are compared; less in a short watch."""


@dataclass(frozen=True)
class Held:
    """What a process held at a moment."""

    memory: int
    files: int


@dataclass(frozen=True)
class Watched:
    """
    What a process held, sample by sample.

    :param samples: the first is the oldest.
    """

    samples: tuple[Held, ...]

    @property
    def memory_grown(self) -> float:
        """By how many MiB the memory of the end is above that of the beginning."""
        begin, end = (median(each.memory for each in part) for part in self._parts())
        return (end - begin) / 2**20

    @property
    def files_grown(self) -> int:
        """By how many files the most of the end is above the most of the beginning."""
        begin, end = (max(each.files for each in part) for part in self._parts())
        return end - begin

    def _parts(self) -> tuple[tuple[Held, ...], tuple[Held, ...]]:
        length = max(1, min(round(WINDOW / EVERY), len(self.samples) // 3))
        return self.samples[:length], self.samples[-length:]


def watch(
    pids: tuple[int, ...], seconds: float, each_time: Callable[[], object] = lambda: None
) -> tuple[Watched, ...]:
    """
    Watch processes for a while.

    :param each_time: called after each sample.
    """
    found: list[list[Held]] = [[] for _ in pids]
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for pid, samples in zip(pids, found, strict=True):
            samples.append(Held(resident_bytes(pid), open_files(pid)))
        each_time()
        time.sleep(min(EVERY, left))
    return tuple(Watched(tuple(samples)) for samples in found)
