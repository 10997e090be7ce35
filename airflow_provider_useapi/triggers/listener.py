"""Who listens to a shared poll: a gate, or a watcher."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from airflow_provider_useapi.triggers.shared_look import Look


class Poll(Protocol):
    """What tells listeners, and has to know when one leaves."""

    def leave(self, listener: Listener) -> None:
        """Tell a listener no more."""


class Listener:
    """
    The looks that one gate or watcher is told of, inside a ``with`` block.

    The iteration ends at the deadline. Whoever is slow hears the last look and none that is out of
    date. Ten thousand of these wait in one event loop: there is no coroutine, timer or queue each.

    :param poll: which it leaves in the end.
    :param since: no look counts that began before this moment of the monotonic clock.
    :param deadline: when the looks end, on the same clock.
    :param every_look: whether it wants to hear of looks that bring no news.
    :param is_gate: whether it waits for its end, and not for ever.
    """

    __slots__ = (
        "_is_over",
        "_look",
        "_poll",
        "_waiter",
        "deadline",
        "edition",
        "every_look",
        "is_gate",
        "since",
    )

    def __init__(
        self,
        poll: Poll,
        *,
        since: float,
        deadline: float,
        every_look: bool,
        is_gate: bool,
    ) -> None:
        self._poll = poll
        self.since = since
        self.deadline = deadline
        self.every_look = every_look
        self.is_gate = is_gate
        self.edition: int | None = None
        self._look: Look | None = None
        self._waiter: asyncio.Future[Look] | None = None
        self._is_over = False

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._poll.leave(self)

    def __aiter__(self) -> Listener:
        return self

    def __anext__(self) -> asyncio.Future[Look]:
        waiter: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        if self._is_over:
            _raise(waiter, StopAsyncIteration())
        elif self._look is not None:
            waiter.set_result(self._look)
            self._look = None
        else:
            self._waiter = waiter
        return waiter

    def wants(self, look: Look) -> bool:
        """Whether a look is worth waking for."""
        return self.every_look or self.edition != look.edition

    def tell(self, look: Look) -> None:
        """Hand a look over, in place of one that was not fetched yet."""
        self.edition = look.edition
        if waiter := self._waiting():
            waiter.set_result(look)
        else:
            self._look = look

    def end(self) -> None:
        """End the iteration."""
        self._is_over = True
        if waiter := self._waiting():
            _raise(waiter, StopAsyncIteration())

    def fail(self, error: Exception) -> None:
        """End the iteration with an error."""
        if waiter := self._waiting():
            _raise(waiter, error)

    def _waiting(self) -> asyncio.Future[Look] | None:
        waiter, self._waiter = self._waiter, None
        return waiter if waiter and not waiter.done() else None


def _raise(waiter: asyncio.Future[Look], error: Exception) -> None:
    waiter.set_exception(error)
    waiter.exception()  # whoever was cancelled meanwhile does not fetch it, which is no news
