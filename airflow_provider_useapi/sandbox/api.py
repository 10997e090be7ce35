"""What useapi.net itself says: the account, what its services run, and the bodies of its errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.http.playback import reason
from airflow_provider_useapi.sandbox.live_endpoints import LIVE, live_answer

if TYPE_CHECKING:
    from airflow_provider_useapi.sandbox.server import Sandbox

_ACCOUNT_PATH = "/v2/account"
_OK = Answer()
_UNAUTHORIZED = Answer(status=401)
_NOT_FOUND = Answer(status=404)
_WRONG_METHOD = Answer(status=405, headers={"Allow": "GET"})
_ERRORS = {402: "Account has no subscription or subscription expired", 404: "Not found"}


def documented_account() -> dict[str, Any]:
    """Return the example response of the page that documents the endpoint."""
    return {
        "id": 12345,
        "email": "user@example.com",
        "created": "2023-07-25T03:02:28.676Z",
        "name": "Your Name",
        "subscriptionIsActive": True,
        "subscriptions": 1,
        "maxAccountsPerAPI": 3,
        "accounts": {
            "Midjourney API": {"total": 3, "active": 2, "error": 1},
            "MiniMax API": {"total": 3, "active": 3},
            "Runway AP": {"total": 1, "active": 1},
            "Riffusion API": {"total": 3, "active": 3},
        },
        "verified": "2023-07-25T03:02:53.252Z",
        "sub": "250405",
    }


def normal_answer(method: str, path: str, sandbox: Sandbox, *, authorized: bool) -> Answer:
    """Return the answer to a request for which nothing is scripted."""
    if not authorized:
        return _UNAUTHORIZED
    if path != _ACCOUNT_PATH and path not in LIVE:
        return _NOT_FOUND
    if method != "GET":
        return _WRONG_METHOD
    return _live(path, sandbox) if path in LIVE else _OK


def body_of(answer: Answer, path: str, sandbox: Sandbox) -> object:
    """Return the body of an answer, the service's own if the answer has none."""
    if answer.body is not None:
        return answer.body
    if answer.status == 200 and path == _ACCOUNT_PATH:
        return _account(sandbox)
    if answer.status == 200 and path in LIVE:
        return _live(path, sandbox).body
    return {"error": _ERRORS.get(answer.status, reason(answer.status)), "code": answer.status}


def _account(sandbox: Sandbox) -> object:
    if sandbox.awaits_activation:
        return {**sandbox.account, "subscriptionIsActive": False}
    return sandbox.account


def _live(path: str, sandbox: Sandbox) -> Answer:
    linked = sandbox.capacity.get(LIVE[path][0], [])
    if sandbox.is_busy:
        linked = [replace(each, running=each.max_jobs) for each in linked]
    return live_answer(path, linked)
