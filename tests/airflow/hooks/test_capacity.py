"""Asking for capacity at a real socket: blocking and on a loop, the same outcome and no leak."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_useapi.api.capacity import Capacity
from airflow_provider_useapi.api.service_names import service_of
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiConfigError,
    UseApiError,
    UseApiResponseError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.gate.questions import About
from airflow_provider_useapi.hooks.questions import answer
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from tests.helpers.servers import define

SERVICES = [service for service in CATALOGUE if service.live]
LIVE = [service.slug for service in SERVICES]
MUSE = ["/v1/muse/jobs", "/v1/muse/accounts"]
Ask = Callable[..., Capacity]


def ask_sync(*arguments: Any, **named: Any) -> Capacity:
    with UseApiHook() as hook:
        return hook.get_capacity(*arguments, **named)


def ask_async(*arguments: Any, **named: Any) -> Capacity:
    return asyncio.run(UseApiHook().aget_capacity(*arguments, **named))


@pytest.fixture(autouse=True)
def token_with_signs(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that has a form of its own in a URL, in Base64 and so on: none of them gets out."""
    sandbox.token = "user:12345-s3cr3t/+="
    define(monkeypatch, sandbox.url, password=sandbox.token)


def outcome(ask: Ask, *arguments: Any, **named: Any) -> object:
    try:
        return ask(*arguments, **named)
    except UseApiError as e:
        return type(e), str(e), e.status_code, e.retry_after


def ask_both(*arguments: Any, **named: Any) -> Any:
    sync = outcome(ask_sync, *arguments, **named)
    assert sync == outcome(ask_async, *arguments, **named)
    return sync


@pytest.mark.parametrize("service", SERVICES, ids=LIVE)
def test_both_ways_count_the_same_and_ask_each_endpoint_once(
    sandbox: Sandbox, service: Any
) -> None:
    sandbox.link(
        service.slug,
        LinkedAccount("a@example.com", max_jobs=5, running=2),
        LinkedAccount("b@example.com", max_jobs=2, running=2),
        LinkedAccount("c@example.com", max_jobs=4, health="signed out"),
    )
    found = ask_both(service.key, jobs_per_account=4)
    published = service.publishes_limit
    assert (found.free_job_slots, found.free_accounts) == ((2, 1) if published else (4, 2))
    asked = [endpoint.path.partition("?")[0] for endpoint in service.live]
    assert [request.path for request in sandbox.requests] == asked * 2
    assert all(request.status == 200 and request.authorized for request in sandbox.requests)
    assert sandbox.connections == 2


@pytest.mark.parametrize("service", LIVE)
def test_no_account_configured_is_zero(sandbox: Sandbox, service: str) -> None:
    sandbox.capacity[service] = []
    found = ask_both(service)
    assert (found.accounts, found.free_job_slots, found.free_accounts) == ((), 0, 0)


def test_one_hook_keeps_one_connection(sandbox: Sandbox) -> None:
    with UseApiHook() as hook:
        hook.get_account()
        for service in LIVE:
            hook.get_capacity(service)
    assert sandbox.connections == 1


