"""What is asked to learn of linked accounts, and in which order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_useapi.api.account_requests import (
    Request,
    account_credits,
    linked_accounts,
)
from airflow_provider_useapi.api.credits import Credits
from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiRequestError,
    UseApiResponseError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.gate.questions import ask_all
from tests.helpers.account_bodies import ACCOUNTS, CREDITS, ONE, TWO

KLING = "/v1/kling/accounts"
JSON = dict[str, Any]


def asking(requests: Any, **bodies: Any) -> tuple[list[str], Any]:
    """The paths that are asked for, and what it comes to."""
    paths: list[str] = []

    def answer(request: Request) -> Any:
        paths.append(request.path)
        body = bodies["account"] if request.path == "/v2/account" else bodies["found"](request.path)
        if isinstance(body, Exception):
            raise body
        return request.read(Answer(200, body=json.dumps(body).encode()), conn_id="c", secrets=())

    return paths, ask_all(requests, answer)


def kling(path: str) -> Any:
    if path == KLING:
        return {ONE: ACCOUNTS["kling"][ONE], TWO: ACCOUNTS["kling"][TWO]}
    owner = ONE if "studio1" in path else TWO
    return {**CREDITS["kling"], "email": owner}


def test_the_account_tells_what_the_refs_are_made_with() -> None:
    paths, found = asking(linked_accounts("Kling API"), account={"id": 7}, found=kling)
    assert paths == ["/v2/account", KLING]
    _, others = asking(linked_accounts("kling"), account={"id": 8}, found=kling)
    assert [each.hint for each in found] == [each.hint for each in others]
    assert found[0].ref != others[0].ref


def test_one_account_is_one_request() -> None:
    paths, found = asking(account_credits("kling", TWO), found=kling)
    assert paths == [f"{KLING}/studio2%40mail.example.com"]
    assert [(each.hint, each.total) for each in found] == [("st***o2@mail.example.com", 56000)]


def test_all_accounts_are_a_request_each_behind_their_list() -> None:
    paths, found = asking(account_credits("kling"), found=kling)
    assert [path.partition("%")[0] for path in paths] == [
        KLING,
        f"{KLING}/studio1",
        f"{KLING}/studio2",
    ]
    assert [each.hint for each in found] == ["st***o1@mail.example.com", "st***o2@mail.example.com"]


def test_equal_hints_take_the_account_for_their_marks() -> None:
    ids = [f"factory.{n}.main@gmail.com" for n in (1, 2)]

    def found(path: str) -> Any:
        return {each: {} for each in ids} if path == KLING else {"balance": {"total": 5}}

    paths, found_credits = asking(account_credits("kling"), account={"id": 7}, found=found)
    assert paths[-1] == "/v2/account"
    assert len({each.hint for each in found_credits}) == 2
    assert all(each.hint.startswith("fa***in@gmail.com #") for each in found_credits)


def test_an_account_that_is_out_of_order_hides_no_other() -> None:
    def found(path: str) -> Any:
        return UseApiRequestError("596") if "studio1" in path else kling(path)

    _, found_credits = asking(account_credits("kling"), found=found)
    assert [each.total for each in found_credits] == [None, 56000]
    with pytest.raises(UseApiRequestError):
        asking(account_credits("kling", ONE), found=found)


@pytest.mark.parametrize("error", [UseApiUnavailableError("503"), UseApiResponseError("odd")])
def test_any_other_error_is_one(error: Exception) -> None:
    with pytest.raises(type(error)):
        asking(account_credits("kling"), found=lambda path: kling(path) if path == KLING else error)


def test_one_answer_may_tell_of_all_accounts() -> None:
    paths, found = asking(account_credits("muse"), found=lambda _: CREDITS["muse"])
    assert paths == ["/v1/muse/accounts"]
    assert [each.plan for each in found] == ["HATCH_FREE", None]
    _, only = asking(account_credits("muse", ONE), found=lambda _: CREDITS["muse"])
    assert only == found[:1]
    with pytest.raises(UseApiRequestError, match=r"muse lists no account no\*\*\*dy@b\.c"):
        asking(account_credits("muse", "nobody@b.c"), found=lambda _: CREDITS["muse"])


def test_no_account_is_no_credits() -> None:
    assert asking(account_credits("kling"), found=lambda _: {}) == ([KLING], ())


@pytest.mark.parametrize("ask", [linked_accounts, account_credits])
def test_what_cannot_be_told_is_said_at_once(ask: Any) -> None:
    with pytest.raises(UseApiConfigError):
        ask("luma")


def test_credits_know_no_less_than_they_say() -> None:
    assert Credits("x", 5).has(5) and not Credits("x", 5).has(6)
