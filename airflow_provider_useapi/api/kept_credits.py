"""
Credits that are kept for a while, because reading them is a call to a consumer website.

Each answer is kept for 10 minutes, by whoever makes the requests; a call that failed is made again
at the next look, but not before its ``Retry-After``. Credits are kept by ``ref``, never by id, so
that they may be stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_useapi.api.account_requests import Requests, one_account
from airflow_provider_useapi.api.credits import Credits
from airflow_provider_useapi.api.endpoints import CreditsPage
from airflow_provider_useapi.api.json_values import count, moment, text
from airflow_provider_useapi.api.retry_after import LONGEST
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiError,
    UseApiRequestError,
)

KEPT = timedelta(minutes=10)
"""For how long an answer is kept."""

_LONGEST = timedelta(seconds=LONGEST)


@dataclass(frozen=True)
class Kept:
    """
    What one account has left, as it was told.

    :param until: when it is asked for again.
    :param total: the credits; ``None`` if they are unknown.
    :param plan: its plan.
    :param failed: why they are unknown; empty if the account was answered for.
    """

    until: datetime
    total: int | None = None
    plan: str | None = None
    failed: str = ""

    def holds(self, now: datetime) -> bool:
        """
        Whether it is too early to ask for the account again.

        :param now: the present. An entry that claims to last longer than any does not count.
        """
        return now < self.until <= now + (_LONGEST if self.failed else KEPT)

    @property
    def credits(self) -> Credits:
        """The same as credits, of no account in particular."""
        return Credits("", self.total, plan=self.plan)

    def to_note(self) -> dict[str, Any]:
        """What another process has to know, as JSON."""
        return {
            "until": self.until.isoformat(),
            "total": self.total,
            "plan": self.plan,
            "failed": self.failed,
        }


KeptCredits = Mapping[str, Kept]
"""By the ``ref`` of the account."""


def to_note(kept: KeptCredits) -> dict[str, Any]:
    """What another process has to know, as JSON."""
    return {ref: each.to_note() for ref, each in kept.items()}


def from_note(note: object) -> dict[str, Kept]:
    """The reverse of :func:`to_note`; what cannot be read is not kept."""
    found = {}
    for ref, each in note.items() if isinstance(note, Mapping) else ():
        fields = each if isinstance(each, Mapping) else {}
        until = moment(fields.get("until"))
        if until is not None:
            failed = text(fields.get("failed")) or ""
            total, plan = count(fields.get("total")), text(fields.get("plan"))
            found[str(ref)] = Kept(until, total, plan, failed)
    return found


@dataclass(frozen=True)
class CreditRound:
    """
    The question what the accounts of a service have left.

    :param slug: the service; for whoever shares answers, rounds of one service are the same.
    :param page: what to ask.
    :param accounts: the id of each account, by its ref.
    """

    slug: str
    page: CreditsPage = field(compare=False)
    accounts: Mapping[str, str] = field(compare=False, repr=False)


def ask_round(round_: CreditRound, kept: KeptCredits, now: datetime) -> Requests[dict[str, Kept]]:
    """
    Ask for what is not kept, one request an account.

    A call that fails leaves its account unknown, and ends nothing: another one may have enough.

    :param kept: what was told before.
    :param now: the present.
    :raises UseApiAuthError: if the token is refused.
    """
    found = {}
    for ref, account in round_.accounts.items():
        known = kept.get(ref)
        if known is not None and known.holds(now):
            found[ref] = known
            continue
        try:
            told = yield from one_account(round_.page, account)
        except UseApiAuthError:
            raise
        except UseApiRequestError as e:  # the account is out of order, and stays so for a while
            found[ref] = Kept(now + KEPT, failed=str(e))
        except UseApiError as e:
            wait = min(e.retry_after or 0.0, LONGEST)
            found[ref] = Kept(now + timedelta(seconds=wait), failed=str(e))
        else:
            found[ref] = Kept(now + KEPT, told.total, told.plan)
    return found
