"""Credits that were told a while ago: each account is asked for once in ten minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from airflow_provider_useapi.api.account_requests import Request
from airflow_provider_useapi.api.credits import Credits, credits_service
from airflow_provider_useapi.api.kept_credits import (
    KEPT,
    CreditRound,
    Kept,
    ask_round,
    from_note,
    to_note,
)
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiRequestError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.gate.questions import ask_all
from tests.helpers.bodies import JSON

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
_, PAGE = credits_service("kling")
ROUND = CreditRound("kling", PAGE, {"aaaaaa": "a@b.c", "bbbbbb": "d@e.f"})


class Asking:
    """Answers a round, and counts its requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []

    def __call__(self, request: Request) -> Any:
        self.requests.append(request.path)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return dict.fromkeys(("a@b.c", "d@e.f"), Credits("x", found))


def test_each_account_is_one_request_and_then_kept() -> None:
    asking = Asking(500, 20)
    first = ask_all(ask_round(ROUND, {}, NOW), asking)
    assert [each.total for each in first.values()] == [500, 20]
    assert len(asking.requests) == 2
    later = NOW + KEPT - timedelta(seconds=1)
    assert ask_all(ask_round(ROUND, first, later), asking) == first
    again = ask_all(ask_round(ROUND, first, NOW + KEPT), Asking(1, 2))
    assert [each.total for each in again.values()] == [1, 2]


def test_a_call_that_failed_is_made_again_and_the_others_are_kept() -> None:
    first = ask_all(ask_round(ROUND, {}, NOW), Asking(UseApiUnavailableError("503."), 20))
    assert (first["aaaaaa"].total, first["aaaaaa"].failed) == (None, "503.")
    asking = Asking(500)
    second = ask_all(ask_round(ROUND, first, NOW + timedelta(seconds=1)), asking)
    assert len(asking.requests) == 1
    assert second["aaaaaa"].total == 500


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (UseApiUnavailableError("429.", retry_after=90), 90),
        (UseApiUnavailableError("429.", retry_after=9000), 9000),
        (UseApiRequestError("596."), 600),
    ],
)
def test_a_call_that_failed_is_not_made_again_too_soon(error: Exception, seconds: int) -> None:
    found = ask_all(ask_round(ROUND, {}, NOW), Asking(error, 20))
    assert found["aaaaaa"].until == NOW + timedelta(seconds=seconds)
    for later, asked in ((seconds - 1, 0), (seconds, 1)):
        held = {"aaaaaa": found["aaaaaa"], "bbbbbb": Kept(NOW + timedelta(days=1), failed="429.")}
        asking = Asking(500)
        ask_all(ask_round(ROUND, held, NOW + timedelta(seconds=later)), asking)
        assert len(asking.requests) == asked


def test_a_refused_token_is_an_error() -> None:
    with pytest.raises(UseApiAuthError):
        ask_all(ask_round(ROUND, {}, NOW), Asking(UseApiAuthError("401.")))


def test_what_claims_to_be_kept_for_longer_is_not_believed() -> None:
    odd = {
        "aaaaaa": Kept(NOW + 2 * KEPT, 9),
        "bbbbbb": Kept(NOW + timedelta(hours=25), failed="429."),
    }
    found = ask_all(ask_round(ROUND, odd, NOW), Asking(1, 2))
    assert [each.total for each in found.values()] == [1, 2]


def test_what_is_stored_is_read_again() -> None:
    kept = {"aaaaaa": Kept(NOW, 5, "Pro"), "bbbbbb": Kept(NOW, failed="503.")}
    assert from_note(to_note(kept)) == kept
    assert "a@b.c" not in str(to_note(kept))


@given(JSON)
def test_any_note_is_read(note: Any) -> None:
    for found in (from_note(note), from_note({"aaaaaa": note})):
        assert all(isinstance(each, Kept) for each in found.values())
