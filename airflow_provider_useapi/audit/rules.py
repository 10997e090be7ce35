"""
The rules of an audit: one small function for each code.

A rule sees this snapshot and, if there is one to compare with, the last; it yields what it finds.
What to do about each finding is in ``docs/audit.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from airflow_provider_useapi.audit.comparison import Comparison
from airflow_provider_useapi.audit.finding import CRITICAL, SEVERITIES, WARNING, Finding
from airflow_provider_useapi.audit.linked_rules import LINKED_RULES, is_unread
from airflow_provider_useapi.audit.snapshot import Snapshot
from airflow_provider_useapi.exceptions import UseApiConfigError

Rule = Callable[[Comparison], Iterator[Finding]]


def subscription_inactive(seen: Comparison) -> Iterator[Finding]:
    """UA001: nothing works without the subscription."""
    if seen.now.subscription_is_active is False:
        yield Finding("UA001", CRITICAL, None, "the subscription is not active")


def accounts_in_error(seen: Comparison) -> Iterator[Finding]:
    """UA002: linked accounts that someone has to repair or delete."""
    for slug, found in seen.now.services.items():
        if found.error and seen.audits(slug):
            message = f"{found.error} of {found.total} linked accounts in error"
            if found.active:
                yield Finding("UA002", WARNING, slug, f"{message}, {found.active} active")
            else:
                yield Finding("UA002", CRITICAL, slug, f"{message}, none active")


def no_allocation_left(seen: Comparison) -> Iterator[Finding]:
    """UA003: the subscription allows no further linked account."""
    cap = seen.now.max_accounts_per_api
    for slug, found in seen.now.services.items():
        if found.allocations_left == 0 and seen.audits(slug):
            message = f"no allocation left: {found.total} linked accounts, {cap} allowed"
            yield Finding("UA003", WARNING, slug, message)


def more_subscriptions_needed(seen: Comparison) -> Iterator[Finding]:
    """UA004: the linked accounts need more subscriptions than were bought."""
    needed, bought = seen.now.subscriptions_needed, seen.now.subscriptions
    if needed is not None and bought is not None and needed > bought:
        yield Finding("UA004", WARNING, None, f"{needed} subscriptions needed, {bought} bought")


def active_accounts_fell(seen: Comparison) -> Iterator[Finding]:
    """UA005: fewer active accounts than at the last audit, of a service that is still there."""
    for slug, before in seen.last.services.items() if seen.last else ():
        found = seen.now.services.get(slug)
        if found and found.active < before.active and seen.audits(slug):
            message = f"active accounts fell from {before.active} to {found.active}"
            yield Finding("UA005", WARNING, slug, message)


def service_disappeared(seen: Comparison) -> Iterator[Finding]:
    """UA006: the last audit saw a service that the account does not list any more."""
    for slug, before in seen.last.services.items() if seen.last else ():
        if slug not in seen.now.services and seen.audits(slug):
            message = f"no longer listed; it had {before.active} of {before.total} accounts active"
            yield Finding("UA006", WARNING, slug, message)


def account_error(seen: Comparison) -> Iterator[Finding]:
    """UA007: the API says that something is wrong with the account."""
    if seen.now.error:
        yield Finding("UA007", WARNING, None, seen.now.error)


def renewal_overdue(seen: Comparison) -> Iterator[Finding]:
    """UA008: the last renewal of the subscription is longer ago than it should be."""
    if seen.now.renewed_on:
        today = datetime.fromisoformat(seen.now.checked_at).date()
        age = (today - date.fromisoformat(seen.now.renewed_on)).days
        if age > seen.renewal_max_age_days:
            message = f"last renewed {seen.now.renewed_on}, {age} days ago"
            yield Finding("UA008", WARNING, None, message)


def unexpected_answer(seen: Comparison) -> Iterator[Finding]:
    """UA009: not the account that was asked for, or fields of it that cannot be read."""
    if seen.now.refusal:
        yield Finding("UA009", CRITICAL, None, seen.now.refusal)
    elif seen.now.oddities:
        fields = ", ".join(seen.now.oddities)
        yield Finding("UA009", WARNING, None, f"fields not as documented: {fields}")


RULES: tuple[Rule, ...] = (
    subscription_inactive,
    accounts_in_error,
    no_allocation_left,
    more_subscriptions_needed,
    active_accounts_fell,
    service_disappeared,
    account_error,
    renewal_overdue,
    unexpected_answer,
    *LINKED_RULES,
)


def audited(
    now: Snapshot,
    last: Snapshot | None,
    *,
    services: Collection[str] | None = None,
    renewal_max_age_days: int = 35,
    session_min_days: int = 3,
    min_credits: Mapping[str, int] | None = None,
) -> Snapshot:
    """
    Complete a snapshot with what is found about it.

    :param now: what was seen.
    :param last: the last audit of the same connection, whatever it saw.
    :param services: the slugs to report on; ``None`` for all.
    :param renewal_max_age_days: how long ago the subscription may have been renewed.
    :param session_min_days: how long a login should last that its owner has to renew.
    :param min_credits: by slug, how many credits each linked account should have.
    :return: the snapshot with its findings, each with its ``since``, and with the baseline.
    """
    if now.tells and last and last.last_known and last.last_known.account_id != now.account_id:
        last = None  # another account behind the same connection: nothing of it counts here
    baseline = last.last_known if last else None
    seen = Comparison(
        now,
        baseline if now.tells else None,
        services,
        renewal_max_age_days,
        session_min_days,
        min_credits or {},
    )
    before = {
        finding.about: finding
        for past in (baseline, last)
        for finding in ((*past.held, *past.findings) if past else ())
    }
    findings = (finding for rule in RULES for finding in rule(seen))
    return replace(
        now,
        findings=tuple(
            replace(
                finding,
                since=before[finding.about].since if finding.about in before else now.checked_at,
            )
            for finding in sorted(findings, key=lambda each: SEVERITIES.index(each.severity))
        ),
        held=tuple(finding for finding in before.values() if is_unread(now, finding)),
        baseline=baseline,
    )


def summary(snapshot: Snapshot) -> str:
    """What was found, in a line."""
    if not snapshot.findings:
        services = snapshot.services.values()
        active, total = sum(s.active for s in services), sum(s.total for s in services)
        return f"{snapshot.conn_id}: no findings; {active} of {total} linked accounts active"
    critical = sum(found.severity == CRITICAL for found in snapshot.findings)
    warnings = len(snapshot.findings) - critical
    counts = [f"{critical} critical"] if critical else []
    counts += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    worst = [f"{found.code} {found.service or ''}".strip() for found in snapshot.findings]
    more = f" and {len(worst) - 10} more" if len(worst) > 10 else ""
    return f"{snapshot.conn_id}: {', '.join(counts)} ({', '.join(worst[:10])}{more})"


def severe(findings: Collection[Finding], fail_on: str) -> list[Finding]:
    """
    The findings that are at least as severe as ``fail_on``.

    :raises UseApiConfigError: if it is no severity.
    """
    if fail_on not in SEVERITIES:
        raise UseApiConfigError(f"fail_on must be 'critical' or 'warning'; it is {fail_on!r}.")
    return [
        found for found in findings if SEVERITIES.index(found.severity) <= SEVERITIES.index(fail_on)
    ]
