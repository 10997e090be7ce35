"""The rules about linked accounts: one small function for each code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_useapi.api.captcha import SERVICE
from airflow_provider_useapi.api.service_names import service_of
from airflow_provider_useapi.audit.finding import CRITICAL, WARNING, Finding
from airflow_provider_useapi.audit.snapshot import Snapshot

if TYPE_CHECKING:
    from airflow_provider_useapi.audit.comparison import Comparison
    from airflow_provider_useapi.audit.linked import Linked

_ABOUT_ACCOUNTS = ("UA010", "UA011")
_ABOUT_CREDITS = ("UA012", "UA013")
_ABOUT_CAPTCHAS = ("UA014",)
_A_DAY = timedelta(days=1)


def account_in_trouble(seen: Comparison) -> Iterator[Finding]:
    """UA010: a linked account takes no jobs: which, and why."""
    for slug, name, account in _accounts(seen):
        if not account.healthy:
            message = f"{name}: {account.reason}"
            yield Finding("UA010", WARNING, slug, message, ref=account.ref)


def login_expires(seen: Comparison) -> Iterator[Finding]:
    """UA011: a login that useapi.net does not renew by itself expires soon, or has expired."""
    now = datetime.fromisoformat(seen.now.checked_at)
    for slug, name, account in _accounts(seen):
        entry = service_of(slug)
        within = {"hand": timedelta(days=seen.session_min_days), "unknown": _A_DAY}.get(
            entry.renewal if entry else ""
        )
        # UA010 already covers an account in trouble.
        if within is None or account.session_expires is None or not account.healthy:
            continue
        expires = datetime.fromisoformat(account.session_expires)
        if expires - now < within:
            verb = "expired" if expires < now else "expires"
            message = f"{name}: its login {verb} on {expires:%Y-%m-%d at %H:%M} UTC"
            yield Finding("UA011", WARNING, slug, message, ref=account.ref)


def few_credits(seen: Comparison) -> Iterator[Finding]:
    """UA012: an account has fewer credits than wanted; critical if no healthy one has enough."""
    for slug, name, account in _accounts(seen):
        wanted = seen.min_credits.get(slug)
        if wanted is None or account.credits is None or account.credits >= wanted:
            continue
        unit = account.unit or "credits"
        message = f"{name}: {account.credits} {unit}, {wanted} wanted"
        severity = WARNING if _may_have(seen, slug, wanted) else CRITICAL
        yield Finding("UA012", severity, slug, message, ref=account.ref)


def no_paid_plan(seen: Comparison) -> Iterator[Finding]:
    """UA013: an account has credits, and no plan that lets them be spent."""
    for slug, name, account in _accounts(seen):
        if slug in seen.min_credits and account.is_unpaid:
            message = f"{name}: no paid plan ({account.plan})"
            yield Finding("UA013", WARNING, slug, message, ref=account.ref)


def no_captchas(seen: Comparison) -> Iterator[Finding]:
    """UA014: Google Flow can solve no captcha, so that every job that needs one fails."""
    if seen.now.has_captchas is False and seen.audits(SERVICE):
        message = "neither a captcha provider nor free solves left: jobs that need one fail"
        yield Finding("UA014", CRITICAL, SERVICE, message)


LINKED_RULES = (account_in_trouble, login_expires, few_credits, no_paid_plan, no_captchas)


def is_unread(now: Snapshot, finding: Finding) -> bool:
    """
    Whether a snapshot leaves open if an earlier finding still holds.

    :param now: the snapshot. What it did not read, or was not asked for, it cannot clear.
    :param finding: of an audit before.
    """
    slug = finding.service or ""
    if slug not in now.services:
        return False
    if finding.code in _ABOUT_CAPTCHAS:
        return now.has_captchas is None
    if finding.code not in (*_ABOUT_ACCOUNTS, *_ABOUT_CREDITS):
        return False
    linked = now.linked.get(slug)
    if linked is None:
        return True
    account = next((each for each in linked.accounts if each.ref == finding.ref), None)
    return finding.code in _ABOUT_CREDITS and account is not None and account.unit is None


def _accounts(seen: Comparison) -> Iterator[tuple[str, str, Linked]]:
    """Every linked account that is audited, with its slug and the name that it is shown by."""
    for slug, linked in seen.now.linked.items():
        if seen.audits(slug):
            yield from ((slug, name, account) for name, account in linked.named())


def _may_have(seen: Comparison, slug: str, wanted: int) -> bool:
    """Whether a healthy account has enough credits, or one whose credits are unknown may have."""
    return any(
        account.healthy and (account.has(wanted) or account.credits is None)
        for account in seen.now.linked[slug].accounts
    )
