"""What the commands ``airflow useapi ...`` do."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.account import Account, ServiceAccounts
from airflow_provider_useapi.api.capacity import Capacity
from airflow_provider_useapi.api.linked_accounts import accounts_service
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.audit.linked import Linked, read_linked
from airflow_provider_useapi.cli.output import (
    DATA,
    HINT,
    fail,
    let_go_of_the_unread,
    print_rows,
    say,
)
from airflow_provider_useapi.compat import see_database_connections
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.condition import CREDITS, FIELDS, Condition
from airflow_provider_useapi.gate.questions import ask_all, look
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.hooks.calls import attempts, request_all
from airflow_provider_useapi.hooks.questions import answer
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.redaction import PERSONAL, public_text

CLOSED = 1
"""The exit code of a closed gate. Python's for a crash is the same, so a crash becomes an error."""

_NOT_IN_LINES = ("service", "in_trouble", "checked_at")
"""What a line of a gate has no room for; its reasons say more."""

Command = Callable[[Namespace], None]


def _command(command: Command) -> Command:
    """A command that reads connections from the database, and reports an error in one line."""

    @providers_configuration_loaded
    def wrapped(args: Namespace) -> None:
        see_database_connections()
        try:
            command(args)
        except UseApiError as e:
            fail(str(e))
        except Exception as e:  # noqa: BLE001 - a crash must not look like a closed gate
            fail(f"{type(e).__name__}: {public_text(e)}")

    quiet = suppress_logs_and_warning(wrapped)

    @functools.wraps(command)
    def begin(args: Namespace) -> None:
        let_go_of_the_unread()
        quiet(args)

    return begin


@_command
def account(args: Namespace) -> None:
    """Print the account and its linked accounts: ``airflow useapi account``."""
    with UseApiHook(args.conn_id) as hook:
        found = hook.get_account()
    if args.output in DATA:
        print_rows([found.to_dict(PERSONAL)], args.output)
        return
    say(_headline(found))
    print_rows([{"slug": slug, **s.to_dict()} for slug, s in found.services.items()], args.output)


@_command
def check(args: Namespace) -> None:
    """Check once whether a gate would be open, and exit with 1 if not: ``airflow useapi check``."""
    condition = Condition(**{name: getattr(args, name) for name in (*FIELDS, CREDITS)})
    with UseApiHook(args.conn_id) as hook:
        verdict = ask_all(look(condition), functools.partial(attempts(hook), answer, hook))
    for warning in verdict.warnings:
        say(warning)
    say(verdict.opening() if verdict.open else messages.closed(verdict.reasons))
    print_rows([_row(verdict, args.output)], args.output)
    if not verdict.open:
        sys.exit(CLOSED)


@_command
def capacity(args: Namespace) -> None:
    """Print what is free at a service right now: ``airflow useapi capacity``."""
    with UseApiHook(args.conn_id) as hook:
        found = hook.get_capacity(args.service, jobs_per_account=args.jobs_per_account)
    say(_free(found))
    rows = [
        # The ids are e-mail addresses, as a rule: the number tells one from the other.
        {
            "number": number,
            HINT: public_text(each.id),
            "max_jobs": each.max_jobs,
            "running": each.running,
            "free": each.free,
            "healthy": each.healthy,
            "reason": public_text(each.reason or ""),
        }
        for number, each in enumerate(found.accounts, 1)
    ]
    print_rows(rows, args.output)


@_command
def accounts(args: Namespace) -> None:
    """Print which linked accounts are in trouble, and why: ``airflow useapi accounts``."""
    with UseApiHook(args.conn_id) as hook:
        if args.service is not None:
            slug = accounts_service(args.service)[0].slug
        found = hook.get_account()
        if args.service is not None:
            only = found.services.get(slug, ServiceAccounts(args.service, slug))
            found = replace(found, services={slug: only})
        reading = request_all(hook, read_linked(found, _telling() if args.credits else ()))
    rows = [
        _linked(slug, name, each, with_credits=args.credits)
        for slug, linked in reading.linked.items()
        for name, each in linked.named()
    ]
    print_rows(rows, args.output)
    if reading.unread:
        fail("\n".join(f"Not read: {sentence}" for sentence in reading.unread))


def _telling() -> list[str]:
    """The services whose credits are numbers that can be read without a side effect."""
    return [each.slug for each in CATALOGUE if each.credits and each.credits.total]


def _linked(slug: str, name: str, account: Linked, *, with_credits: bool) -> dict[str, Any]:
    row = {
        "service": slug,
        HINT: name,
        "healthy": account.healthy,
        "reason": account.reason,
        "max_jobs": account.max_jobs,
        "session_expires": account.session_expires,
    }
    if with_credits:
        row |= {"plan": account.plan, "credits": account.credits, "unit": account.unit}
    return row


def _headline(found: Account) -> str:
    whose = "Account without an id" if found.id is None else f"Account {found.id}"
    state = "active" if found.subscription_is_active else "not active"
    renewed = f", renewed on {found.renewed_on}" if found.renewed_on else ""
    said = f" The API says: {public_text(found.error)}" if found.error else ""
    return f"{whose}: the subscription is {state}{renewed}.{said}"


def _row(verdict: Verdict, output: str) -> dict[str, Any]:
    values = verdict.to_xcom(clock.now().isoformat(timespec="seconds"))
    row = {"gate": "open" if verdict.open else "closed", **values}
    if output in DATA:
        return {**row, "reasons": list(verdict.reasons)}
    # What a line has room for; the reasons stand beside it.
    return {key: value for key, value in row.items() if key not in _NOT_IN_LINES}


def _free(found: Capacity) -> str:
    if found.refused:
        return f"{found.service}: the subscription is not active ({found.refused})."
    if found.free_job_slots is None:
        return f"{found.service}: the number of free job slots is unknown."
    accounts, slots = found.free_accounts, found.free_job_slots
    return f"{found.service}: free accounts {accounts}, free job slots {slots}."
