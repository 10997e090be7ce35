"""Linked accounts and their credits at a real socket: blocking and on a loop, the same outcome."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
)
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from airflow_provider_useapi.sandbox.account_lists import SECRET
from tests.helpers.servers import define

LISTED = [service.slug for service in CATALOGUE if service.accounts]
TELLING = [service.slug for service in CATALOGUE if service.credits]
NUMBERS = [service.slug for service in CATALOGUE if service.credits and service.credits.total]
ONE, TWO = "studio1@mail.example.com", "studio2@mail.example.com"


def outcome(call: Any) -> object:
    try:
        return call()
    except UseApiError as e:
        return type(e), str(e), e.status_code, e.retry_after


def ask_both(name: str, *arguments: Any) -> Any:
    def sync() -> object:
        with UseApiHook() as hook:
            return getattr(hook, f"get_{name}")(*arguments)

    found = outcome(sync)
    assert found == outcome(lambda: asyncio.run(getattr(UseApiHook(), f"aget_{name}")(*arguments)))
    return found


def asked(sandbox: Sandbox) -> list[str]:
    return [request.path for request in sandbox.requests]


@pytest.mark.parametrize("service", LISTED)
def test_the_linked_accounts_of_each_service(sandbox: Sandbox, service: str) -> None:
    sandbox.link(service, LinkedAccount(ONE, max_jobs=4), LinkedAccount(TWO, health="signed out"))
    one, two = ask_both("linked_accounts", service)
    assert (one.id, one.hint, one.healthy) == (ONE, "st***o1@mail.example.com", True)
    assert (two.healthy, two.reason) == (
        (True, None) if service == "tempolor" else (False, "signed out")
    )
    assert one.ref != two.ref
    assert one.max_jobs == (None if service in ("google-flow", "mureka") else 4)
    assert len(sandbox.requests) == 4
    shown = repr((one, two))
    assert ONE not in shown and SECRET not in shown + str(vars(one))


@pytest.mark.parametrize("service", TELLING)
def test_the_credits_of_each_service(sandbox: Sandbox, service: str) -> None:
    sandbox.link(service, LinkedAccount(ONE, credits=700), LinkedAccount(TWO, credits=900))
    both = ask_both("credits", service)
    wanted = [700, 900] if service in NUMBERS else [None, None]
    assert [each.total for each in both] == wanted
    assert [each.hint for each in both] == ["st***o1@mail.example.com", "st***o2@mail.example.com"]
    sandbox.requests.clear()
    (only,) = ask_both("credits", service, TWO)
    assert only == both[1]
    assert len(sandbox.requests) == 2, "one request each way"
    assert SECRET not in repr(both) and ONE not in repr(both)


@pytest.mark.parametrize("name", ["linked_accounts", "credits"])
@pytest.mark.parametrize("service", LISTED)
def test_no_page_with_a_side_effect_is_asked_for(sandbox: Sandbox, service: str, name: str) -> None:
    ask_both(name, service)
    for slug in ("dreamina", "muse"):
        for account in sandbox.capacity[slug]:
            assert (account.has_claimed, account.codes_mailed) == (False, 0)
    assert not any(
        path.startswith(f"/v1/{slug}/accounts/")
        for path in asked(sandbox)
        for slug in ("dreamina", "muse")
    )


def test_dreamina_says_why_it_is_not_asked(sandbox: Sandbox) -> None:
    kind, said, *_ = ask_both("credits", "dreamina", f"US:{ONE}")
    assert kind is UseApiConfigError
    assert "claims the free daily credits" in said and ONE not in said
    assert sandbox.requests == []


def test_what_cannot_be_asked_is_said_before_the_connection_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT", raising=False)
    assert ask_both("linked_accounts", "luma")[0] is UseApiConfigError


def test_an_answer_of_another_account_is_none(sandbox: Sandbox) -> None:
    path = f"/v1/kling/accounts/{quote(ONE, safe='')}"
    sandbox.script(path, *[Answer(body={"email": TWO, "balance": {"total": 5}})] * 2)
    kind, said, *_ = ask_both("credits", "kling", ONE)
    assert kind is UseApiResponseError
    assert said == (
        "Connection 'useapi_default': GET /v1/kling/accounts/st***o1@mail.example.com was answered"
        " with 200, but it tells of another account than was asked for."
    )


def test_the_endpoint_that_is_not_there_is_an_error(sandbox: Sandbox) -> None:
    gone = {"error": "Endpoint not found", "hint": {"llm_docs": "x"}}
    sandbox.script("/v1/kling/accounts", *[Answer(status=404, body=gone)] * 4)
    assert ask_both("linked_accounts", "kling")[0] is UseApiRequestError
    assert ask_both("capacity", "kling")[0] is UseApiRequestError
    sandbox.capacity["kling"] = []
    assert ask_both("linked_accounts", "kling") == ()


def test_each_request_has_all_the_tries(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, sandbox.url, password=sandbox.token, max_attempts=2)
    sandbox.script(
        "/v1/kling/accounts", *[Answer(status=503, headers={"Retry-After": "0"}), 200] * 2
    )
    assert len(ask_both("linked_accounts", "kling")) == 2
    assert asked(sandbox).count("/v1/kling/accounts") == 4


def test_a_status_can_be_shown_as_json(sandbox: Sandbox) -> None:
    (one, _) = ask_both("linked_accounts", "kling")
    shown = {name: value for name, value in vars(one).items() if name != "id"}
    assert "example.com" in json.dumps(shown, default=str)
    assert one.session_expires is not None and one.session_expires.utcoffset() is not None
