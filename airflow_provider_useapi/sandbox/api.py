"""What useapi.net itself says: the account, what its services run, and the bodies of its errors."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.http.playback import reason
from airflow_provider_useapi.sandbox.live_endpoints import LIVE, live_answer
from airflow_provider_useapi.sandbox.state import State

_ACCOUNT_PATH = "/v2/account"
_OK = Answer()
_UNAUTHORIZED = Answer(status=401)
_NOT_FOUND = Answer(status=404)
_WRONG_METHOD = Answer(status=405, headers={"Allow": "GET"})
_ERRORS = {402: "Account has no subscription or subscription expired", 404: "Not found"}


def normal_answer(method: str, path: str, state: State, *, authorized: bool) -> Answer:
    """
    The answer to a request for which nothing is scripted.

    :param method: the request's method.
    :param path: its path, without a query.
    :param state: what is served.
    :param authorized: whether the request carries the token.
    """
    if not authorized:
        return _UNAUTHORIZED
    if path != _ACCOUNT_PATH and path not in LIVE:
        return _NOT_FOUND
    if method != "GET":
        return _WRONG_METHOD
    return _live(path, state) if path in LIVE else _OK


def body_of(answer: Answer, path: str, state: State) -> object:
    """
    The body of an answer, the service's own if the answer has none.

    :param answer: a scripted answer or the normal one.
    :param path: the path that was asked for.
    :param state: what is served.
    """
    if answer.body is not None:
        return answer.body
    if answer.status == 200 and path == _ACCOUNT_PATH:
        return _account(state)
    if answer.status == 200 and path in LIVE:
        return _live(path, state).body
    return {"error": _ERRORS.get(answer.status, reason(answer.status)), "code": answer.status}


def _account(state: State) -> object:
    if state.awaits_activation:
        return {**state.account, "subscriptionIsActive": False}
    return state.account


def _live(path: str, state: State) -> Answer:
    linked = state.capacity.get(LIVE[path][0], [])
    if state.is_busy:
        linked = [replace(each, running=each.max_jobs) for each in linked]
    return live_answer(path, linked)
