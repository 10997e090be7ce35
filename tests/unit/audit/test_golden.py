"""The snapshots that an earlier release stored: each is a baseline, and nothing of it is lost."""

from __future__ import annotations

import pytest

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.hints import hint_of, ref_of
from airflow_provider_useapi.audit.linked import Linked, LinkedAccounts, Reading
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot, read_snapshot
from tests.helpers.golden import ACCOUNT, golden

SNAPSHOTS = golden("snapshots")
WITH_ACCOUNTS = golden("snapshots_with_accounts")
AS_TEXT = ", stored by Airflow 2.11 and 3.0"
"""Of an entry whose nested values are the text of their JSON."""


@pytest.mark.parametrize("name", SNAPSHOTS | WITH_ACCOUNTS)
def test_a_stored_snapshot_is_read(name: str) -> None:
    stored = SNAPSHOTS | WITH_ACCOUNTS
    snapshot = read_snapshot(stored[name])
    assert snapshot is not None
    assert snapshot.to_extra() == stored[name.removesuffix(AS_TEXT)]


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_stored_snapshot_is_a_baseline(name: str) -> None:
    stored = SNAPSHOTS[name.removesuffix(AS_TEXT)]
    known = {
        (finding["code"], finding["service"]): finding["since"]
        for snapshot in (stored.get("baseline", {}), stored)
        for finding in snapshot.get("findings", ())
    }
    now = Snapshot.of_account(
        Account.from_json(ACCOUNT), "useapi_default", "2026-11-16T06:00:00+00:00"
    )
    findings = audited(now, read_snapshot(SNAPSHOTS[name])).findings
    since = [(f.code, f.service, f.since) for f in findings]
    assert since == [(*f.about, known.get(f.about, now.checked_at)) for f in findings]
    assert "2026-11-12T06:00:00+00:00" in known.values()


def test_an_audit_stores_what_it_stored() -> None:
    first = Snapshot.of_account(
        Account.from_json(ACCOUNT), "useapi_default", SNAPSHOTS["first"]["checked_at"]
    )
    assert audited(first, None).to_extra() == SNAPSHOTS["first"]


@pytest.mark.parametrize("name", WITH_ACCOUNTS)
def test_a_stored_snapshot_of_linked_accounts_is_a_baseline(name: str) -> None:
    stored = WITH_ACCOUNTS[name.removesuffix(AS_TEXT)]
    fields = {**ACCOUNT, "accounts": {**ACCOUNT["accounts"], "Google Flow API": {"total": 1}}}
    now = Snapshot.of_account(
        Account.from_json(fields),
        "useapi_default",
        "2026-11-30T06:00:00+00:00",
        Reading(linked={"kling": linked("1", "2"), "google-flow": linked("3")}),
    )
    last = read_snapshot(WITH_ACCOUNTS[name])
    found = {finding.about: finding.since for finding in audited(now, last).findings}
    known = [*stored["findings"], *stored.get("held", ())]
    before = {(f["code"], f["service"], f["ref"]): f["since"] for f in known if "ref" in f}
    signed_out, new = (("UA010", "kling", ref_of(12345, "kling", address(n))) for n in "12")
    assert found[signed_out] == before[signed_out] == "2026-11-26T06:00:00+00:00"
    assert new not in before
    assert found[new] == now.checked_at


def linked(*numbers: str) -> LinkedAccounts:
    """Accounts that are signed out."""
    return LinkedAccounts(
        tuple(
            Linked(hint_of(address(n)), ref_of(12345, "kling", address(n)), False, "Signed out")
            for n in numbers
        )
    )


def address(number: str) -> str:
    return f"studio{number}@mail.example.com"
