"""
The linked accounts of an account, as an audit reads, keeps and names them.

What is kept holds hints, and no id; at most 50 accounts a service, those in trouble first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.account_requests import Request, Requests, one_account, statuses
from airflow_provider_useapi.api.captcha import PATH, SERVICE, read_has_captchas
from airflow_provider_useapi.api.credits import UNPAID, Credits, credits_service
from airflow_provider_useapi.api.hints import shown_names
from airflow_provider_useapi.api.json_values import count
from airflow_provider_useapi.api.linked_accounts import AccountStatus
from airflow_provider_useapi.api.service_names import service_of
from airflow_provider_useapi.audit.stored import as_declared
from airflow_provider_useapi.exceptions import UseApiError

MAX_ACCOUNTS = 50
"""How many linked accounts of a service are stored and shown."""


@dataclass(frozen=True)
class Linked:
    """
    A linked account at one moment; ``None`` is not told, or was not asked for.

    :param hint: what may be shown of its id.
    :param ref: what tells accounts with one hint apart, and is the same from day to day.
    :param healthy: whether it takes jobs.
    :param reason: why not.
    :param max_jobs: how many jobs it may run at a time.
    :param session_expires: when its login expires, ISO 8601.
    :param plan: its plan at the service.
    :param credits: what it has left to spend.
    :param unit: what is counted.
    """

    hint: str
    ref: str
    healthy: bool
    reason: str | None = None
    max_jobs: int | None = None
    session_expires: str | None = None
    plan: str | None = None
    credits: int | None = None
    unit: str | None = None

    @property
    def is_unpaid(self) -> bool:
        """Whether its plan gives no access to what its credits are for."""
        return self.plan == UNPAID

    def has(self, least: int) -> bool:
        """Whether at least that many credits can be spent."""
        return self.credits is not None and self.credits >= least and not self.is_unpaid

    def to_dict(self) -> dict[str, Any]:
        """What is stored: what is not told is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class LinkedAccounts:
    """
    The linked accounts of a service.

    :param accounts: all of them, or those that were stored.
    :param left_out: how many more there are.
    """

    accounts: tuple[Linked, ...] = ()
    left_out: int = 0

    @property
    def healthy(self) -> int:
        """How many take jobs; those that were left out count as healthy."""
        return sum(each.healthy for each in self.accounts) + self.left_out

    @property
    def most_credits(self) -> int | None:
        """
        The most that a healthy account has; ``None`` if that is known of none.

        No sum: accounts may share one pool.
        """
        known = [each.credits for each in self.accounts if each.healthy]
        return max((each for each in known if each is not None), default=None)

    def named(self) -> list[tuple[str, Linked]]:
        """Each account with the name that it may be shown by."""
        names = shown_names([(each.hint, each.ref) for each in self.accounts])
        return list(zip(names, self.accounts, strict=True))

    def cut(self) -> LinkedAccounts:
        """No more than can be kept, those in trouble first."""
        first = sorted(self.accounts, key=lambda each: each.healthy)
        kept = tuple(first[:MAX_ACCOUNTS])
        return LinkedAccounts(kept, self.left_out + len(first) - len(kept))

    def to_dict(self) -> dict[str, Any]:
        """What is stored."""
        kept = self.cut()
        return {
            "accounts": [each.to_dict() for each in kept.accounts],
            "left_out": kept.left_out,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> LinkedAccounts:
        """
        The reverse of :meth:`to_dict`.

        :raises TypeError: if it is something else.
        """
        names = {each.name for each in fields(Linked)}
        accounts = tuple(
            # What a newer release has added is left alone.
            as_declared(Linked(**{name: value for name, value in each.items() if name in names}))
            for each in stored["accounts"]
        )
        return cls(accounts, count(stored["left_out"]) or 0)


@dataclass(frozen=True)
class Reading:
    """
    What an audit has read beyond the account.

    :param linked: the linked accounts of each service, by slug; left out if not read.
    :param has_captchas: whether Google Flow can solve captchas; ``None`` if that was not read.
    :param unread: what could not be read, and why, a sentence each.
    """

    linked: Mapping[str, LinkedAccounts] = field(default_factory=dict)
    has_captchas: bool | None = None
    unread: tuple[str, ...] = ()


def read_linked(account: Account, credits_of: Iterable[str] = ()) -> Requests[Reading]:
    """
    Ask for the linked accounts of every service that an account lists.

    One request for each service, one for the captchas of Google Flow, and one live request for each
    account of the services in ``credits_of``. What cannot be read does not end the audit.

    :param account: the account.
    :param credits_of: slugs of the services whose credits are wanted.
    """
    wanted, unread = set(credits_of), []
    linked: dict[str, LinkedAccounts] = {}
    has_captchas: bool | None = None
    if not account.subscription_is_active:
        return Reading(unread=("linked accounts: the subscription is not active",))
    for slug in account.services:
        entry = service_of(slug)
        if entry is None or entry.accounts is None:
            continue
        try:
            found = yield from statuses(entry, entry.accounts, account.id)
        except UseApiError as e:
            unread.append(f"{slug}: {e}")
            continue
        accounts = [_linked(each) for each in found]
        if slug in wanted:
            accounts = yield from _with_credits(slug, found, accounts, unread)
        linked[slug] = LinkedAccounts(tuple(accounts))
    if SERVICE in account.services:
        try:
            has_captchas = yield Request(PATH, read_has_captchas)
        except UseApiError as e:
            unread.append(f"{SERVICE}: {e}")
    return Reading(linked, has_captchas, tuple(unread))


def _with_credits(
    slug: str, found: Sequence[AccountStatus], accounts: Sequence[Linked], unread: list[str]
) -> Requests[list[Linked]]:
    _, page = credits_service(slug, total_needed=True)
    complete = []
    for status, account in zip(found, accounts, strict=True):
        told: Credits | None = None
        try:
            told = yield from one_account(page, status.id)
        except UseApiError as e:
            unread.append(f"{slug}: {e}")
        complete.append(
            account
            if told is None
            else replace(
                account, credits=told.total, unit=told.unit, plan=told.plan or account.plan
            )
        )
    return complete


def _linked(status: AccountStatus) -> Linked:
    expires = status.session_expires
    return Linked(
        hint=status.hint,
        ref=status.ref,
        healthy=status.healthy,
        reason=status.reason,
        max_jobs=status.max_jobs,
        session_expires=expires.isoformat() if expires else None,
        plan=status.plan,
    )
