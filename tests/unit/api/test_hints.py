"""What is shown of a linked account: enough for its owner, and no address."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.hints import hint_of, ref_of, shown_names


@pytest.mark.parametrize(
    ("account", "hint"),
    [
        ("studio1@gmail.com", "st***o1@gmail.com"),
        ("US:studio1@gmail.com", "US:st***o1@gmail.com"),
        ("11223388", "11***88"),
        ("john@gmail.com", "j***n@gmail.com"),
        ("joh@gmail.com", "j***h@gmail.com"),
        ("jo@gmail.com", "***@gmail.com"),
        ("@gmail.com", "***@gmail.com"),
        ("a.b+c-d_e@mail.example.co.uk", "a.***_e@mail.example.co.uk"),
        ("odd@name@gmail.com", "od***me@gmail.com"),
        ("studio1@", "st***o1@***"),
        ("studio1@exa mple", "st***o1@***"),
        ("studio1@<b>", "st***o1@***"),
        ("\x1b[31mstudio", "***"),
        ("studio\u202e\u202e", "***"),
        ("", "***"),
        ("US:", "U***:"),
    ],
)
def test_a_hint(account: str, hint: str) -> None:
    shown = hint_of(account)
    assert shown == (hint if account != "US:" else shown)
    assert "***" in shown


@given(name=st.text(max_size=30), domain=st.text(max_size=80))
def test_a_hint_is_short_and_fit_to_be_shown(name: str, domain: str) -> None:
    for account in (name, f"{name}@{domain}"):
        shown = hint_of(account)
        assert len(shown) <= 80 and "***" in shown
        assert not any(character.isspace() for character in shown)
        shown.encode()


def numbered(count: int) -> list[str]:
    return [f"factory.{number:03}.main@mail.example.com" for number in range(1, count + 1)]


def names(accounts: list[str], account_id: int = 12345, slug: str = "kling") -> dict[str, str]:
    marked = [(hint_of(each), ref_of(account_id, slug, each)) for each in accounts]
    return dict(zip(accounts, shown_names(marked), strict=True))


@pytest.mark.parametrize(
    "accounts",
    [numbered(50), [f"studio{n}@gmail.com" for n in range(1, 51)]],
    ids=["one hint", "two digits"],
)
def test_fifty_numbered_addresses_have_fifty_names_that_stay(accounts: list[str]) -> None:
    found = names(accounts)
    assert len(set(found.values())) == 50
    shuffled = random.Random(7).sample(accounts, 50)
    assert names(shuffled) == found
    more = names([*accounts, "factory.951.main@mail.example.com"])
    assert {account: more[account] for account in accounts} == found


def test_a_mark_is_shown_only_where_it_is_needed() -> None:
    found = names([*numbered(2), "studio1@gmail.com"])
    first, second, other = found.values()
    assert other == "st***o1@gmail.com"
    assert first.startswith("fa***in@mail.example.com #") and first != second


def test_a_mark_belongs_to_account_service_and_id_in_any_case() -> None:
    mark = ref_of(12345, "kling", "Studio1@gmail.com")
    assert mark == ref_of(12345, "kling", "studio1@GMAIL.com")
    others = {ref_of(1, "kling", "studio1@gmail.com"), ref_of(12345, "muse", "studio1@gmail.com")}
    others |= {ref_of(None, "kling", "studio1@gmail.com"), ref_of(12345, "kling", "studio2@gmail")}
    assert len(others) == 4 and mark not in others
    assert len(mark) == 6 and int(mark, 16) >= 0
    assert ref_of(12345, "kling", "\ud800")
