"""
Gates that take turns: how many may open on what a look found.

A job slot that becomes free would open every gate that waits for one, though it takes one job. The
API has no reserve call, and the jobs that gates lead to need a moment to show up: what gates opened
on counts as taken for a while. The API decides which account a job goes to, so what is
left is counted for the worst choice. Pure: the clock comes in as an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.gate.verdict import Verdict

TAKEN_FOR = 60.0
"""For how many seconds what a gate opened on counts as taken."""


@dataclass(frozen=True)
class Share:
    """
    A part of what is free at a service.

    :param accounts: linked accounts.
    :param job_slots: job slots, those of the accounts included: at least one each.
    """

    accounts: int = 0
    job_slots: int = 0

    @classmethod
    def of(cls, condition: Condition) -> Share:
        """
        What a gate opens on.

        :param condition: what it waits for.
        """
        accounts = condition.min_free_accounts or 0
        return cls(accounts, max(condition.min_free_job_slots or 0, accounts))

    def __add__(self, other: Share) -> Share:
        return Share(self.accounts + other.accounts, self.job_slots + other.job_slots)

    def __sub__(self, other: Share) -> Share:
        return Share(self.accounts - other.accounts, self.job_slots - other.job_slots)

    def fits(self, left: Share) -> bool:
        """Whether it is no more than what is left."""
        return self.accounts <= left.accounts and self.job_slots <= left.job_slots


def left_of(free: Iterable[int], taken: Share) -> Share:
    """
    What is left of what a look found.

    :param free: the free job slots of each account.
    :param taken: what gates have opened on, and what does not show yet.
    """
    slots = sorted(each for each in free if each > 0)
    accounts, others = len(slots), taken.job_slots - taken.accounts
    for each in slots:  # the worst choice: jobs go to the accounts that have the least
        if each > others:
            break
        others -= each
        accounts -= 1
    return Share(max(accounts - taken.accounts, 0), max(sum(slots) - taken.job_slots, 0))


@dataclass(frozen=True)
class Entry:
    """
    A gate that opened.

    :param at: when, in seconds, of a clock that does not jump.
    :param share: on what.
    """

    at: float
    share: Share


@dataclass
class Book:
    """
    What gates have opened on, at one service of one account.

    :param total: all of it, since the beginning.
    """

    total: Share = field(default_factory=Share)
    _recent: Share = field(default_factory=Share)
    _entries: deque[Entry] = field(default_factory=deque)

    def taken(self, now: float, since: Share) -> Share:
        """
        What counts as taken, of what a look found.

        :param now: seconds, of a clock that does not jump.
        :param since: the total when the look was made: it cannot show what was taken later.
        """
        while self._entries and now - self._entries[0].at >= TAKEN_FOR:
            self._recent -= self._entries.popleft().share
        recent, later = self._recent, self.total - since
        return Share(max(recent.accounts, later.accounts), max(recent.job_slots, later.job_slots))

    def take(self, share: Share, now: float) -> Entry:
        """Note that a gate opens on this share."""
        entry = Entry(now, share)
        self.total += share
        self._recent += share
        self._entries.append(entry)
        return entry

    def give_back(self, entry: Entry) -> None:
        """A gate that was about to open has ended otherwise."""
        self.total -= entry.share
        if entry in self._entries:
            self._entries.remove(entry)
            self._recent -= entry.share


class Place(Protocol):
    """
    The place of a gate in line.

    ``rank`` says who is first, ``wanted`` what the gate would take (``None`` while its look is
    being judged), ``free`` what the look found, and ``since`` what had been taken when the look was
    made.
    """

    rank: tuple[float, int]
    wanted: Share | None
    free: tuple[int, ...]
    since: Share


P = TypeVar("P", bound=Place)


def settle(line: Iterable[P], book: Book, now: float) -> Iterator[tuple[P, Entry | Share]]:
    """
    Who opens and who is passed over, the oldest first.

    No gate goes before an older one whose look is still being judged. A gate that wants more than
    is left holds nobody back.

    :param line: the gates.
    :param book: what was taken; it is brought up to date.
    :param now: seconds, of a clock that does not jump.
    :return: each gate that is settled, with its entry in the book, or with what was left.
    """
    for place in sorted(line, key=lambda each: each.rank):
        if place.wanted is None:
            return
        left = left_of(place.free, book.taken(now, place.since))
        yield place, book.take(place.wanted, now) if place.wanted.fits(left) else left


def passed_over(found: Verdict, wanted: Share, left: Share) -> Verdict:
    """
    The verdict of a gate that a look could open, but for those that have just opened on it.

    :param found: what the look found, without a reason.
    :param wanted: what the gate would take.
    :param left: what the others have left.
    """
    slug = found.slug or ""
    told = [("free accounts", found.free_accounts, left.accounts, wanted.accounts)]
    if wanted.job_slots > wanted.accounts:  # else they are those of the accounts
        told.append(("free job slots", found.free_job_slots, left.job_slots, wanted.job_slots))
    reasons = [
        messages.just_taken(slug, what, there, there - rest, needed)
        for what, there, rest, needed in told
        if there is not None and needed > rest
    ]
    return replace(found, reasons=(*found.reasons, *reasons))
