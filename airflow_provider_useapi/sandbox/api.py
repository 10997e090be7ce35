"""What useapi.net itself says: the account, what its services run, and the bodies of its errors."""

from __future__ import annotations

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.credit_pages import CAPTCHA_PATH, credit_page
from airflow_provider_useapi.sandbox.http.playback import reason
from airflow_provider_useapi.sandbox.live_endpoints import LIVE, live_answer
from airflow_provider_useapi.sandbox.state import State
from airflow_provider_useapi.sandbox.submissions import submission

_ACCOUNT_PATH = "/v2/account"
_UNAUTHORIZED = Answer(status=401)
_NOT_FOUND = Answer(
    status=404,
    body={
        "error": "Endpoint not found",
        "code": 404,
        "hint": {"llm_docs": "https://useapi.net/llms.txt"},
    },
)
_WRONG_METHOD = Answer(status=405, headers={"Allow": "GET"})
_ERRORS = {402: "Account has no subscription or subscription expired", 404: "Not found"}


def normal_answer(
    method: str, path: str, state: State, *, authorized: bool, query: str = ""
) -> Answer:
    """
    The answer to a request for which nothing is scripted.

    :param method: the request's method.
    :param path: its path, without a query.
    :param state: what is served.
    :param authorized: whether the request carries the token.
    :param query: the query, without the question mark.
    """
    if not authorized:
        return _UNAUTHORIZED
    page = _page(path, query, state)
    if page is not None:
        return page if method == "GET" else _WRONG_METHOD
    submitted = submission(path, state) if method == "POST" else None
    return submitted or _NOT_FOUND


def body_of(answer: Answer, path: str, state: State, query: str = "") -> object:
    """
    The body of an answer, the service's own if the answer has none.

    :param answer: a scripted answer or the normal one.
    :param path: the path that was asked for.
    :param state: what is served.
    :param query: the query that was asked for.
    """
    if answer.body is not None:
        return answer.body
    if answer.status == 200 and (page := _page(path, query, state)):
        return page.body
    return {"error": _ERRORS.get(answer.status, reason(answer.status)), "code": answer.status}


def _page(path: str, query: str, state: State) -> Answer | None:
    """What the service says under a path; ``None`` if there is nothing."""
    if path == _ACCOUNT_PATH:
        return Answer(body=_account(state))
    if path in LIVE:
        return _live(path, state)
    if path == CAPTCHA_PATH:
        return Answer(body=state.captcha)
    return credit_page(path, query, state.capacity)


def _account(state: State) -> object:
    if state.awaits_activation:
        return {**state.account, "subscriptionIsActive": False}
    return state.account


def _live(path: str, state: State) -> Answer:
    return live_answer(path, state.at_work(LIVE[path][0]))
