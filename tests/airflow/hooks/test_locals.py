"""What a tool shows that prints tracebacks with the local variables of each frame."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import airflow_provider_useapi
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from tests.helpers.servers import define

TOKEN, PROXY, EMAIL = "user:98765-CanaryToken", "pr0xy-canary", "canary.person@example.org"
CANARIES = ("CanaryToken", PROXY, "canary.person")
OURS = str(Path(airflow_provider_useapi.__file__).parent)

CALLS: dict[str, Callable[[UseApiHook], Any]] = {
    "account": lambda hook: hook.get_account(),
    "account, in a loop": lambda hook: asyncio.run(hook.aget_account()),
    "accounts": lambda hook: hook.get_linked_accounts("kling"),
    "credits": lambda hook: hook.get_credits("kling", EMAIL),
    "capacity": lambda hook: hook.get_capacity("kling"),
}
REFUSED = [
    {"timeout": "soon"},
    {"verify": "/nowhere.pem"},
    {"proxy": f"socks5://gate:{PROXY}@127.0.0.1:1"},
    {"proxy": f"http://gate:{PROXY}@"},
    {"client_key": "/nowhere.pem"},
]
ANSWERS = [
    Answer(status=401, body={"error": f"{TOKEN} of {EMAIL}"}),
    Answer(status=503, body=f"<html>{TOKEN} {EMAIL}"),
    Answer(body=[EMAIL, TOKEN]),
    Answer(reset=True),
]


def shown(error: BaseException) -> str:
    """The error as such a tool shows it: of each frame of ours the local variables."""
    lines = []
    told: traceback.TracebackException | None
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    while told:
        lines += [str(told), *(told.__notes__ or ())]
        for frame in told.stack:
            if frame.filename.startswith(OURS):
                lines += [
                    f"{frame.name} {name}={value}" for name, value in (frame.locals or {}).items()
                ]
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    return "\n".join(lines)


def leaks(call: Callable[[UseApiHook], Any]) -> list[str]:
    with UseApiHook() as hook, pytest.raises(UseApiError) as caught:
        call(hook)
    text = shown(caught.value)
    assert "hook=" in text or "self=" in text, "no locals at all"
    return [line for line in text.splitlines() if any(canary in line for canary in CANARIES)]


@pytest.mark.parametrize("answer", ANSWERS, ids=["401", "503", "no account", "reset"])
@pytest.mark.parametrize("call", CALLS)
def test_no_local_of_ours_tells_the_token_when_the_answer_is_no_good(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, call: str, answer: Answer
) -> None:
    sandbox.token = TOKEN
    proxy = sandbox.url.replace("//", f"//gate:{PROXY}@")
    define(monkeypatch, sandbox.url, password=TOKEN, proxy=proxy, max_attempts=1)
    sandbox.link("kling", LinkedAccount(EMAIL))
    for path in ("/v2/account", "/v1/kling/accounts", "/v1/kling/scheduler/available"):
        sandbox.script(path, answer, answer)
    sandbox.script(f"/v1/kling/accounts/{EMAIL.replace('@', '%40')}", answer)
    found = leaks(CALLS[call])
    # It is what was asked for, and what came, that tells of a person there.
    assert [line for line in found if "canary.person" not in line] == []


@pytest.mark.parametrize("extra", REFUSED, ids=lambda extra: next(iter(extra)))
def test_no_local_of_ours_tells_the_token_when_the_connection_is_no_good(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    define(monkeypatch, "https://127.0.0.1:1", password=TOKEN, **extra)
    assert leaks(CALLS["account"]) == []
