from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.gate.turns import (
    TAKEN_FOR,
    Book,
    Entry,
    Share,
    left_of,
    passed_over,
    settle,
)
from airflow_provider_useapi.gate.verdict import Verdict


@dataclass
class Gate:
    rank: tuple[float, int]
    wanted: Share | None
    free: tuple[int, ...] = ()
    since: Share = field(default_factory=Share)


def gates(*wanted: Share | None, free: tuple[int, ...], since: Share | None = None) -> list[Gate]:
    return [
        Gate((float(number), 0), each, free, since or Share()) for number, each in enumerate(wanted)
    ]


def opened(line: list[Gate], book: Book, now: float) -> list[int]:
    settled = settle(line, book, now)
    return [int(each.rank[0]) for each, outcome in settled if isinstance(outcome, Entry)]


SLOT, ACCOUNT = Share(0, 1), Share(1, 1)


@pytest.mark.parametrize(
    ("condition", "share"),
    [
        (Condition("kling", min_free_job_slots=3), Share(0, 3)),
        (Condition("kling", min_free_accounts=2), Share(2, 2)),
        (Condition("kling", min_free_accounts=2, min_free_job_slots=5), Share(2, 5)),
        (Condition("kling", min_free_accounts=2, min_free_job_slots=1), Share(2, 2)),
        (Condition("kling", min_free_job_slots=0), Share()),
    ],
)
def test_a_gate_opens_on_what_it_waits_for(condition: Condition, share: Share) -> None:
    assert Share.of(condition) == share


def test_one_free_slot_opens_one_gate_the_oldest() -> None:
    line = gates(SLOT, SLOT, SLOT, free=(0, 1))
    assert opened(line[::-1], Book(), 0.0) == [0]


def test_a_gate_that_wants_more_than_is_left_holds_nobody_back() -> None:
    line = gates(Share(0, 3), SLOT, Share(0, 2), SLOT, free=(2, 0))
    assert opened(line, Book(), 0.0) == [1, 3]


def test_nobody_goes_before_an_older_one_that_still_finds_out() -> None:
    line, book = gates(SLOT, None, SLOT, free=(5,)), Book()
    assert opened(line, book, 0.0) == [0]
    line[1].wanted = SLOT
    assert opened(line[1:], book, 0.0) == [1, 2]


def test_accounts_and_slots_are_both_counted() -> None:
    # Two accounts: two gates for an account, and what is left of their slots.
    line = gates(ACCOUNT, SLOT, ACCOUNT, ACCOUNT, SLOT, SLOT, free=(2, 2))
    assert opened(line, Book(), 0.0) == [0, 1, 2, 4]


def test_a_slot_may_be_the_last_one_of_an_account() -> None:
    # The API decides where a job goes: it may go to the account with one slot.
    assert left_of((1, 5), SLOT) == Share(1, 5)
    assert left_of((2, 5), SLOT) == Share(2, 6)
    assert left_of((2, 5), Share(0, 7)) == Share()


def test_what_was_taken_counts_for_a_minute() -> None:
    book, free = Book(), (3,)
    assert opened(gates(SLOT, SLOT, free=free), book, 0.0) == [0, 1]
    later = book.total  # the looks from here on were made later
    assert opened(gates(SLOT, SLOT, free=free, since=later), book, 1.0) == [0]
    later = book.total
    assert opened(gates(SLOT, free=free, since=later), book, TAKEN_FOR - 0.1) == []
    assert opened(gates(SLOT, SLOT, SLOT, free=free, since=later), book, TAKEN_FOR) == [0, 1]


def test_an_old_look_cannot_show_what_was_taken_since() -> None:
    book, free = Book(), (2,)
    assert opened(gates(SLOT, SLOT, free=free), book, 0.0) == [0, 1]
    # Whoever joins an hourly poll is told of the last look.
    assert opened(gates(SLOT, free=free), book, 10 * TAKEN_FOR) == []


def test_what_is_given_back_is_free_at_once() -> None:
    book, free = Book(), (1,)
    ((_, entry),) = settle(gates(SLOT, free=free), book, 0.0)
    assert isinstance(entry, Entry)
    book.give_back(entry)
    assert book.taken(0.0, Share()) == Share()
    assert opened(gates(SLOT, free=free), book, 0.0) == [0]
    assert book.taken(TAKEN_FOR - 0.1, Share()) == SLOT


