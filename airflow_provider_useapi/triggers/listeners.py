"""Those who listen to a poll, and the one timer that tells them when their time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from airflow_provider_useapi import clock

if TYPE_CHECKING:
    from airflow_provider_useapi.triggers.listener import Listener


class Listeners:
    """A set of listeners; each is ended at its deadline, also while a look is being made."""

    def __init__(self) -> None:
        self._all: set[Listener] = set()
        self._alarm: asyncio.TimerHandle | None = None

    def __iter__(self) -> Iterator[Listener]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def have_gates(self) -> bool:
        """Whether somebody waits for an end, and not for ever."""
        return any(each.is_gate for each in self._all)

    def add(self, listener: Listener) -> None:
        """Take one in."""
        self._all.add(listener)
        self._set_alarm(listener.deadline)

    def discard(self, listener: Listener) -> None:
        """Let one go."""
        self._all.discard(listener)
        if not self._all and self._alarm:
            self._alarm.cancel()
            self._alarm = None

    def _set_alarm(self, deadline: float) -> None:
        if deadline == inf:
            return
        loop, left = asyncio.get_running_loop(), deadline - clock.monotonic()
        if self._alarm:
            if self._alarm.when() <= loop.time() + left:
                return
            self._alarm.cancel()
        self._alarm = loop.call_later(left, self._end)

    def _end(self) -> None:
        """End those whose time is up."""
        self._alarm, now = None, clock.monotonic()
        for each in self._all:
            if each.deadline <= now:
                each.end()
        waiting = [each.deadline for each in self._all if each.deadline > now]
        self._set_alarm(min(waiting, default=inf))
