"""What a gate asks in one look, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.live_readers import Row, Rows
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.gate.condition import Thresholds
from airflow_provider_useapi.gate.questions import Question, ask_all, questions_of

ACTIVE = {"subscriptionIsActive": True, "accounts": {"Muse API": {"total": 2, "active": 2}}}


def asked(account: dict[str, Any], *question: Any) -> tuple[list[str], Any]:
    """The questions of a look, and its verdict."""
    paths: list[str] = []

    def answer(what: Question) -> Account | Rows:
        paths.append("account" if what is None else what.path)
        if what is None:
            return Account.from_json(account)
        return Rows((Row("a@example.com", max_jobs=4, running=1),))

    return paths, ask_all(questions_of(*question), answer)


@pytest.mark.parametrize(
    "question",
    [(None, Thresholds()), ("muse", Thresholds()), ("muse", Thresholds(min_active_accounts=2))],
)
def test_the_account_is_enough_where_no_live_threshold_is_stated(question: Any) -> None:
    paths, verdict = asked(ACTIVE, *question)
    assert (paths, verdict.open) == (["account"], True)


def test_live_endpoints_are_asked_once_everything_else_holds() -> None:
    paths, verdict = asked(ACTIVE, "Muse API", Thresholds(min_free_job_slots=3))
    assert paths == ["account", "/v1/muse/jobs", "/v1/muse/accounts"]
    assert (verdict.open, verdict.free_job_slots, verdict.free_accounts) == (True, 3, 1)


@pytest.mark.parametrize(
    ("account", "thresholds"),
    [
        ({**ACTIVE, "subscriptionIsActive": False}, Thresholds(min_free_job_slots=1)),
        (ACTIVE, Thresholds(min_active_accounts=3, min_free_job_slots=1)),
        ({"subscriptionIsActive": True}, Thresholds(min_free_accounts=0)),
    ],
)
def test_nothing_live_is_asked_while_the_account_keeps_the_gate_closed(
    account: dict[str, Any], thresholds: Thresholds
) -> None:
    paths, verdict = asked(account, "muse", thresholds)
    assert (paths, verdict.open) == (["account"], False)


@pytest.mark.parametrize("service", ["luma", "brand new", "google-flow", ""])
def test_what_can_never_be_told_is_said_before_the_first_question(service: str) -> None:
    questions = questions_of(service, Thresholds(min_free_job_slots=1))
    with pytest.raises(UseApiConfigError):
        next(questions)