def test_what_is_given_back_late_is_not_counted_either() -> None:
    book = Book()
    entry = book.take(SLOT, 0.0)
    assert book.taken(TAKEN_FOR, Share()) == SLOT, "an old look cannot show it"
    book.give_back(entry)
    assert book.taken(TAKEN_FOR, Share()) == Share()


@pytest.mark.parametrize(
    ("wanted", "left", "reasons"),
    [
        (SLOT, Share(), ["kling: 4 free job slots, 4 of them just taken by other gates, 1 needed"]),
        (
            Share(0, 3),
            Share(1, 2),
            ["kling: 4 free job slots, 2 of them just taken by other gates, 3 needed"],
        ),
        (
            ACCOUNT,
            Share(),
            ["kling: 2 free accounts, 2 of them just taken by other gates, 1 needed"],
        ),
        (
            Share(2, 3),
            Share(1, 1),
            [
                "kling: 2 free accounts, 1 of them just taken by other gates, 2 needed",
                "kling: 4 free job slots, 3 of them just taken by other gates, 3 needed",
            ],
        ),
        (
            Share(1, 3),
            Share(1, 2),
            ["kling: 4 free job slots, 2 of them just taken by other gates, 3 needed"],
        ),
    ],
)
def test_who_is_passed_over_says_so(wanted: Share, left: Share, reasons: list[str]) -> None:
    found = Verdict((), (), True, slug="kling", free_accounts=2, free_job_slots=4, free=(2, 2))
    verdict = passed_over(found, wanted, left)
    assert list(verdict.reasons) == reasons
    assert not verdict.open
    assert verdict.free_job_slots == 4


# --- Whatever comes -------------------------------------------------------------------------------

wants = st.builds(
    lambda accounts, more: Share(accounts, accounts + more),
    st.integers(0, 3),
    st.integers(0, 3),
)
looks = st.tuples(
    st.floats(0, 40, allow_nan=False),  # seconds since the one before
    st.lists(st.integers(0, 4), max_size=4),
    st.lists(wants, max_size=8),
)


@given(st.lists(looks, max_size=12))
def test_no_more_opens_within_a_minute_than_was_free(
    rounds: list[tuple[float, list[int], list[Share]]],
) -> None:
    book, now = Book(), 0.0
    gone: list[tuple[float, Share]] = []
    for pause, free, wanted in rounds:
        now += pause
        line = gates(*wanted, free=tuple(free), since=book.total)
        new = [
            (now, each.wanted)
            for each, outcome in settle(line, book, now)
            if isinstance(outcome, Entry) and each.wanted
        ]
        gone += new
        within = [share for at, share in gone if now - at < TAKEN_FOR]
        # A look may find less than the one before: then nobody opens who would need it.
        if any(share.job_slots for _, share in new):
            assert sum(share.job_slots for share in within) <= sum(free)
        if any(share.accounts for _, share in new):
            assert sum(share.accounts for share in within) <= sum(each > 0 for each in free)


@given(st.lists(st.integers(0, 4), max_size=4), wants, st.lists(wants, max_size=8))
def test_the_oldest_goes_first(free: list[int], taken: Share, wanted: list[Share]) -> None:
    book = Book()
    book.take(taken, 0.0)
    left = left_of(free, taken)
    line = gates(*wanted, free=tuple(free), since=book.total)
    outcomes = {int(each.rank[0]): outcome for each, outcome in settle(line, book, 1.0)}
    assert list(outcomes) == list(range(len(wanted)))
    # Of those that the look alone could open, the oldest does, whoever else is in line.
    able = [number for number, share in enumerate(wanted) if share.fits(left)]
    if able:
        assert isinstance(outcomes[able[0]], Entry)
    for number, outcome in outcomes.items():
        if isinstance(outcome, Share):
            assert not wanted[number].fits(outcome)
            # Nobody younger opens on as much or more.
            assert not any(
                isinstance(outcomes[later], Entry) and wanted[number].fits(wanted[later])
                for later in range(number + 1, len(wanted))
            )


@given(st.lists(st.integers(0, 5), max_size=5), wants, wants)
def test_one_more_taken_never_leaves_more(free: list[int], taken: Share, more: Share) -> None:
    before, after = left_of(free, taken), left_of(free, taken + more)
    assert after.fits(before)
    assert after.job_slots >= after.accounts >= 0
