"""
What one audit saw: small, stable, and free of personal data.

A snapshot is the ``extra`` of an asset event, which Airflow keeps unmasked for as long as the
event. So it holds named fields only, and every text from outside is cut and cleaned on its way in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from airflow_provider_useapi.api.account import Account, ServiceAccounts
from airflow_provider_useapi.audit.finding import SEVERITIES, Finding
from airflow_provider_useapi.audit.linked import LinkedAccounts, Reading
from airflow_provider_useapi.audit.stored import as_declared, check_moments
from airflow_provider_useapi.redaction import MASK, public_text

VERSION = 1
"""Of the stored form. A reader takes no other version, so fields are added but never changed."""

MAX_SERVICES = 100
"""How many services, and how many findings about none of their accounts, are stored."""

_PLAIN = (
    "conn_id", "checked_at", "refusal", "account_id", "subscription_is_active", "subscriptions",
    "subscriptions_needed", "max_accounts_per_api", "renewed_on", "error",
)  # fmt: skip
_NAME, _REFUSAL = 64, 350
_PERSONAL = 4
"""A name or address of fewer characters would also be found in the middle of words."""


@dataclass(frozen=True)
class Snapshot:
    """
    An account at one moment, and what was found about it.

    :param conn_id: the Airflow connection.
    :param checked_at: the moment, ISO 8601, UTC.
    :param refusal: why the answer holds no account; ``None`` if it holds one.
    :param account_id: whose account; another one is not to be compared with.
    :param subscription_is_active: ``None`` if the answer does not tell.
    :param renewed_on: the day the subscription was renewed, ISO 8601.
    :param error: what the API says is wrong with the account.
    :param services: linked accounts for each service, by slug.
    :param linked: the linked accounts of each service, by slug, where they were read.
    :param has_captchas: whether Google Flow can solve captchas; ``None`` if that was not read.
    :param unread: what could not be read, a sentence each.
    :param oddities: fields of the answer that could not be read.
    :param findings: what was found, worst first.
    :param held: findings of the audit before that this one could not check; they are not among its
        own, and keep their ``since``.
    :param baseline: the last snapshot that told of services, kept by those that do not.
    """

    conn_id: str
    checked_at: str
    refusal: str | None = None
    account_id: int | None = None
    subscription_is_active: bool | None = None
    subscriptions: int | None = None
    subscriptions_needed: int | None = None
    max_accounts_per_api: int | None = None
    renewed_on: str | None = None
    error: str | None = None
    services: Mapping[str, ServiceAccounts] = field(default_factory=dict, hash=False)
    linked: Mapping[str, LinkedAccounts] = field(default_factory=dict, hash=False)
    has_captchas: bool | None = None
    unread: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    held: tuple[Finding, ...] = ()
    baseline: Snapshot | None = None

    @classmethod
    def of_account(
        cls, account: Account, conn_id: str, checked_at: str, reading: Reading | None = None
    ) -> Snapshot:
        """
        The snapshot of an account that the API told of.

        :param account: what the API answered.
        :param conn_id: the Airflow connection.
        :param checked_at: when, ISO 8601.
        :param reading: what else was read.
        """
        reading = reading or Reading()
        is_foreign = not account.is_recognisable and account.error is None
        services = [
            replace(service, slug=_label(service.slug), name=public_text(service.name, limit=_NAME))
            for service in account.services.values()
        ]
        return cls(
            conn_id=conn_id,
            checked_at=checked_at,
            refusal="the response has neither an account id nor services" if is_foreign else None,
            account_id=account.id,
            subscription_is_active=account.subscription_is_active,
            subscriptions=account.subscriptions,
            subscriptions_needed=account.subscriptions_needed_total,
            max_accounts_per_api=account.max_accounts_per_api,
            renewed_on=account.renewed_on.isoformat() if account.renewed_on else None,
            error=_error(account),
            services={service.slug: service for service in services},
            linked=reading.linked,
            has_captchas=reading.has_captchas,
            unread=reading.unread[:MAX_SERVICES],
            oddities=tuple(public_text(path, limit=_NAME) for path in account.oddities[:10]),
        )

    @classmethod
    def of_refusal(cls, error: str, conn_id: str, checked_at: str) -> Snapshot:
        """
        The snapshot of an answer that holds no account, such as a refused token.

        :param error: what the answer was.
        :param conn_id: the Airflow connection.
        :param checked_at: when, ISO 8601.
        """
        return cls(conn_id, checked_at, refusal=public_text(error, limit=_REFUSAL))

    @property
    def tells(self) -> bool:
        """Whether it can be compared: a lapsed account that lists no service has not lost any."""
        return self.refusal is None and bool(self.services or self.subscription_is_active)

    @property
    def last_known(self) -> Snapshot | None:
        """The newest snapshot that tells of services: this one, or the one before."""
        return self if self.tells else self.baseline

    @property
    def new_findings(self) -> tuple[Finding, ...]:
        """Those that no audit before this one had."""
        return tuple(finding for finding in self.findings if finding.since == self.checked_at)

    def to_extra(self) -> dict[str, Any]:
        """The stored form, as JSON. The reverse is :func:`read_snapshot`."""
        kept = list(self.services.values())[:MAX_SERVICES]
        stored = {
            "version": VERSION,
            **{name: getattr(self, name) for name in _PLAIN},
            "services": {service.slug: service.to_dict() for service in kept},
            "findings": [finding.to_dict() for finding in _kept(self.findings)],
            **self._linked_extra(),
        }
        if self.baseline and not self.tells:
            stored["baseline"] = replace(self.baseline, baseline=None).to_extra()
        return stored

    def _linked_extra(self) -> dict[str, Any]:
        """What is stored of the linked accounts, where there is something: an old form has none."""
        told = {
            "linked": {slug: linked.to_dict() for slug, linked in self.linked.items()},
            "unread": list(self.unread),
            "held": [finding.to_dict() for finding in self.held],
        }
        stored = {name: value for name, value in told.items() if value}
        return stored if self.has_captchas is None else {**stored, "captchas": self.has_captchas}


def read_snapshot(extra: object) -> Snapshot | None:
    """
    Read what :meth:`Snapshot.to_extra` stored.

    :param extra: the extra of an asset event, whoever emitted it.
    :return: ``None`` if it is not the snapshot of an audit, or one of another version.
    """
    try:
        return _read(extra)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return None


def _read(extra: object, *, is_baseline: bool = False) -> Snapshot | None:
    stored: Mapping[str, Any] = _nested(extra)
    if stored["version"] != VERSION:
        return None
    found = Snapshot(
        **{name: stored[name] for name in _PLAIN},
        services={
            slug: as_declared(ServiceAccounts(slug=slug, **counts))
            for slug, counts in _nested(stored["services"]).items()
        },
        findings=tuple(map(Finding.from_dict, _nested(stored["findings"]))),
        linked={
            slug: LinkedAccounts.from_dict(linked)
            for slug, linked in _nested(stored.get("linked", {})).items()
        },
        has_captchas=stored.get("captchas"),
        unread=tuple(map(str, _nested(stored.get("unread", ())))),
        held=tuple(map(Finding.from_dict, _nested(stored.get("held", ())))),
        baseline=None if is_baseline else _baseline(stored.get("baseline")),
    )
    _check(as_declared(found))
    return found


def _baseline(extra: object) -> Snapshot | None:
    """One that cannot be read is not there."""
    try:
        return _read(extra, is_baseline=True)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _check(found: Snapshot) -> None:
    """Check what the types do not tell."""
    findings = (*found.findings, *found.held)
    if any(each.severity not in SEVERITIES for each in findings):
        raise ValueError("no severity")
    if not all(text.isprintable() for text in (*found.unread, *found.linked)):
        raise ValueError("no line of text")
    accounts = (each for linked in found.linked.values() for each in linked.accounts)
    check_moments(found.checked_at, found.renewed_on)
    check_moments(*(each.since for each in findings))
    check_moments(*(each.session_expires for each in accounts))


def _kept(findings: Sequence[Finding]) -> list[Finding]:
    """Every finding about a linked account, and of the others no more than there are services."""
    others = iter(range(MAX_SERVICES))
    return [each for each in findings if each.ref is not None or next(others, None) is not None]


def _error(account: Account) -> str | None:
    """What the API says is wrong, without what the same answer tells of the person."""
    text = account.error
    for personal in (account.email, account.name, account.reply_url):
        if text and personal and len(personal) >= _PERSONAL:
            text = text.replace(personal, MASK)
    return public_text(text) if text else None


def _nested(value: Any) -> Any:
    """A nested value; Airflow 2.11 and 3.0 store those as the text of their JSON."""
    return json.loads(value) if isinstance(value, str) else value


def _label(slug: str) -> str:
    """A slug that is safe to store and show; one that is cut or cleaned stays distinct."""
    shown = public_text(slug, limit=_NAME)
    if shown == slug:
        return slug
    return f"{shown[:40]}~{sha256(slug.encode()).hexdigest()[:8]}"
