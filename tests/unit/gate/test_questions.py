"""What a gate asks in one look, and in which order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.account_requests import Request
from airflow_provider_useapi.api.kept_credits import CreditRound, Kept
from airflow_provider_useapi.api.live_readers import Row, Rows
from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiConfigError
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.gate.questions import About, Question, ask_all, look

ACTIVE = {"subscriptionIsActive": True, "accounts": {"Muse API": {"total": 2, "active": 2}}}


def asked(account: dict[str, Any], condition: Condition) -> tuple[list[str], Any]:
    """The questions of a look, and its verdict."""
    paths: list[str] = []

    def answer(what: Question) -> Account | Rows:
        if isinstance(what, About):
            paths.append(what.value)
            return Account.from_json(account)
        paths.append(what.path)
        return Rows((Row("a@example.com", max_jobs=4, running=1),))

    return paths, ask_all(look(condition), answer)


@pytest.mark.parametrize(
    "condition", [Condition(), Condition("muse"), Condition("muse", min_active_accounts=2)]
)
def test_the_account_is_enough_where_no_live_threshold_is_stated(condition: Condition) -> None:
    paths, verdict = asked(ACTIVE, condition)
    assert (paths, verdict.open) == (["account"], True)


def test_live_endpoints_are_asked_once_everything_else_holds() -> None:
    paths, verdict = asked(ACTIVE, Condition("Muse API", min_free_job_slots=3))
    assert paths == ["account", "/v1/muse/jobs", "/v1/muse/accounts"]
    assert (verdict.open, verdict.free_job_slots, verdict.free_accounts) == (True, 3, 1)


@pytest.mark.parametrize(
    ("account", "condition"),
    [
        ({**ACTIVE, "subscriptionIsActive": False}, Condition("muse", min_free_job_slots=1)),
        (ACTIVE, Condition("muse", min_active_accounts=3, min_free_job_slots=1)),
        ({"subscriptionIsActive": True}, Condition("muse", min_free_accounts=0)),
    ],
)
def test_nothing_live_is_asked_while_the_account_keeps_the_gate_closed(
    account: dict[str, Any], condition: Condition
) -> None:
    paths, verdict = asked(account, condition)
    assert (paths, verdict.open) == (["account"], False)


@pytest.mark.parametrize("service", ["luma", "brand new", "google-flow", ""])
def test_what_can_never_be_told_is_said_before_the_first_question(service: str) -> None:
    questions = look(Condition(service, min_free_job_slots=1))
    with pytest.raises(UseApiConfigError):
        next(questions)


def answering(*answers: Any) -> tuple[list[Question], Any]:
    """The questions of a look that gets these answers, errors raised, and what it comes to."""
    asked: list[Question] = []
    left = iter(answers)

    def answer(question: Question) -> Any:
        asked.append(question)
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    try:
        return asked, ask_all(look(Condition()), answer)
    except UseApiAuthError as e:
        return asked, e


def test_a_refused_token_is_asked_about_again_if_there_is_a_new_one() -> None:
    refused = UseApiAuthError("401.")
    asked, verdict = answering(refused, True, Account.from_json(ACTIVE))
    assert asked == [About.ACCOUNT, About.RENEWAL, About.ACCOUNT]
    assert verdict.open
    assert answering(refused, False) == ([About.ACCOUNT, About.RENEWAL], refused)
    again = UseApiAuthError("401 again.")
    assert answering(refused, True, again)[1] is again


def test_credits_are_asked_for_last_behind_the_accounts_that_have_them() -> None:
    paths: list[str] = []

    def answer(what: Question) -> Any:
        if isinstance(what, CreditRound):
            paths.append(f"credits of {len(what.accounts)}")
            return {ref: Kept(datetime.max.replace(tzinfo=UTC), 500) for ref in what.accounts}
        if isinstance(what, About):
            return Account.from_json(KLING)
        paths.append(what.path)
        if isinstance(what, Request):
            body = json.dumps({"a@b.c": {}, "d@e.f": {"error": "signed out"}}).encode()
            return what.read(Answer(200, body=body), conn_id="c")
        return Rows((Row("a@b.c", free=1), Row("d@e.f", free=2)))

    live = Condition("kling", min_free_job_slots=1, min_credits=500)
    assert ask_all(look(live), answer).open
    assert paths == ["/v1/kling/scheduler/available", "/v1/kling/accounts", "credits of 2"]
    paths.clear()
    assert ask_all(look(Condition("kling", min_credits=500)), answer).open
    assert paths == ["/v1/kling/accounts", "credits of 1"], "of the healthy one"
    paths.clear()
    closed = Condition("kling", min_free_job_slots=9, min_credits=500)
    assert not ask_all(look(closed), answer).open
    assert "credits" not in str(paths)


KLING = {"subscriptionIsActive": True, "accounts": {"Kling API": {"total": 2, "active": 2}}}
