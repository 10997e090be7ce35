"""What the commands ``airflow useapi ...`` do."""

from __future__ import annotations

import functools
import os
import select
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, TextIO

from airflow.cli.simple_table import AirflowConsole
from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.account import Account, ServiceAccounts
from airflow_provider_useapi.api.capacity import Capacity
from airflow_provider_useapi.api.linked_accounts import accounts_service
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.audit.linked import Linked, read_linked
from airflow_provider_useapi.compat import see_database_connections
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.condition import CREDITS, FIELDS, Condition
from airflow_provider_useapi.gate.questions import ask_all, look
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.redaction import PERSONAL, public_text

CLOSED, ERROR = 1, 2
"""Exit codes. Python's own for a crash is 1, too, so that every crash is turned into an error."""

_NOT_IN_LINES = ("service", "in_trouble", "checked_at")
"""What a line of a gate has no room for; its reasons say more."""

_HINT = "account"
"""The column that names a linked account."""


Command = Callable[[Namespace], None]


def _command(command: Command) -> Command:
    """A command that sees the connections of the database, and says in a line what is wrong."""

    @providers_configuration_loaded
    def wrapped(args: Namespace) -> None:
        see_database_connections()
        try:
            command(args)
        except UseApiError as e:
            _fail(str(e))
        except Exception as e:  # noqa: BLE001 - a crash must not look like a closed gate
            _fail(f"{type(e).__name__}: {public_text(e)}")

    quiet = suppress_logs_and_warning(wrapped)

    @functools.wraps(command)
    def begin(args: Namespace) -> None:
        for stream in (sys.stdout, sys.stderr):
            if _is_unread(stream):  # the log (-v) writes there, too, and would fail
                _empty_into_nothing(stream)
        quiet(args)

    return begin


@_command
def account(args: Namespace) -> None:
    """Print the account and its linked accounts: ``airflow useapi account``."""
    with UseApiHook(args.conn_id) as hook:
        found = hook.get_account()
    if args.output in ("json", "yaml"):
        _print([found.to_dict(PERSONAL)], args.output)
        return
    _say(_headline(found))
    _print([{"slug": slug, **s.to_dict()} for slug, s in found.services.items()], args.output)


@_command
def check(args: Namespace) -> None:
    """Check once whether a gate would be open, and exit with 1 if not: ``airflow useapi check``."""
    condition = Condition(**{name: getattr(args, name) for name in (*FIELDS, CREDITS)})
    with UseApiHook(args.conn_id) as hook:
        verdict = ask_all(look(condition), functools.partial(hook.retrying(), hook.answer))
    for warning in verdict.warnings:
        _say(warning)
    _say(verdict.opening() if verdict.open else messages.closed(verdict.reasons))
    _print([_row(verdict, args.output)], args.output)
    if not verdict.open:
        sys.exit(CLOSED)


@_command
def capacity(args: Namespace) -> None:
    """Print what is free at a service right now: ``airflow useapi capacity``."""
    with UseApiHook(args.conn_id) as hook:
        found = hook.get_capacity(args.service, jobs_per_account=args.jobs_per_account)
    _say(_free(found))
    rows = [
        # The ids are e-mail addresses, as a rule: the number tells one from the other.
        {
            "number": number,
            "account": public_text(each.id),
            "max_jobs": each.max_jobs,
            "running": each.running,
            "free": each.free,
            "healthy": each.healthy,
            "reason": public_text(each.reason or ""),
        }
        for number, each in enumerate(found.accounts, 1)
    ]
    _print(rows, args.output)


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
        reading = hook.request_all(read_linked(found, _telling() if args.credits else ()))
    rows = [
        _linked(slug, name, each, with_credits=args.credits)
        for slug, linked in reading.linked.items()
        for name, each in linked.named()
    ]
    _print(rows, args.output)
    if reading.unread:
        _fail("\n".join(f"Not read: {sentence}" for sentence in reading.unread))


def _telling() -> list[str]:
    """The services whose credits are numbers that can be read without a side effect."""
    return [each.slug for each in CATALOGUE if each.credits and each.credits.total]


def _linked(slug: str, name: str, account: Linked, *, with_credits: bool) -> dict[str, Any]:
    row = {
        "service": slug,
        "account": name,
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
    if output in ("json", "yaml"):
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


def _print(rows: Sequence[Mapping[str, Any]], output: str) -> None:
    """Print in one of Airflow's own formats. Names from the API are hostile to a terminal, too."""
    console = _Console()
    # print_as() would make text of numbers and booleans, which is good for a table only.
    as_data: dict[str, Callable[[Any], None]] = {
        "json": console.print_as_json,
        "yaml": console.print_as_yaml,
    }
    show = as_data.get(output)
    if show is None:
        show = functools.partial(console.print_as, output=output)
        rows = [{key: _cell(key, value, output) for key, value in row.items()} for row in rows]
    _write(sys.stdout, functools.partial(show, rows))


class _Console(AirflowConsole):
    """Airflow's console, but for a reader that leaves early: that would end the process with 1."""

    def on_broken_pipe(self) -> None:
        """Pass on the error that is being handled."""
        raise


def _write(stream: TextIO | None, write: Callable[[], None]) -> None:
    """
    Write what nobody needs to read: the exit code tells the verdict all the same.

    :param stream: where to; ``None`` if it was closed before the process began.
    :param write: does it.
    """
    if stream is None:
        return
    try:
        write()
        stream.flush()
    except BrokenPipeError:
        _empty_into_nothing(stream)


def _is_unread(stream: TextIO | None) -> bool:
    """Whether the reader of a pipe has left already."""
    if stream is None:
        return False
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)  # for nothing: errors are told in any case
    except OSError:  # no file at all
        return False
    return bool(poll.poll(0))


def _empty_into_nothing(stream: TextIO) -> None:
    """Let go of what nobody reads, also of what Python would write, and fail at, when it ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def _cell(key: str, value: object, output: str) -> object:
    from rich.markup import escape

    if not isinstance(value, str):
        return value
    # The hint of an account is fit to be shown, and looks like an address.
    shown = value if key == _HINT else public_text(value, limit=500)
    return escape(shown) if output == "table" else shown


def _say(text: str) -> None:
    """Print to standard error: the output may go on to another program."""
    _write(sys.stderr, functools.partial(print, text, file=sys.stderr))


def _fail(text: str) -> NoReturn:
    _say(text)
    sys.exit(ERROR)
