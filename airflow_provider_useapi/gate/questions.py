"""
What a gate asks in one look, in order: questions out, answers in, a verdict in the end.

Pure: workers and triggerers each drive it with their own way to ask.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.capacity import capacity_of, endpoints_of
from airflow_provider_useapi.api.services import Endpoint
from airflow_provider_useapi.gate.condition import Thresholds
from airflow_provider_useapi.gate.verdict import Verdict, judge

Question = Endpoint | None
"""A live endpoint, or ``None`` for the account."""

Questions = Generator[Question, Any, Verdict]


def questions_of(
    service: str | None, thresholds: Thresholds, jobs_per_account: int | None = None
) -> Questions:
    """
    One look at a gate.

    The account comes first, and of the live endpoints only those that are needed, once everything
    that the account tells holds.

    :param service: slug or key, already rendered; ``None`` to wait for the subscription alone.
    :param thresholds: what the service must offer.
    :param jobs_per_account: the user's own limit of jobs that an account runs at a time.
    :return: a generator: send it the account, then the rows of each endpoint that it yields.
    :raises UseApiConfigError: before the first question, for what can never be told.
    """
    endpoints: tuple[Endpoint, ...] = ()
    if service is not None and thresholds.need_capacity:
        endpoints = endpoints_of(service, jobs_per_account)
    account: Account = yield None
    verdict = judge(account, service, thresholds)
    if service is None or not verdict.capacity_due:
        return verdict
    rows = {}
    for endpoint in endpoints:
        rows[endpoint] = yield endpoint
    return judge(account, service, thresholds, capacity_of(service, rows, jobs_per_account))


def ask_all(questions: Questions, ask: Callable[[Question], Any]) -> Verdict:
    """Put each question to ``ask``, and return the verdict."""
    step = _step(questions, None)
    while not isinstance(step, Verdict):
        step = _step(questions, ask(step))
    return step


async def aask_all(questions: Questions, ask: Callable[[Question], Awaitable[Any]]) -> Verdict:
    """:func:`ask_all` for an event loop."""
    step = _step(questions, None)
    while not isinstance(step, Verdict):
        step = _step(questions, await ask(step))
    return step


def _step(questions: Questions, answer: Any) -> Question | Verdict:
    """The next question, or the verdict."""
    try:
        return questions.send(answer)
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict
