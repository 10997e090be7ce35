"""
What a stream knows of the requests and answers that went over it.

httpcore takes bytes that come after an answer for the beginning of the next one. So a stream hands
on no more than one answer: its head ends with a blank line, its body after a number of bytes or,
in chunks, with a blank line again. What is left over then shows that the connection is unfit for
another request.
"""

from __future__ import annotations

import re
import sys
from time import monotonic

import httpcore

from airflow_provider_useapi import clock

IDLE_LIMIT = 60.0
"""Seconds after which an idle connection is not trusted any more: middle boxes forget it."""

PATIENCE = 0.25
"""
The part of a request's time in which a kept connection must show a sign of life.

The rest is for asking again. A server that takes longer than this has all of the time for each
answer, because its connections are not kept.
"""

_BLANK_LINE = re.compile(rb"\n\r?\n")


class DeadConnectionError(ConnectionError):
    """A kept connection was dead, or silent, before a byte of the answer came."""


class Trust:
    """What a client thinks of its idle connections."""

    def __init__(self) -> None:
        self.era = 0

    def lose(self) -> None:
        """Use no connection again that has answered before."""
        self.era += 1


class Conversation:
    """
    The state of one connection; the bytes that come go through :meth:`hear`.

    :param trust: the client's.
    """

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._era: int | None = None
        self._last = 0.0
        self._is_answering = False
        self._is_slow = False
        self._patience = 0.0
        self._left: int | None = None
        self._ahead, self._tail = b"", b""

    @property
    def has_more(self) -> bool:
        """Whether something came that was not handed on yet; after an answer it is surplus."""
        return bool(self._ahead)

    @property
    def is_over(self) -> bool:
        """Whether no further request may follow."""
        is_old = clock.monotonic() - self._last > IDLE_LIMIT
        return is_old or self._era != self.trust.era or self._is_slow or self.has_more

    def ask(self, end: float) -> None:
        """
        A part of a request is about to be sent.

        :param end: when the answer must be there.
        """
        now = monotonic()
        self._patience = now + (end - now) * PATIENCE
        self._is_answering = False
        self._left, self._tail = None, b""

    def limit(self, end: float) -> float:
        """Until when to wait for the peer, if all must be over at ``end``."""
        return self._patience if self._may_be_dead else end

    def failed(self, cause: OSError, late: type[Exception], broken: type[Exception]) -> Exception:
        """
        What to raise when the network failed.

        :param late: what says that it took too long.
        :param broken: what says anything else.
        """
        if self._may_be_dead:
            return DeadConnectionError("the kept connection was dead")
        return (late if isinstance(cause, TimeoutError) else broken)(type(cause).__name__)

    def hear(self, data: bytes) -> bytes:
        """
        Take what came from the peer, and hand it on as far as it belongs to the answer.

        :raises DeadConnectionError: if a kept connection ends instead of answering.
        """
        if not self._is_answering:
            if not data and self._may_be_dead:
                raise DeadConnectionError("the kept connection was closed")
            self._is_answering = True
            self._is_slow = monotonic() > self._patience
        return self.hand_on(data)

    def hand_on(self, data: bytes = b"") -> bytes:
        """What comes next, of what is there already or of new data."""
        data = self._ahead or data
        size = self._up_to_blank_line(data) if self._left is None else min(self._left, len(data))
        if self._left is not None:
            self._left -= size
        self._ahead = data[size:]
        return data[:size]

    def expect(self, method: bytes, answer: httpcore.Response) -> None:
        """
        The head of an answer is there.

        :param method: of the request.
        """
        self._left = _body_length(method, answer)
        self._era, self._last = self.trust.era, clock.monotonic()

    @property
    def _may_be_dead(self) -> bool:
        return self._era is not None and not self._is_answering

    def _up_to_blank_line(self, data: bytes) -> int:
        seen = len(self._tail)
        text = self._tail + data
        found = _BLANK_LINE.search(text)
        self._tail = b"" if found else text[-2:]
        return found.end() - seen if found else len(data)


def _body_length(method: bytes, answer: httpcore.Response) -> int | None:
    """How many bytes the body of an answer has; ``None`` if a blank line ends it."""
    if method == b"HEAD" or answer.status in (204, 304):
        return 0
    named = {name.lower(): value for name, value in answer.headers}
    if b"transfer-encoding" in named:
        return None
    length = named.get(b"content-length")
    return sys.maxsize if length is None else int(length)  # without one, the connection's end
