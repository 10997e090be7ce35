"""Every rule fires on its case, and stays silent on the next-best one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.finding import SEVERITIES, Finding
from airflow_provider_useapi.audit.rules import audited, severe, summary
from airflow_provider_useapi.audit.snapshot import Snapshot, read_snapshot
from airflow_provider_useapi.exceptions import UseApiConfigError

FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00.000001+00:00" for day in (13, 14, 15))
HEALTHY: dict[str, Any] = {
    "id": 12345,
    "subscriptionIsActive": True,
    "subscriptions": 1,
    "maxAccountsPerAPI": 3,
    "accounts": {"Kling API": {"total": 2, "active": 2}, "Runway AP": {"total": 1, "active": 1}},
    "sub": "261020",
}
REFUSED = "the API token was refused"


def kling(**counts: int) -> dict[str, Any]:
    return {"accounts": {**HEALTHY["accounts"], "Kling API": counts}}


def look(checked_at: str = SECOND, **fields: Any) -> Snapshot:
    return Snapshot.of_account(Account.from_json({**HEALTHY, **fields}), "conn", checked_at)


def stored(snapshot: Snapshot) -> Snapshot:
    """A snapshot as the next audit finds it."""
    read = read_snapshot(snapshot.to_extra())
    assert read is not None
    return read


def audit(*fields: dict[str, Any], **options: Any) -> Snapshot:
    """The last of some audits in a row, one a day."""
    last = None
    for moment, changed in zip((FIRST, SECOND, THIRD), fields, strict=False):
        done = audited(look(moment, **changed), last, **options)
        last = stored(done)
    return done


def found(snapshot: Snapshot) -> list[tuple[str, str, str | None]]:
    return [(each.code, each.severity, each.service) for each in snapshot.findings]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    healthy = audit({}, {})
    assert healthy.findings == ()
    assert summary(healthy) == "conn: no findings; 3 of 3 linked accounts active"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"subscriptionIsActive": False}, [("UA001", "critical", None)], id="UA001-inactive"
        ),
        pytest.param(
            {"subscriptionIsActive": None}, [("UA001", "critical", None)], id="UA001-missing"
        ),
        pytest.param({"subscriptionIsActive": True}, [], id="UA001-active"),
        pytest.param(
            kling(total=2, active=1, error=1), [("UA002", "warning", "kling")], id="UA002-one-left"
        ),
        pytest.param(
            kling(total=2, error=2), [("UA002", "critical", "kling")], id="UA002-none-left"
        ),
        pytest.param(kling(total=2, active=2, error=0), [], id="UA002-no-error"),
        pytest.param(kling(total=0), [], id="UA002-no-account-at-all"),
        pytest.param(kling(total=3, active=3), [("UA003", "warning", "kling")], id="UA003-full"),
        pytest.param(kling(total=4, active=4), [("UA003", "warning", "kling")], id="UA003-over"),
        pytest.param(kling(total=2, active=2), [], id="UA003-one-left"),
        pytest.param(
            {**kling(total=3, active=3), "maxAccountsPerAPI": None}, [], id="UA003-cap-unknown"
        ),
        pytest.param(
            {"subscriptionsNeededTotal": 2}, [("UA004", "warning", None)], id="UA004-two-needed"
        ),
        pytest.param({"subscriptionsNeededTotal": 1}, [], id="UA004-as-many-as-bought"),
        pytest.param(
            {"subscriptionsNeededTotal": 2, "subscriptions": None}, [], id="UA004-bought-unknown"
        ),
        pytest.param({"error": "Pay"}, [("UA007", "warning", None)], id="UA007-error"),
        pytest.param({"error": ""}, [], id="UA007-empty"),
        pytest.param({"sub": "261008"}, [("UA008", "warning", None)], id="UA008-37-days"),
        pytest.param({"sub": "261010"}, [], id="UA008-35-days"),
        pytest.param({"sub": "271010"}, [], id="UA008-in-the-future"),
        pytest.param({"sub": None}, [], id="UA008-unknown"),
        pytest.param({"sub": "2610"}, [("UA009", "warning", None)], id="UA009-no-date"),
        pytest.param({"accounts": []}, [("UA009", "warning", None)], id="UA009-no-object"),
        pytest.param({"subscriptions": "1"}, [], id="UA009-a-number-in-quotes"),
        pytest.param({"somethingNew": [1]}, [], id="UA009-unknown-field"),
        pytest.param({"created": "2023-08-316T21:03:28.558Z"}, [], id="UA009-documented-bad-date"),
    ],
)
def test_what_a_rule_finds_at_a_first_audit(
    fields: dict[str, Any], expected: list[tuple[str, str, str | None]]
) -> None:
    assert found(audit(fields)) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(
            {}, kling(total=1, active=1), [("UA005", "warning", "kling")], id="UA005-fell"
        ),
        pytest.param(kling(total=1, active=1), {}, [], id="UA005-rose"),
        pytest.param({}, {}, [], id="UA005-the-same"),
        pytest.param(
            {},
            {"accounts": {"Kling API": HEALTHY["accounts"]["Kling API"]}},
            [("UA006", "warning", "runwayml")],
            id="UA006-gone",
        ),
        pytest.param(
            {}, {"accounts": {}}, [("UA006", "warning", "kling"), ("UA006", "warning", "runwayml")],
            id="UA006-all-gone",
        ),
        pytest.param(
            {},
            {"accounts": {**HEALTHY["accounts"], "Runway API": {"total": 0}}},
            [],
            id="UA006-the-typo-is-corrected",
        ),
        pytest.param(
            {},
            {"accounts": {"Kling API": {}, "Runway AP": {}}},
            [("UA005", "warning", "kling"), ("UA005", "warning", "runwayml")],
            id="UA006-empty-but-listed",
        ),
        pytest.param(
            {}, {"id": 54321, "accounts": {}}, [], id="another-account-is-no-baseline"
        ),
        pytest.param(
            {},
            {"subscriptionIsActive": False, "accounts": None},
            [("UA001", "critical", None)],
            id="a-lapsed-account-that-lists-nothing-has-lost-nothing",
        ),
    ],
)  # fmt: skip
def test_what_a_rule_finds_since_the_last_audit(
    before: dict[str, Any], now: dict[str, Any], expected: list[tuple[str, str, str | None]]
) -> None:
    assert found(audit(before, now)) == expected
    assert not {code for code, *_ in found(audit(now))} & {"UA005", "UA006"}, "a first audit"
    again = audit(before, now, now)
    assert not {code for code, *_ in found(again)} & {"UA005", "UA006"}, "two equal audits"


def test_findings_of_services_that_are_not_asked_for_are_left_out() -> None:
    worse = {"accounts": {"Kling API": {"total": 3, "error": 3}}, "error": "Pay"}
    of_kling = [("UA002", "kling"), ("UA003", "kling"), ("UA005", "kling")]
    others = [("UA006", "runwayml"), ("UA007", None)]
    assert [each.about for each in audit({}, worse).findings] == of_kling + others
    only = audit({}, worse, services=["runwayml"])
    assert [each.about for each in only.findings] == others
    assert set(only.services) == {"kling"}, "the history holds them all the same"


def test_a_finding_is_new_once_and_keeps_its_since() -> None:
    broken = kling(total=2, active=1, error=1)
    assert [f.code for f in audit({}, broken).new_findings] == ["UA005", "UA002"][::-1]
    again = audit(broken, broken, broken)
    assert [(f.code, f.since) for f in again.findings] == [("UA002", FIRST)]
    assert again.new_findings == ()
    back = audit(broken, {}, broken)
    assert ("UA002", THIRD) in [(f.code, f.since) for f in back.findings]


def test_a_worse_finding_is_the_same_finding() -> None:
    worse = audit(kling(total=2, active=1, error=1), kling(total=2, error=2))
    assert worse.findings[0] == Finding(
        "UA002", "critical", "kling", "2 of 2 linked accounts in error, none active", FIRST
    )


@pytest.mark.parametrize(
    ("between", "code"),
    [
        (Snapshot.of_refusal(REFUSED, "conn", SECOND), "UA009"),
        (Snapshot.of_account(Account.from_json({"hello": "world"}), "conn", SECOND), "UA009"),
        (Snapshot.of_account(Account.from_json({"error": "expired"}), "conn", SECOND), "UA001"),
    ],
    ids=["refused", "foreign", "payment-required"],
)
def test_an_answer_without_an_account_breaks_no_comparison(between: Snapshot, code: str) -> None:
    broken = kling(total=2, active=1, error=1)
    first = stored(audited(look(FIRST, **broken), None))
    second = audited(between, first)
    assert (code, "critical") in [(f.code, f.severity) for f in second.findings]
    assert not {"UA002", "UA005", "UA006"} & {f.code for f in second.findings}
    third = audited(look(THIRD, **kling(total=1, error=1)), stored(second))
    assert [(f.code, f.since) for f in third.findings] == [("UA002", FIRST), ("UA005", THIRD)]
    stranger = audited(look(THIRD, id=1, **broken), stored(second))
    assert [(f.code, f.since) for f in stranger.findings] == [("UA002", THIRD)]


def test_a_token_that_stays_refused_says_since_when() -> None:
    first = audited(Snapshot.of_refusal(REFUSED, "conn", FIRST), None)
    second = audited(Snapshot.of_refusal(REFUSED, "conn", SECOND), stored(first))
    assert second.findings == (Finding("UA009", "critical", None, REFUSED, FIRST),)
    assert second.last_known is None


def test_the_summary_says_what_is_worst_first() -> None:
    bad = audit({**kling(total=3, active=1, error=2), "subscriptionIsActive": False})
    assert summary(bad) == "conn: 1 critical, 2 warnings (UA001, UA002 kling, UA003 kling)"
    many = {f"Service {n} API": {"total": 1, "error": 1} for n in range(30)}
    assert summary(audit({"accounts": many})).endswith(", UA002 service9 and 20 more)")


def test_how_severe_a_finding_must_be() -> None:
    findings = [Finding("UA002", severity, None, "") for severity in SEVERITIES]
    assert severe(findings, "critical") == findings[:1]
    assert severe(findings, "warning") == findings
    with pytest.raises(UseApiConfigError, match="'critical' or 'warning'"):
        severe((), "error")


COUNTS = st.fixed_dictionaries(
    {}, optional={name: st.integers(0, 5) for name in ("total", "active", "error")}
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(1, 2),
        "subscriptionIsActive": st.booleans(),
        "maxAccountsPerAPI": st.integers(0, 5),
        "subscriptionsNeededTotal": st.integers(0, 3),
        "error": st.text(max_size=20),
        "sub": st.sampled_from(["261020", "260101", "x", None]),
        "accounts": st.dictionaries(st.sampled_from(["Kling API", "Muse API", "🎬"]), COUNTS),
    },
)


@given(st.lists(FIELDS, min_size=1, max_size=2))
def test_repeating_an_audit_finds_nothing_new(history: list[dict[str, Any]]) -> None:
    last = audit(*history)
    again = audited(look(THIRD, **history[-1]), stored(last))
    assert again.new_findings == ()
    kept = [(f.about, f.since) for f in last.findings if f.code not in ("UA005", "UA006")]
    assert [(f.about, f.since) for f in again.findings] == kept


@given(st.lists(FIELDS, min_size=1, max_size=3))
def test_the_worst_comes_first_and_each_finding_once(history: list[dict[str, Any]]) -> None:
    findings = audit(*history).findings
    order = [SEVERITIES.index(each.severity) for each in findings]
    assert order == sorted(order)
    assert len({each.about for each in findings}) == len(findings)
    assert all(each.since for each in findings)
