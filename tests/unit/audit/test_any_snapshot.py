"""Whatever stands in the event of an asset: it is a snapshot that an audit can use, or none."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.finding import read_findings
from airflow_provider_useapi.audit.report import report
from airflow_provider_useapi.audit.rules import audited, severe, summary
from airflow_provider_useapi.audit.snapshot import Snapshot, read_snapshot
from airflow_provider_useapi.audit.table import line, table
from tests.helpers.bodies import DOCUMENTED
from tests.helpers.golden import golden
from tests.helpers.odd_json import decoded, written

FIELDS = [
    "version", "conn_id", "checked_at", "refusal", "account_id", "subscription_is_active", "error",
    "subscriptions", "subscriptions_needed", "max_accounts_per_api", "renewed_on", "services",
    "findings", "linked", "captchas", "unread", "held", "baseline", "code", "severity", "service",
    "message", "since", "ref", "name", "total", "active", "allocations_left", "accounts", "hint",
    "left_out", "healthy", "reason", "max_jobs", "session_expires", "plan", "credits", "unit",
]  # fmt: skip
STORED = [*golden("snapshots").values(), *golden("snapshots_with_accounts").values()]
NOW = Snapshot.of_account(Account.from_json(DOCUMENTED), "c", "2026-03-01T12:00:00+00:00")


STORED_SOMEHOW = written(FIELDS, lambda write: write.body(*STORED))


@given(STORED_SOMEHOW, st.booleans())
def test_any_event_is_a_snapshot_to_compare_with_or_none(event: str, as_text: bool) -> None:
    extra = decoded(event)
    if as_text and isinstance(extra, dict):  # as Airflow 2.11 and 3.0 store it
        extra = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in extra.items()}
    last = read_snapshot(extra)
    if last is None:
        return
    again = read_snapshot(json.loads(json.dumps(last.to_extra())))
    assert again is not None
    assert again.to_extra() == last.to_extra()
    for seen in (audited(NOW, last), last):
        assert isinstance(summary(seen), str)
        severe(seen.findings, "warning")
        assert report(seen).startswith("<!doctype html>")
        lines = [*table(seen), *(line(each, seen.checked_at) for each in seen.findings)]
        assert all(each.isprintable() for each in lines)
        report(seen).encode()


@given(STORED_SOMEHOW)
def test_any_xcom_of_an_audit_has_findings_or_none(xcom: str) -> None:
    for found in read_findings(decoded(xcom)) or ():
        assert line(found).isprintable()
