"""How a hook answers what a gate asks in one look: each question with one request, and no more."""

from __future__ import annotations

from functools import partial
from typing import Any

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.account_requests import Request
from airflow_provider_useapi.api.kept_credits import CreditRound, Kept, KeptCredits, ask_round
from airflow_provider_useapi.api.live_answers import read_rows
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.gate.messages import TOKEN_RENEWED
from airflow_provider_useapi.gate.questions import About, Question, ask_all
from airflow_provider_useapi.hooks.connection import Asker


def answer(hook: Asker, question: Question) -> Any:
    """
    What the account or a live endpoint tells, asked for once.

    :param question: of :mod:`airflow_provider_useapi.gate.questions`.
    :raises UseApiError: as ``UseApiHook.get_account``.
    """
    if question is About.ACCOUNT:
        return hook.ask(ACCOUNT_PATH, read_account)
    if question is About.RENEWAL:
        return has_new_token(hook)
    if isinstance(question, Request):
        return hook.ask(question.path, question.read)
    if isinstance(question, CreditRound):
        return credit_round(hook, question, {})
    return hook.ask(question.path, partial(read_rows, question))


def credit_round(hook: Asker, question: CreditRound, kept: KeptCredits) -> dict[str, Kept]:
    """
    What accounts have left, each asked for once unless that is kept.

    :param question: which accounts.
    :param kept: what was told before, to the connection as it is now.
    :raises UseApiAuthError: if the token is refused.
    """
    asking = ask_round(question, kept, clock.now())
    return ask_all(asking, lambda each: hook.ask(each.path, each.read))


def has_new_token(hook: Asker) -> bool:
    """Read the connection again: whether it has another token than the last call used."""
    refused = hook.settings
    is_new = refused is not None and hook.reread().token != refused.token
    if is_new:
        hook.log.info(TOKEN_RENEWED)
    return is_new
