"""
The credits that gates of this event loop have been told, whatever their interval.

They belong to the base URL and token that were used, like a ``Retry-After``.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_useapi import clock
from airflow_provider_useapi.connection.mark import Mark

if TYPE_CHECKING:
    from airflow_provider_useapi.api.kept_credits import Kept
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.gate.memory import Memory


class Shelf:
    """What was told to one base URL and token, until it is asked for again."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._users = 0

    @asynccontextmanager
    async def asking(self, slug: str) -> AsyncIterator[None]:
        """Only one at a time asks for the credits of a service; the others find them kept."""
        self._users += 1
        try:
            async with self._asking[slug]:
                yield
        finally:
            self._users -= 1

    def keep(self, found: Mapping[str, Kept]) -> None:
        """Keep what was told; it may have been told to another process."""
        now = clock.now()
        fresh = {ref: each for ref, each in self.kept.items() if each.until > now}
        for ref, each in found.items():
            if ref not in fresh or fresh[ref].until < each.until:
                fresh[ref] = each
        self.kept = fresh

    def is_of_use(self, now: datetime) -> bool:
        """
        Whether somebody asks, or would find something kept.

        :param now: the present.
        """
        return self._users > 0 or any(each.holds(now) for each in self.kept.values())


_shelves: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Mark, Shelf]] = WeakKeyDictionary()


def shelf_of(settings: Settings) -> Shelf:
    """
    What this event loop keeps for a connection.

    :param settings: of the connection as it is used.
    """
    here, mark = shelves(), Mark.of(settings)
    if mark not in here:
        now = clock.now()
        for other in [each for each, shelf in here.items() if not shelf.is_of_use(now)]:
            del here[other]  # a token that was replaced is not used again
        here[mark] = Shelf()
    return here[mark]


def shelves() -> dict[Mark, Shelf]:
    """What this event loop keeps, by the mark of a base URL and token."""
    return _shelves.setdefault(asyncio.get_running_loop(), {})


def bring(memory: Memory, settings: Settings | None) -> None:
    """
    Take over what a worker has been told, so that it is not asked for again.

    :param memory: of a gate.
    :param settings: of the connection that is used here.
    """
    if memory.kept and memory.mark and settings and memory.mark.fits(settings):
        shelf_of(settings).keep(memory.kept)
