"""The linked accounts of a snapshot, one line each: what table and report both show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_provider_useapi.audit.finding import Finding
from airflow_provider_useapi.audit.linked import Linked, LinkedAccounts
from airflow_provider_useapi.audit.snapshot import Snapshot

FINE, WARNED, BROKEN = "OK", "!", "x"
"""Marks that need no colour to be read."""


@dataclass(frozen=True)
class AccountRow:
    """
    One linked account.

    :param name: what it is shown by.
    :param account: what is known of it.
    :param findings: what was found about it.
    """

    name: str
    account: Linked
    findings: tuple[Finding, ...] = ()

    @property
    def mark(self) -> str:
        """Its state, in a character or two."""
        if not self.account.healthy:
            return BROKEN
        return WARNED if self.findings else FINE

    @property
    def troubles(self) -> list[str]:
        """What is wrong, without the name of the account."""
        found = [each.message.removeprefix(f"{self.name}: ") for each in self.findings]
        if not self.account.healthy and not any(each.code == "UA010" for each in self.findings):
            found.insert(0, self.account.reason or "")  # of a service that is not audited
        return found

    @property
    def since(self) -> str | None:
        """When an audit found the first of it; ``None`` if nothing is wrong."""
        return min((each.since for each in self.findings if each.since), default=None)

    @property
    def login_until(self) -> str:
        """The day that its login expires; empty if that is not told."""
        expires = self.account.session_expires
        return f"{datetime.fromisoformat(expires):%Y-%m-%d}" if expires else ""

    @property
    def credits(self) -> str:
        """What it has left; empty if that is not told."""
        account = self.account
        return "" if account.credits is None else f"{account.credits} {account.unit or ''}".strip()


def account_rows(snapshot: Snapshot, slug: str) -> tuple[list[AccountRow], int]:
    """
    The linked accounts of a service, those in trouble first, and how many more there are.

    :param snapshot: of an audit.
    :param slug: the service; one that was not read has none.
    """
    linked = snapshot.linked.get(slug, LinkedAccounts())
    names = {account.ref: name for name, account in linked.named()}
    kept = linked.cut()
    rows = [
        AccountRow(
            names[account.ref],
            account,
            tuple(
                each
                for each in snapshot.findings
                if each.service == slug and each.ref == account.ref
            ),
        )
        for account in kept.accounts
    ]
    return rows, kept.left_out
