"""
What a gate asks in one look, in order: questions out, answers in, a verdict in the end.

Pure: workers and triggerers each ask in their own way, and throw an error back in at its question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.account_requests import Request
from airflow_provider_useapi.api.capacity import capacity_of, live_service
from airflow_provider_useapi.api.credits import credits_service
from airflow_provider_useapi.api.endpoints import CreditsPage, Endpoint
from airflow_provider_useapi.api.hints import hint_of, ref_of, shown_names
from airflow_provider_useapi.api.kept_credits import CreditRound, Kept
from airflow_provider_useapi.api.linked_accounts import (
    AccountStatus,
    accounts_service,
    read_statuses,
)
from airflow_provider_useapi.api.live_readers import Rows
from airflow_provider_useapi.api.service_names import slug_of
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiConfigError, UseApiError
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.gate.verdict import (
    Verdict,
    judge_account,
    judge_capacity,
    judge_credits,
)
from airflow_provider_useapi.redaction import public_text


class About(Enum):
    """
    What a look asks besides live endpoints.

    ``RENEWAL`` is the question whether the connection has another token than the refused one.
    """

    ACCOUNT = "account"
    RENEWAL = "renewal"


Question = About | Endpoint | Request | CreditRound
Q = TypeVar("Q")
T = TypeVar("T")
Questions = Generator[Question, Any, T]


@dataclass(frozen=True)
class Target:
    """
    What a look is about: a condition whose service is resolved, once for all that need it.

    :param condition: what the gate waits for.
    :param slug: the slug of its service, ``None`` if only the subscription counts.
    :param endpoints: what to ask beyond the account.
    :param page: where to read credits, last of all; ``None`` if they do not count.
    :param accounts: what to ask for the accounts that have them, if no endpoint tells.
    """

    condition: Condition
    slug: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    page: CreditsPage | None = None
    accounts: Request | None = None

    @property
    def asks_more(self) -> bool:
        """Whether more than the account has to be asked for."""
        return bool(self.endpoints) or self.page is not None


def target_of(condition: Condition) -> Target:
    """
    Resolve the service of a condition.

    :param condition: with its service as it was rendered.
    :raises UseApiConfigError: if the service rendered to nothing, or what is asked of it can never
        be told.
    """
    service = condition.service
    if service is None:
        return Target(condition)
    if not isinstance(service, str) or not service.strip():
        raise UseApiConfigError(
            f"The service of this gate rendered to {public_text(repr(service), limit=40)}; write"
            " its slug, for example 'kling', or leave the argument out to wait for the subscription"
            " alone."
        )
    page: CreditsPage | None = None
    accounts: Request | None = None
    endpoints: tuple[Endpoint, ...] = ()
    if condition.min_credits is not None:
        _, page = credits_service(service, total_needed=True)
    if condition.is_live:
        endpoints = live_service(service, condition.jobs_per_account).live
    elif page is not None:
        entry, endpoint = accounts_service(service)
        accounts = Request(endpoint.path, partial(read_statuses, entry, endpoint, None))
    return Target(condition, slug_of(service), endpoints, page, accounts)


def look(condition: Condition) -> Questions[Verdict]:
    """
    One look at a gate.

    :param condition: with its service as it was rendered.
    :raises UseApiConfigError: before the first question, as :func:`target_of`.
    """
    target = target_of(condition)
    found = yield from account()
    return (yield from verdict(found, target))


def account() -> Questions[Account]:
    """
    The account; asked for once more if the token is refused but the connection has a new one.

    A token that is being renewed must not end every gate that waits.
    """
    try:
        found: Account = yield About.ACCOUNT
    except UseApiAuthError:
        if not (yield About.RENEWAL):
            raise
        found = yield About.ACCOUNT
    return found


def verdict(found: Account, target: Target) -> Questions[Verdict]:
    """
    What an account means for a gate.

    Only the live endpoints that are needed are asked, and only once everything that the account
    tells holds; credits come last, once everything else does.

    :param found: the account.
    :param target: what the gate waits for.
    """
    told = judge_account(found, target.condition, target.slug)
    if told.reasons or target.slug is None or not target.asks_more:
        return told
    if target.accounts:
        listed: tuple[AccountStatus, ...] = yield target.accounts
        healthy = usable = [each.id for each in listed if each.healthy]
    else:
        rows: dict[Endpoint, Rows] = {}
        for endpoint in target.endpoints:
            rows[endpoint] = yield endpoint
        capacity = capacity_of(target.slug, rows, target.condition.jobs_per_account)
        told = judge_capacity(told, target.condition, capacity, found.id)
        healthy = [each.id for each in capacity.accounts if each.healthy]
        usable = [each.id for each in capacity.accounts if each.free]
    if told.reasons or target.page is None:
        return told
    refs = {ref_of(found.id, target.slug, each): each for each in healthy}
    kept: dict[str, Kept] = yield CreditRound(target.slug, target.page, refs)
    named = zip(
        refs, shown_names([(hint_of(each), ref) for ref, each in refs.items()]), strict=True
    )
    wanted = {ref: name for ref, name in named if refs[ref] in usable}
    return judge_credits(told, target.condition, wanted, kept)


def ask_all(questions: Generator[Q, Any, T], ask: Callable[[Q], Any]) -> T:
    """
    Put each question to ``ask``.

    :return: what the look comes to.
    :raises UseApiError: what ``ask`` raises, unless the questions know what to ask next.
    """

    async def at_once(question: Q) -> Any:
        return ask(question)

    asking = aask_all(questions, at_once)
    try:
        while True:
            asking.send(None)  # nothing in it waits: the first step is the last
    except StopIteration as end:
        result: T = end.value
        return result


async def aask_all(questions: Generator[Q, Any, T], ask: Callable[[Q], Awaitable[Any]]) -> T:
    """:func:`ask_all` for an event loop."""
    try:
        question = next(questions)
        while True:
            try:
                answer = await ask(question)
            except UseApiError as e:
                question = questions.throw(e)
            else:
                question = questions.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
