"""
The requests that read an account and its linked accounts: requests out, answers in.

Pure: hooks and triggers each ask in their own way, and throw an error back in at its request.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.capacity import Capacity, capacity_of, live_service
from airflow_provider_useapi.api.credits import Credits, credits_service, read_credits
from airflow_provider_useapi.api.endpoints import CreditsPage, Endpoint, Service
from airflow_provider_useapi.api.hints import hint_of, ref_of, shown_names
from airflow_provider_useapi.api.linked_accounts import (
    AccountStatus,
    accounts_service,
    read_statuses,
)
from airflow_provider_useapi.api.live_answers import read_rows
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.exceptions import UseApiRequestError

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """
    One request, and what reads its answer. Requests with the same path are equal.

    :param path: what to ask for. It may hold the address of a linked account: do not show it.
    :param read: called with the answer, ``conn_id`` and ``secrets``.
    """

    path: str
    read: Callable[..., Any] = field(compare=False)


Requests = Generator[Request, Any, T]


def account() -> Requests[Account]:
    """The account itself."""
    found: Account = yield Request(ACCOUNT_PATH, read_account)
    return found


def capacity(service: str, jobs_per_account: int | None = None) -> Requests[Capacity]:
    """
    What the linked accounts of a service can take right now: one request of each live endpoint.

    :param service: slug or key.
    :param jobs_per_account: the user's own limit of jobs that an account runs at a time.
    :raises UseApiConfigError: at once, if no endpoint tells.
    """
    return _capacity(live_service(service, jobs_per_account, limit_needed=False), jobs_per_account)


def _capacity(entry: Service, jobs_per_account: int | None) -> Requests[Capacity]:
    rows = {}
    for endpoint in entry.live:
        rows[endpoint] = yield Request(endpoint.path, partial(read_rows, endpoint))
    return capacity_of(entry.slug, rows, jobs_per_account)


def linked_accounts(service: str) -> Requests[tuple[AccountStatus, ...]]:
    """
    The linked accounts of a service, as useapi.net keeps them.

    :param service: slug or key.
    :raises UseApiConfigError: at once, if the API has no list of them.
    """
    return _linked_accounts(*accounts_service(service))


def _linked_accounts(entry: Service, endpoint: Endpoint) -> Requests[tuple[AccountStatus, ...]]:
    owner = yield from account()
    return (yield from statuses(entry, endpoint, owner.id))


def statuses(
    entry: Service, endpoint: Endpoint, account_id: int | None
) -> Requests[tuple[AccountStatus, ...]]:
    """
    The same, where the account is known already: one request.

    :param account_id: of the useapi.net account.
    """
    read = partial(read_statuses, entry, endpoint, account_id)
    found: tuple[AccountStatus, ...] = yield Request(endpoint.path, read)
    return found


def account_credits(service: str, account: str | None = None) -> Requests[tuple[Credits, ...]]:
    """
    What the linked accounts of a service have left, read at the service.

    :param service: slug or key.
    :param account: the id of one account; all of them if not given.
    :raises UseApiConfigError: at once, if they cannot be read.
    :raises UseApiRequestError: if there is no such account.
    """
    return _account_credits(*credits_service(service), account)


def _account_credits(
    entry: Service, page: CreditsPage, account: str | None
) -> Requests[tuple[Credits, ...]]:
    if not page.is_per_account:
        found = yield from _told_together(page)
        if account is not None:
            if account not in found:
                raise UseApiRequestError(f"{entry.slug} lists no account {hint_of(account)}.")
            return (found[account],)
    elif account is not None:
        return ((yield from one_account(page, account)),)
    else:
        _, endpoint = accounts_service(entry.slug)
        listed = yield from statuses(entry, endpoint, None)
        found = {}
        for each in listed:
            try:
                found[each.id] = yield from one_account(page, each.id)
            except UseApiRequestError:  # that account is out of order, and the others are not
                found[each.id] = Credits(each.hint, unit=page.unit)
    names = yield from _names(entry.slug, list(found))
    return tuple(replace(each, hint=name) for name, each in zip(names, found.values(), strict=True))


def one_account(page: CreditsPage, account: str) -> Requests[Credits]:
    """
    What one account has left: one request.

    :param page: of a service with a page for each account.
    :param account: its id.
    """
    told = yield Request(page.path_of(account), partial(read_credits, page, account))
    found: Credits = told[account]
    return found


def _told_together(page: CreditsPage) -> Requests[dict[str, Credits]]:
    found = yield Request(page.path, partial(read_credits, page, ""))
    return dict(found)


def _names(slug: str, ids: Sequence[str]) -> Requests[list[str]]:
    """The names to show the accounts by; only equal hints cost the request for their marks."""
    hints = [hint_of(each) for each in ids]
    if len(set(hints)) == len(hints):
        return hints
    owner = yield from account()
    marked = [(hint_of(each), ref_of(owner.id, slug, each)) for each in ids]
    return shown_names(marked)
