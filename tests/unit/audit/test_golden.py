"""The snapshots that an earlier release stored: each is a baseline, and nothing of it is lost."""

from __future__ import annotations

import pytest

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot, read_snapshot
from tests.helpers.golden import ACCOUNT, golden

SNAPSHOTS = golden("snapshots")
AS_TEXT = ", stored by Airflow 2.11 and 3.0"
"""Of an entry whose nested values are the text of their JSON."""


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_stored_snapshot_is_read(name: str) -> None:
    snapshot = read_snapshot(SNAPSHOTS[name])
    assert snapshot is not None
    assert snapshot.to_extra() == SNAPSHOTS[name.removesuffix(AS_TEXT)]


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
