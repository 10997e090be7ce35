from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import MAX_SERVICES, VERSION, Snapshot, read_snapshot
from tests.helpers.bodies import DOCUMENTED, JSON

MOMENT = "2026-11-15T06:00:00.000001+00:00"
REST = st.dictionaries(st.sampled_from(list(DOCUMENTED)), JSON, max_size=5)


def taken(**fields: Any) -> Snapshot:
    account = Account.from_json({**DOCUMENTED, **fields})
    return audited(Snapshot.of_account(account, "useapi_default", MOMENT), None)


def test_the_stored_form() -> None:
    extra = taken(error="Pay").to_extra()
    assert extra.pop("findings")[0] == {
        "code": "UA002",
        "severity": "warning",
        "service": "midjourney",
        "message": "1 of 3 linked accounts in error, 2 active",
        "since": MOMENT,
    }
    assert extra.pop("services")["runwayml"] == {
        "name": "Runway AP",
        "total": 1,
        "active": 1,
        "error": 0,
        "allocations_left": 2,
    }
    assert extra == {
        "version": 1,
        "conn_id": "useapi_default",
        "checked_at": MOMENT,
        "refusal": None,
        "account_id": 12345,
        "subscription_is_active": True,
        "subscriptions": 1,
        "subscriptions_needed": None,
        "max_accounts_per_api": 3,
        "renewed_on": "2025-04-05",
        "error": "Pay",
    }


def test_no_personal_data_is_stored() -> None:
    personal = {"email": "who@example.com", "name": "Ada Byron", "replyUrl": "https://h.example/x"}
    said = "Ada Byron (who@example.com, other@example.org) calls https://h.example/x"
    text = json.dumps(taken(**personal, error=said).to_extra())
    assert "(***, ***) calls" in text
    for secret in ("who@", "other@", "example", "Ada", "Byron"):
        assert secret not in text


def test_the_stored_form_is_small_whatever_the_api_says() -> None:
    names = [f"{n}{'x' * 10_000}" for n in range(500)]
    huge = {name: {"total": 3, "error": 3} for name in names}
    odd = {f"{name} API": [] for name in names}
    lapsed = Snapshot.of_account(Account.from_json({"error": "x" * 10**6}), "conn", MOMENT)
    for snapshot in (taken(accounts=huge), audited(lapsed, taken(accounts={**huge, **odd}))):
        extra = snapshot.to_extra()
        assert len(json.dumps(extra)) < 60_000
        told = extra.get("baseline", extra)
        assert len(told["services"]) == len(told["findings"]) == MAX_SERVICES


def test_services_whose_names_are_cut_stay_apart() -> None:
    services = taken(accounts={"a" * 100: {"total": 1}, "a" * 101: {"total": 2}}).services
    assert [service.total for service in services.values()] == [1, 2]
    assert all(slug.startswith("a" * 39) and len(slug) < 50 for slug in services)


@given(REST, REST, st.booleans())
def test_what_is_stored_can_be_read_again(
    first: dict[str, Any], second: dict[str, Any], as_text: bool
) -> None:
    last = audited(Snapshot.of_account(Account.from_json(first), "conn", MOMENT), None)
    snapshot = audited(Snapshot.of_account(Account.from_json(second), "conn", MOMENT), last)
    extra = json.loads(json.dumps(snapshot.to_extra()))
    if as_text:  # as Airflow 2.11 and 3.0 store it
        extra = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in extra.items()}
    read = read_snapshot(extra)
    assert read is not None
    assert read.to_extra() == snapshot.to_extra()
    assert (read.findings, read.services) == (snapshot.findings, snapshot.services)
    assert read.last_known == (read if read.tells else read.baseline)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": VERSION + 1},
        {"version": None},
        {"checked_at": "yesterday"},
        {"checked_at": None},
        {"services": []},
        {"services": "no JSON"},
        {"services": {"kling": {"total": 1}}},
        {"services": {"kling": {"slug": "x"}}},
        {"findings": {"code": "UA001"}},
        {"findings": [{"code": "UA001"}]},
        {"findings": None},
    ],
)
def test_an_event_of_somebody_else_is_no_snapshot(changed: dict[str, Any]) -> None:
    assert read_snapshot({**taken().to_extra(), **changed}) is None


@given(JSON)
def test_reading_never_raises(extra: Any) -> None:
    assert read_snapshot(extra) is None
    assert read_snapshot({**taken().to_extra(), "baseline": extra}) is not None


@given(JSON, st.sampled_from(["services", "findings", "refusal", "subscriptions"]))
def test_reading_any_value_of_a_field_never_raises(value: Any, field: str) -> None:
    read_snapshot({**taken().to_extra(), field: value})
