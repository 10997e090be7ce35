"""
Until when the API is not to be asked (``Retry-After``), for all polls of a triggerer.

A hold belongs to the base URL and token that were answered so, and binds nobody else.
"""

from __future__ import annotations

from airflow_provider_useapi import clock
from airflow_provider_useapi.connection.mark import Mark


class Holds:
    """Until when each base URL and token is not to be asked, on the monotonic clock."""

    def __init__(self) -> None:
        self._until: dict[Mark, float] = {}

    def add(self, mark: Mark, seconds: float) -> None:
        """Do not ask within the next ``seconds``; an earlier hold that lasts longer stands."""
        now = clock.monotonic()
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[mark] = max(self.until(mark), now + seconds)

    def until(self, mark: Mark | None) -> float:
        """When it may be asked again; in the past if it may be now."""
        return self._until.get(mark, 0.0) if mark else 0.0

    def left(self, mark: Mark) -> float:
        """Seconds until it may be asked again; 0 if it may be now."""
        return max(self.until(mark) - clock.monotonic(), 0.0)
