from __future__ import annotations

import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.redaction import LIMIT, mask_emails, public_text

TOKEN = "user:12345-s3cr3t/+="


@pytest.mark.parametrize(
    "text",
    [
        "account jo.hn+x@mail.example.com not found",
        '{"error":"jo.hn@mail.example.com"}',
        "US:jo.hn@mail.example.com",
        "mailto:jo.hn%40mail.example.com?x",
        "<jo.hn@mail.example.com>",
        "jo.hn＠mail.example.com",
        r"jo.hn\u0040mail.example.com",
        "a/jo.hn@mail.example.com/b",
    ],
)
def test_an_address_is_masked_in_every_spelling(text: str) -> None:
    shown = mask_emails(text)
    assert "jo.hn" not in shown
    assert "mail.example" not in shown
    assert "***" in shown


def test_text_without_an_address_stays() -> None:
    assert mask_emails("100% of 3 accounts, see a/b?c=d&e") == "100% of 3 accounts, see a/b?c=d&e"


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        TOKEN.removeprefix("user:"),
        quote(TOKEN, safe=""),
        quote_plus(TOKEN),
        f"Bearer {TOKEN}",
    ],
)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    assert "s3cr3t" not in public_text(f"Header was {form}.", [TOKEN])


@given(st.text(max_size=400), st.integers(0, 400))
def test_no_cut_leaves_half_a_secret(filling: str, at: int) -> None:
    shown = public_text(filling[:at] + TOKEN + filling[at:], [TOKEN])
    assert "s3cr" not in shown
    assert len(shown) <= LIMIT


@given(st.text(max_size=100), st.text("abc.", min_size=1), st.text("abc.", min_size=1))
def test_no_address_survives(before: str, local: str, domain: str) -> None:
    assert "@" not in public_text(f"{before} {local}@{domain}")


@given(st.text())
def test_what_is_shown_is_one_printable_line(text: str) -> None:
    shown = public_text(text)
    assert "\n" not in shown
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    shown.encode()


@pytest.mark.parametrize("hostile", ["a" * 10**6, "@" * 10**6, "a@" * 10**6, "%4" * 10**6])
@pytest.mark.timeout(10)
def test_a_megabyte_is_read_in_linear_time(hostile: str) -> None:
    assert len(public_text(hostile)) <= LIMIT