@pytest.mark.parametrize("ask", [ask_sync, ask_async])
def test_each_request_has_all_the_tries(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    define(monkeypatch, sandbox.url, password=sandbox.token, max_attempts=3)
    now = {"Retry-After": "0"}
    for path in MUSE:
        sandbox.script(path, *[Answer(status=status, headers=now) for status in (429, 503)])
    assert ask("muse").free_job_slots == 5
    assert [request.status for request in sandbox.requests] == [429, 503, 200] * 2
    sandbox.script(MUSE[1], *[Answer(status=503, headers=now)] * 3)
    with pytest.raises(UseApiUnavailableError, match=f"GET {MUSE[1]} was answered with 503"):
        ask("muse")


def test_a_question_of_a_look_is_asked_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(monkeypatch, sandbox.url, password=sandbox.token, max_attempts=3)
    sandbox.script(MUSE[0], 503)
    jobs, _ = service_of("muse").live  # type: ignore[union-attr]
    with UseApiHook() as hook:
        with pytest.raises(UseApiUnavailableError):
            answer(hook, jobs)
        assert answer(hook, jobs).accounts  # type: ignore[union-attr]
        assert answer(hook, About.ACCOUNT).id == 12345
    assert len(sandbox.requests) == 3


def test_without_a_limit_the_hook_tells_the_load(sandbox: Sandbox) -> None:
    found = ask_both("google-flow")
    assert [account.running for account in found.accounts] == [0, 1]
    assert not found.known


@pytest.mark.parametrize(
    ("service", "own"), [("luma", None), ("brand new", None), ("kling", 0), ("kling", "2")]
)
def test_what_cannot_be_asked_makes_no_request(sandbox: Sandbox, service: str, own: Any) -> None:
    kind, *_ = ask_both(service, jobs_per_account=own)
    assert kind is UseApiConfigError
    assert sandbox.requests == []


def expected(status: int, none: int) -> str:
    """The table of outcomes, written down again."""
    if status in (200, 402, none):
        return "Capacity"
    if status in (401, 403):
        return "UseApiAuthError"
    if 200 <= status < 300:
        return "UseApiResponseError"
    if status in (408, 429) or (status >= 500 and status != 596):
        return "UseApiUnavailableError"
    return "UseApiRequestError"


@pytest.mark.parametrize(("path", "none"), [(MUSE[0], 400), (MUSE[1], 404)])
def test_every_final_status(sandbox: Sandbox, path: str, none: int) -> None:
    statuses = range(200, 600)
    answers = [Answer(status=status) for status in statuses]
    sandbox.script(path, *answers, *answers)

    async def ask_all() -> list[object]:
        found = []
        for _ in statuses:
            try:
                found.append(await UseApiHook().aget_capacity("muse"))
            except UseApiError as e:
                found.append((type(e), str(e), e.status_code, e.retry_after))
        return found

    with UseApiHook() as hook:
        sync = [outcome(hook.get_capacity, "muse") for _ in statuses]
    assert sync == asyncio.run(ask_all())
    kinds = [each[0].__name__ if isinstance(each, tuple) else "Capacity" for each in sync]
    assert dict(zip(statuses, kinds, strict=True)) == {
        status: expected(status, none) for status in statuses
    }
    assert sync[402 - 200] == Capacity(
        "muse", refused="Account has no subscription or subscription expired"
    )
    assert sync[none - 200] == Capacity("muse")


# --- Secrets --------------------------------------------------------------------------------------

CANARY = "canary-9f1e"
ADDRESS = f"{CANARY}@mail.example.com"
SECRETS: dict[str, Any] = {
    "password": CANARY,
    "name": CANARY,
    "jwt": {"token": CANARY, "email": ADDRESS},
    "access_token": CANARY,
    "refresh_token": CANARY,
    "session_id": CANARY,
    "user_id": CANARY,
    "session": {"userId": CANARY},
    "sessionData": {"cookies": [{"name": CANARY, "value": CANARY}]},
    "sessionCookie": {"value": CANARY},
    "cookies": [CANARY],
    "vidsDocId": CANARY,
    "requestParams": {"headers": {"cookie": CANARY}},
    "searchParams": CANARY,
    "discord": CANARY,
    "luma_session": CANARY,
    "lt_token": CANARY,
    "replyUrl": f"https://example.com/{CANARY}",
    "sessionExpires": CANARY,
    "code": CANARY,
    CANARY: CANARY,
}
ACCOUNTS = [
    (service.slug, endpoint.path)
    for service in SERVICES
    for endpoint in service.live
    if endpoint.path.endswith("/accounts")
]


@pytest.fixture
def all_logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "urllib3", "asyncio", "airflow"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


FAULTS = {
    "whole": Answer(body={ADDRESS: {"maxJobs": 2, **SECRETS}}),
    "odd": Answer(body={ADDRESS: {"maxJobs": SECRETS, "health": SECRETS, "error": SECRETS}}),
    "list": Answer(body=[{"email": ADDRESS, **SECRETS}]),
    "cut off": Answer(body={ADDRESS: SECRETS}, cut_off=True),
    "too long": Answer(body={ADDRESS: SECRETS}, oversized=2 * 1024 * 1024),
    "as a page": Answer(body=f"password={CANARY}"),
    "after a letter": Answer(body="x" + json.dumps({ADDRESS: SECRETS})),
    **{
        f"{status} {kind}": Answer(status=status, body=body)
        for status in (201, 302, 400, 401, 402, 403, 404, 429, 500, 596)
        for kind, body in (
            ("json", {ADDRESS: SECRETS}),
            ("error", {"error": {**SECRETS, "message": ADDRESS}}),
            ("page", f"password={CANARY}"),
        )
    },
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("service", "path"), ACCOUNTS, ids=[path for _, path in ACCOUNTS])
def test_nothing_of_an_accounts_body_is_shown(
    sandbox: Sandbox,
    all_logs: pytest.LogCaptureFixture,
    service: str,
    path: str,
    fault: str,
) -> None:
    shown = []
    for ask in (ask_sync, ask_async):
        sandbox.script(path, FAULTS[fault])
        try:
            found = ask(service)
        except UseApiError as e:
            shown += [str(e), repr(e), repr(e.__cause__), str(vars(e))]
        else:
            shown += [repr(found), json.dumps({**found.to_dict(), "accounts": None})]
            for account in found.accounts:
                shown.append(str({**vars(account), "id": "", "reason": account.reason}))
                offered = [each.id for each in sandbox.capacity[service]]
                assert account.id in (ADDRESS, CANARY, *offered)
    assert shown
    # The sandbox's own half of the conversation is not ours.
    logged = [each.getMessage() for each in all_logs.records if "sandbox" not in each.name]
    assert any(path in line for line in logged), "debug logging was on"
    for text in [*shown, *logged]:
        assert CANARY not in text
        assert "s3cr3t" not in text


def test_the_token_is_masked_in_what_the_api_says(sandbox: Sandbox) -> None:
    echo = {"error": f"{sandbox.token} of a@b.c"}
    for status, kind in ((401, UseApiAuthError), (200, UseApiResponseError)):
        sandbox.script(MUSE[1], *[Answer(status=status, body=echo)] * 2)
        found, said, *_ = ask_both("muse")
        assert found is kind
        assert said.endswith(": *** of ***")
    sandbox.script(MUSE[1], *[Answer(status=402, body=echo)] * 2)
    assert ask_both("muse").refused == "*** of ***"
