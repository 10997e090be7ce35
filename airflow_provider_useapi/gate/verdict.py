"""
When a gate is open: the rules, each a pure function of the condition and of what was found.

Workers and triggerers use the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_useapi.api.account import Account, ServiceAccounts
from airflow_provider_useapi.api.json_values import text
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.condition import Condition

if TYPE_CHECKING:
    from airflow_provider_useapi.api.capacity import Capacity, Trouble
    from airflow_provider_useapi.api.kept_credits import KeptCredits

MAX_IN_TROUBLE = 50
"""How many accounts in trouble an XCom names at most."""


@dataclass(frozen=True)
class Verdict:
    """
    What one look at a gate found.

    :param reasons: why the gate is closed, every reason; empty when it is open.
    :param warnings: what the author of the DAG should look at, open or closed.
    :param subscription_is_active: whether the useapi.net subscription is active.
    :param slug: the service, ``None`` if only the subscription counts.
    :param found: the linked accounts of the service.
    :param free_accounts: accounts with a free job slot; ``None`` if unknown or not asked for.
    :param free_job_slots: the same of job slots.
    :param free: the free job slots of each account, where they are known.
    :param in_trouble: accounts that cannot be used; ``None`` if the look has not read them.
    :param kept: the credits that it knows, to be kept for a while; ``None`` if they do not count.
    """

    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    subscription_is_active: bool
    slug: str | None = None
    found: ServiceAccounts | None = None
    free_accounts: int | None = None
    free_job_slots: int | None = None
    free: tuple[int, ...] = ()
    in_trouble: tuple[Trouble, ...] | None = None
    kept: KeptCredits | None = field(default=None, hash=False)

    @property
    def open(self) -> bool:
        """Whether the pipeline may go on."""
        return not self.reasons

    def opening(self) -> str:
        """What an open gate says."""
        found, troubles = self.found, self.in_trouble or ()
        return messages.opened(found, self.free_accounts, self.free_job_slots, troubles)

    def to_xcom(self, checked_at: str) -> dict[str, Any]:
        """
        What an open gate tells the tasks behind it. Holds no personal data.

        :param checked_at: when the look was, ISO 8601.
        """
        found, troubles = self.found, self.in_trouble
        if troubles is not None:
            troubles = troubles[:MAX_IN_TROUBLE]
        return {
            "service": found.name if found else self.slug,
            "slug": self.slug,
            "subscription_is_active": self.subscription_is_active,
            "total": found.total if found else None,
            "active": found.active if found else None,
            "error": found.error if found else None,
            "allocations_left": found.allocations_left if found else None,
            "free_accounts": self.free_accounts,
            "free_job_slots": self.free_job_slots,
            "in_trouble": None if troubles is None else [each.account for each in troubles],
            "checked_at": checked_at,
        }


def judge_account(account: Account, condition: Condition, slug: str | None) -> Verdict:
    """
    What the account tells of a gate. With live thresholds this is not the last word.

    :param account: what the API answered.
    :param condition: what the gate waits for, with its service as it was rendered.
    :param slug: the slug of that service, ``None`` if there is none.
    """
    reasons = [] if account.subscription_is_active else [messages.lapsed(account.error)]
    if slug is None or condition.service is None:
        return Verdict(tuple(reasons), (), account.subscription_is_active)
    found = account.services.get(slug)
    warnings: tuple[str, ...] = ()
    if found is None:
        name = text(condition.service.strip()) or ""
        found = ServiceAccounts(name, slug, allocations_left=account.max_accounts_per_api)
        warnings = (messages.not_listed(account, condition.service),)
    reasons += [reason for rule in _ACCOUNT_RULES for reason in rule(condition, found)]
    return Verdict(tuple(reasons), warnings, account.subscription_is_active, slug=slug, found=found)


def judge_capacity(
    verdict: Verdict, condition: Condition, capacity: Capacity, account_id: int | None = None
) -> Verdict:
    """
    The verdict of the account, completed by what is free right now.

    Accounts in trouble are told where they keep the gate closed.

    :param verdict: what :func:`judge_account` says.
    :param condition: what the gate waits for.
    :param capacity: what is free at its service.
    :param account_id: of the useapi.net account, which tells linked accounts apart.
    """
    if capacity.refused:
        # The subscription lapsed between the two answers.
        told = (messages.lapsed(capacity.refused),) if verdict.subscription_is_active else ()
        return replace(verdict, reasons=(*verdict.reasons, *told), subscription_is_active=False)
    reasons = [reason for rule in _CAPACITY_RULES for reason in rule(condition, capacity)]
    troubles = capacity.in_trouble(account_id)
    if reasons:
        reasons += messages.unusable(capacity.service, troubles)
    return replace(
        verdict,
        reasons=(*verdict.reasons, *reasons),
        in_trouble=troubles,
        free_accounts=capacity.free_accounts,
        free_job_slots=capacity.free_job_slots,
        free=tuple(each.free or 0 for each in capacity.accounts),
    )


def judge_credits(
    verdict: Verdict, condition: Condition, names: Mapping[str, str], kept: KeptCredits
) -> Verdict:
    """
    The verdict of all else, completed by what the accounts have left.

    One account has to have enough: several may share one pool, so nothing is added up.

    :param verdict: without a reason so far.
    :param names: what each account that can be used may be shown by, by its ref.
    :param kept: the credits of accounts, by their refs.
    """
    least = condition.min_credits or 0
    if any(kept[ref].credits.has(least) for ref in names if ref in kept):
        return replace(verdict, kept=kept)
    told = [messages.credits_of(name, kept.get(ref)) for ref, name in names.items()]
    reason = messages.too_few_credits(verdict.slug or "", least, told)
    return replace(verdict, reasons=(*verdict.reasons, reason), kept=kept)


def active_accounts(wanted: Condition, found: ServiceAccounts) -> Iterator[str]:
    """``min_active_accounts``, which is 1 when it is not stated."""
    least = 1 if wanted.min_active_accounts is None else wanted.min_active_accounts
    if found.active < least:
        yield messages.too_few_active(found, least)


def error_accounts(wanted: Condition, found: ServiceAccounts) -> Iterator[str]:
    """``max_error_accounts``."""
    most = wanted.max_error_accounts
    if most is not None and found.error > most:
        yield messages.too_many_in_error(found, most)


def allocations_left(wanted: Condition, found: ServiceAccounts) -> Iterator[str]:
    """``min_allocations_left``."""
    there, least = found.allocations_left, wanted.min_allocations_left
    yield from _lacks(found.slug, "allocations left", there, least)


def free_accounts(wanted: Condition, capacity: Capacity) -> Iterator[str]:
    """``min_free_accounts``."""
    there, least = capacity.free_accounts, wanted.min_free_accounts
    yield from _lacks(capacity.service, "free accounts", there, least)


def free_job_slots(wanted: Condition, capacity: Capacity) -> Iterator[str]:
    """``min_free_job_slots``."""
    there, least = capacity.free_job_slots, wanted.min_free_job_slots
    yield from _lacks(capacity.service, "free job slots", there, least)


_ACCOUNT_RULES: tuple[Callable[[Condition, ServiceAccounts], Iterator[str]], ...] = (
    active_accounts,
    error_accounts,
    allocations_left,
)
_CAPACITY_RULES: tuple[Callable[[Condition, Capacity], Iterator[str]], ...] = (
    free_accounts,
    free_job_slots,
)


def _lacks(slug: str, what: str, there: int | None, least: int | None) -> Iterator[str]:
    """The reason, if something is wanted that is not there; an unknown number is never enough."""
    if least is not None and (there is None or there < least):
        yield messages.too_few(slug, what, there, least)
