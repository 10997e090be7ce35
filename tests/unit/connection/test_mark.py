"""Whom the API sees, told apart without being told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.connection.settings import Settings

URL, TOKEN = "https://api.example.org", "user:12345-secret"


def settings(base_url: str = URL, token: str = TOKEN, **more: Any) -> Settings:
    return Settings("my_conn", token, base_url, **more)


def test_a_mark_fits_its_url_and_token_and_no_others() -> None:
    mark = Mark.of(settings(), salt=b"0123456789abcdef")
    assert mark.fits(settings(timeout=3.0, max_attempts=9))
    assert not mark.fits(settings(token="user:12345-other"))
    assert not mark.fits(settings(base_url=f"{URL}/v9"))
    assert mark != Mark.of(settings(), salt=b"fedcba9876543210")


def test_what_is_shown_and_stored_of_it_tells_nothing() -> None:
    mark = Mark.of(settings())
    note = mark.to_note()
    assert (len(note["mark"]), len(note["salt"])) == (16, 32)
    assert note["mark"] not in repr(mark)
    assert "secret" not in str(note)


@given(st.text(), st.text(), st.text(), st.text())
def test_url_and_token_do_not_run_into_each_other(
    url: str, token: str, other_url: str, other_token: str
) -> None:
    url, other_url = (each.replace("\0", "") for each in (url, other_url))
    same = (url, token) == (other_url, other_token)
    mark = Mark.of(settings(url.encode("ascii", "ignore").decode(), "t"))
    assert mark.fits(settings(url.encode("ascii", "ignore").decode(), "t"))
    if "\0" not in token + other_token and (url + token + other_url + other_token).isascii():
        assert Mark.of(settings(url, token)).fits(settings(other_url, other_token)) == same


@given(st.binary(min_size=16, max_size=16))
def test_a_mark_crosses_processes(salt: bytes) -> None:
    mark = Mark.of(settings(), salt)
    assert Mark.from_note(mark.to_note()) == mark


@pytest.mark.parametrize(
    "note",
    [
        None,
        [],
        "x",
        {},
        {"mark": 1, "salt": 2},
        {"mark": "a", "salt": "odd"},
        {"mark": "a", "salt": "00"},
    ],
)
def test_what_is_no_mark_is_none(note: object) -> None:
    assert Mark.from_note(note) is None
