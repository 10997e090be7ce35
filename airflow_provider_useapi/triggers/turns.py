"""
The turns of the gates of an event loop, at each service of each base URL and token.

Whoever began to wait first goes first, whatever its poll. So a gate that its look could open waits
for older ones whose look is still being judged.
"""

from __future__ import annotations

import asyncio
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_provider_useapi import clock
from airflow_provider_useapi.gate.turns import Book, Entry, Share, passed_over, settle

if TYPE_CHECKING:
    from airflow_provider_useapi.connection.mark import Mark
    from airflow_provider_useapi.gate.verdict import Verdict


class Line:
    """The gates in line at one service, and the book of what those that opened have taken."""

    def __init__(self) -> None:
        self.book = Book()
        self._turns: set[Turn] = set()
        self._numbers = count()
        self._is_called = False

    def turn(self, began: float, since: Share) -> Turn:
        """
        Stand in line, inside the ``with`` block of the result.

        :param began: when the gate began to wait, in seconds since the epoch.
        :param since: the book's total when the look of the gate was made.
        """
        turn = Turn(self, (began, next(self._numbers)), since)
        self._turns.add(turn)
        return turn

    def leave(self, turn: Turn) -> None:
        """Forget a gate; the end of its ``with`` block calls this."""
        self._turns.discard(turn)
        if self._turns:
            self.call()

    def call(self) -> None:
        """Settle who opens, once all that are told of one look stand in line."""
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._settle)

    @property
    def is_idle(self) -> bool:
        """Whether nobody would miss it."""
        taken = self.book.taken(clock.monotonic(), self.book.total)
        return not self._turns and taken == Share()

    def _settle(self) -> None:
        self._is_called = False
        for turn, outcome in settle(tuple(self._turns), self.book, clock.monotonic()):
            self._turns.discard(turn)
            turn.end(outcome)


class Turn:
    """
    One gate in line: a :class:`~airflow_provider_useapi.gate.turns.Place`.

    :param line: where it stands.
    :param rank: who goes first.
    :param since: what had been taken when its look was made.
    """

    __slots__ = ("_line", "_outcome", "_waiter", "free", "rank", "since", "wanted")

    def __init__(self, line: Line, rank: tuple[float, int], since: Share) -> None:
        self._line = line
        self.rank = rank
        self.since = since
        self.wanted: Share | None = None
        self.free: tuple[int, ...] = ()
        self._outcome: Entry | Share | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._line.leave(self)
        if error and isinstance(self._outcome, Entry):  # it has not opened after all
            self._line.book.give_back(self._outcome)

    async def take(self, found: Verdict, wanted: Share) -> Verdict:
        """
        Wait for the turn, and open if enough is left.

        :param found: what the look found, without a reason.
        :param wanted: what the gate opens on.
        :return: the same, or why the gate was passed over.
        """
        self.wanted, self.free = wanted, found.free
        self._waiter = asyncio.get_running_loop().create_future()
        self._line.call()
        await self._waiter
        if isinstance(self._outcome, Share):
            return passed_over(found, wanted, self._outcome)
        return found

    def end(self, outcome: Entry | Share) -> None:
        """
        Tell the gate how it ended.

        :param outcome: its entry in the book, or what the others have left.
        """
        self._outcome = outcome
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[Mark, str], Line]] = (
    WeakKeyDictionary()
)


def line_at(mark: Mark, slug: str) -> Line:
    """
    The line of this event loop at a service.

    :param mark: of the base URL and token.
    :param slug: of the service.
    """
    here, key = _lines.setdefault(asyncio.get_running_loop(), {}), (mark, slug)
    if key not in here:
        for idle in [each for each, line in here.items() if line.is_idle]:
            del here[idle]
        here[key] = Line()
    return here[key]
