"""Linked accounts in audits: what is read, found, kept and shown of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.account_requests import Request
from airflow_provider_useapi.api.hints import hint_of, ref_of
from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.audit.account_rows import account_rows
from airflow_provider_useapi.audit.finding import Finding, read_findings
from airflow_provider_useapi.audit.linked import (
    MAX_ACCOUNTS,
    Linked,
    LinkedAccounts,
    Reading,
    read_linked,
)
from airflow_provider_useapi.audit.report import report
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot, read_snapshot
from airflow_provider_useapi.audit.table import table
from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.gate.questions import ask_all
from tests.helpers.account_bodies import ACCOUNTS, CREDITS, ONE, SIGNED_OUT, TWO

FIRST = datetime(2026, 11, 12, 6, tzinfo=UTC)
CAPTCHAS = "/v1/google-flow/accounts/captcha-providers"


def day(number: int) -> str:
    return (FIRST + timedelta(days=number - 1)).isoformat()


def account(*services: str, active: bool = True) -> Account:
    listed = {slug: {"total": 2, "active": 2} for slug in services}
    return Account.from_json({"id": 12345, "subscriptionIsActive": active, "accounts": listed})


def linked(
    name: str = ONE, *, reason: str | None = None, slug: str = "kling", **more: Any
) -> Linked:
    return Linked(hint_of(name), ref_of(12345, slug, name), reason is None, reason, **more)


def taken(
    number: int,
    last: Snapshot | None = None,
    *,
    services: tuple[str, ...] = ("kling",),
    has_captchas: bool | None = None,
    only: Any = None,
    min_credits: dict[str, int] | None = None,
    session_min_days: int = 3,
    **found: Any,
) -> Snapshot:
    """The audit of a day: ``kling=[Linked, ...]`` was read, what is not named was not."""
    every = {slug.replace("_", "-"): LinkedAccounts(tuple(each)) for slug, each in found.items()}
    reading = Reading(every, has_captchas)
    now = Snapshot.of_account(account(*services, *every), "conn", day(number), reading)
    return audited(
        now, last, services=only, min_credits=min_credits, session_min_days=session_min_days
    )


def about(snapshot: Snapshot) -> list[tuple[Any, ...]]:
    return [(f.code, f.severity, f.service, f.message) for f in snapshot.findings]


# --- What is found --------------------------------------------------------------------------------


def test_an_account_in_trouble_is_found_by_its_hint() -> None:
    found = taken(1, kling=[linked(), linked(TWO, reason=SIGNED_OUT)])
    assert about(found) == [
        ("UA010", "warning", "kling", f"st***o2@mail.example.com: {SIGNED_OUT}")
    ]
    assert found.findings[0].ref == ref_of(12345, "kling", TWO)
    assert taken(1, kling=[linked(TWO, reason="x")], only=["muse"]).findings == ()


@pytest.mark.parametrize(
    ("service", "days", "found"),
    [
        ("minimax", 2.9, True),
        ("minimax", 3.1, False),
        ("minimax", -1, True),
        ("dreamina", 0.9, True),
        ("dreamina", 1.1, False),
        ("mureka", 0.5, True),
        ("kling", 0.1, False),
        ("pixverse", 0.1, False),
        ("runwayml", -1, False),
        ("muse", -1, False),
        ("google_flow", 0.01, False),
    ],
)
def test_a_login_that_nobody_renews(service: str, days: float, found: bool) -> None:
    expires = (FIRST + timedelta(days=days)).isoformat()
    snapshot = taken(1, **{service: [linked(session_expires=expires)]})
    assert [f.code for f in snapshot.findings] == ["UA011"] * found
    if found:
        verb = "expired on" if days < 0 else "expires on 2026-11-1"
        assert f"st***o1@mail.example.com: its login {verb}" in snapshot.findings[0].message


def test_a_login_of_an_account_in_trouble_is_told_once() -> None:
    over = linked(reason="signed out", session_expires=day(0))
    assert [f.code for f in taken(1, minimax=[over]).findings] == ["UA010"]
    assert taken(1, minimax=[linked()]).findings == ()
    soon = linked(session_expires=(FIRST + timedelta(hours=30)).isoformat())
    assert taken(1, minimax=[soon], session_min_days=1).findings == ()


FEW = {"kling": 500}


@pytest.mark.parametrize(
    ("accounts", "severities"),
    [
        (
            [linked(credits=499, unit="credits"), linked(TWO, credits=500, unit="credits")],
            ["warning"],
        ),
        (
            [linked(credits=20, unit="credits"), linked(TWO, credits=0, unit="credits")],
            ["critical"] * 2,
        ),
        ([linked(credits=20, unit="credits"), linked(TWO)], ["warning"]),
        (
            [linked(credits=20, unit="credits"), linked(TWO, reason="x", credits=900, unit="c")],
            ["critical"],
        ),
        ([linked(credits=None, unit="credits")], []),
    ],
)
def test_few_credits(accounts: list[Linked], severities: list[str]) -> None:
    found = [f for f in taken(1, kling=accounts, min_credits=FEW).findings if f.code == "UA012"]
    assert [f.severity for f in found] == severities
    assert not [f for f in taken(1, kling=accounts).findings if f.code == "UA012"]
    if severities:
        assert found[0].message.endswith(" credits, 500 wanted")


def test_a_plan_that_is_not_paid_has_not_enough() -> None:
    unpaid = linked(credits=5000, unit="credits", plan="PAYGATE_TIER_NOT_PAID", slug="google-flow")
    few = linked(TWO, credits=1, unit="credits", slug="google-flow")
    wanted = {"google-flow": 500}
    found = taken(1, google_flow=[unpaid, few], min_credits=wanted)
    assert [(f.code, f.severity) for f in found.findings] == [
        ("UA012", "critical"),
        ("UA013", "warning"),
    ]
    assert "no paid plan (PAYGATE_TIER_NOT_PAID)" in found.findings[1].message
    assert taken(1, google_flow=[unpaid]).findings == ()


def test_captchas() -> None:
    found = taken(1, google_flow=[], has_captchas=False)
    assert [(f.code, f.severity, f.service, f.ref) for f in found.findings] == [
        ("UA014", "critical", "google-flow", None)
    ]
    for there in (True, None):
        assert taken(1, google_flow=[], has_captchas=there).findings == ()
    assert taken(1, google_flow=[], has_captchas=False, only=["kling"]).findings == ()


# --- Since when -----------------------------------------------------------------------------------


def test_one_heals_and_its_neighbour_breaks_between_two_audits() -> None:
    names = [f"factory.{n:02}.main@gmail.com" for n in range(1, 51)]

    def fleet(broken: str) -> list[Linked]:
        return [linked(n, reason="signed out" if n == broken else None) for n in names]

    first = taken(1, kling=fleet(names[6]))
    second = taken(2, kept(first), kling=list(reversed(fleet(names[7]))))
    (gone,), (new,) = first.findings, second.findings
    assert gone.ref != new.ref and gone.message != new.message
    assert (new.since, second.new_findings) == (day(2), (new,))
    assert taken(3, kept(second), kling=fleet(names[7])).findings[0].since == day(2)


def kept(snapshot: Snapshot) -> Snapshot:
    """The same after it was stored and read again."""
    read = read_snapshot(json.loads(json.dumps(snapshot.to_extra())))
    assert read is not None
    return read


def test_the_words_may_change_and_the_finding_stays() -> None:
    first = taken(1, kling=[linked(reason="one")])
    assert taken(2, first, kling=[linked(reason="other")]).findings[0].since == day(1)


def test_what_could_not_be_read_is_no_good_news() -> None:
    first = taken(1, kling=[linked(reason="x"), linked(TWO)])
    second = taken(2, kept(first))
    assert second.findings == () and second.new_findings == ()
    third = taken(3, kept(second))
    fourth = taken(4, kept(third), kling=[linked(reason="x"), linked(TWO)])
    assert [f.since for f in fourth.findings] == [day(1)]
    assert fourth.held == ()
    healed = taken(4, kept(third), kling=[linked(), linked(TWO)])
    again = taken(5, kept(healed), kling=[linked(reason="x")])
    assert [f.since for f in again.findings] == [day(5)]


def test_credits_that_were_not_read_are_no_good_news_either() -> None:
    few = linked(credits=1, unit="credits")
    first = taken(1, kling=[few], min_credits=FEW)
    unknown = taken(2, kept(first), kling=[linked()], min_credits=FEW)
    assert unknown.findings == () and [f.code for f in unknown.held] == ["UA012"]
    assert taken(3, kept(unknown), kling=[few], min_credits=FEW).findings[0].since == day(1)
    enough = taken(3, kept(unknown), kling=[linked(credits=900, unit="c")], min_credits=FEW)
    assert enough.held == ()
    assert taken(3, kept(unknown), kling=[linked(TWO)], min_credits=FEW).held == ()


def test_captchas_that_were_not_read_keep_their_finding() -> None:
    first = taken(1, google_flow=[], has_captchas=False)
    second = taken(2, kept(first), google_flow=[])
    third = taken(3, kept(second), google_flow=[], has_captchas=False)
    assert third.findings[0].since == day(1)
    assert taken(2, kept(first), google_flow=[], has_captchas=True).held == ()


def test_a_service_that_is_gone_takes_its_findings_along() -> None:
    first = taken(1, kling=[linked(reason="x")])
    assert taken(2, kept(first), services=("muse",)).held == ()


def test_a_refused_token_between_two_audits_changes_nothing() -> None:
    first = taken(1, kling=[linked(reason="x")])
    refused = audited(Snapshot.of_refusal("401", "conn", day(2)), kept(first))
    third = taken(3, kept(refused), kling=[linked(reason="x")])
    assert third.findings[0].since == day(1)


# --- What is kept ---------------------------------------------------------------------------------


def test_at_most_fifty_accounts_are_stored_and_no_finding_is_left_out() -> None:
    fleet = [linked(f"factory.{n:03}.main@gmail.com") for n in range(150)]
    broken = [linked(f"broken.{n:03}.main@gmail.com", reason="x") for n in range(120)]
    snapshot = taken(1, kling=[*fleet, *broken])
    extra = snapshot.to_extra()
    stored = extra["linked"]["kling"]
    assert (len(stored["accounts"]), stored["left_out"]) == (MAX_ACCOUNTS, 220)
    assert not any(each["healthy"] for each in stored["accounts"])
    assert len([f for f in extra["findings"] if f["code"] == "UA010"]) == 120
    again = kept(snapshot)
    assert again.to_extra() == extra
    assert again.linked["kling"].cut().left_out == 220


def test_nothing_is_stored_where_nothing_was_read() -> None:
    assert not {"linked", "unread", "held", "captchas"} & set(taken(1).to_extra())
    assert all("ref" not in each for each in taken(1).to_extra()["findings"])


def test_what_a_newer_release_has_added_is_left_alone() -> None:
    extra = taken(1, kling=[linked(reason="x")]).to_extra()
    extra["findings"][0]["more"] = extra["linked"]["kling"]["accounts"][0]["more"] = 1
    assert read_snapshot(extra) is not None
    assert read_findings({"findings": extra["findings"], "summary": ""}) is not None
    assert read_findings({"findings": [1], "summary": ""}) is None


@pytest.mark.parametrize("odd", [7, "no JSON", [], {"kling": 1}, {"kling": {"accounts": [1]}}])
def test_something_else_under_its_name_is_no_snapshot(odd: Any) -> None:
    assert read_snapshot({**taken(1).to_extra(), "linked": odd}) is None or odd == []


@given(
    st.lists(
        st.builds(
            Linked,
            hint=st.sampled_from(["a***b@c.d", "x***y@c.d"]),
            ref=st.text("0123456789abcdef", min_size=6, max_size=6),
            healthy=st.booleans(),
            reason=st.none() | st.just("x"),
            credits=st.none() | st.integers(0, 99),
        ),
        max_size=60,
        unique_by=lambda each: each.ref,
    )
)
def test_what_is_stored_can_be_read_again(accounts: list[Linked]) -> None:
    for_sure = [replace(a, reason=None if a.healthy else "x", unit="c") for a in accounts]
    snapshot = taken(1, kling=for_sure, min_credits={"kling": 50})
    assert kept(snapshot).to_extra() == snapshot.to_extra()
    assert kept(snapshot).findings == snapshot.findings
    before = snapshot.linked["kling"]
    assert before.healthy == sum(a.healthy for a in for_sure)


# --- What is read ---------------------------------------------------------------------------------


def reading(found: Account, credits_of: tuple[str, ...] = (), **faults: Exception) -> Any:
    """The paths that are asked for, and what was read; a fault by a word of its path."""
    paths: list[str] = []
    lists = {s.accounts.path: ACCOUNTS[s.slug] for s in CATALOGUE if s.accounts}

    def answer(request: Request) -> Any:
        paths.append(request.path)
        for word, error in faults.items():
            if word in request.path:
                raise error
        body = lists.get(request.path, {} if request.path == CAPTCHAS else CREDITS["kling"])
        if "studio2" in request.path:
            body = {"email": TWO, "balance": {"total": 3}}
        return request.read(Answer(200, body=json.dumps(body).encode()), conn_id="c", secrets=())

    return paths, ask_all(read_linked(found, credits_of), answer)


def test_each_service_that_the_account_lists_is_one_request() -> None:
    paths, found = reading(account("kling", "muse", "luma", "brandnew"))
    assert paths == ["/v1/kling/accounts", "/v1/muse/accounts"]
    assert set(found.linked) == {"kling", "muse"}
    assert (found.has_captchas, found.unread) == (None, ())
    one, two = found.linked["kling"].accounts
    assert (one.hint, one.session_expires) == (hint_of(ONE), "2026-12-24T12:13:14+00:00")
    assert two.reason == "Account is locked"


def test_google_flow_is_asked_for_its_captchas_as_well() -> None:
    paths, found = reading(account("google-flow"))
    assert paths == ["/v1/google-flow/accounts", CAPTCHAS]
    assert found.has_captchas is False
    _, unread = reading(account("google-flow"), captcha=UseApiUnavailableError("503."))
    assert (unread.has_captchas, unread.unread) == (None, ("google-flow: 503.",))


def test_credits_are_read_of_the_services_that_are_named() -> None:
    paths, found = reading(account("kling", "muse"), ("kling",))
    assert len(paths) == 4
    assert [each.credits for each in found.linked["kling"].accounts] == [56000, 3]
    _, partly = reading(account("kling"), ("kling",), studio1=UseApiUnavailableError("503."))
    one, two = partly.linked["kling"].accounts
    assert (one.credits, one.unit, two.credits) == (None, None, 3)
    assert partly.unread == ("kling: 503.",)


def test_what_cannot_be_read_hides_nothing_else() -> None:
    _, found = reading(account("kling", "muse"), kling=UseApiUnavailableError("503."))
    assert (set(found.linked), found.unread) == ({"muse"}, ("kling: 503.",))


def test_nothing_is_asked_while_the_subscription_lapses() -> None:
    paths, found = reading(account("kling", active=False))
    assert paths == [] and found.unread == ("linked accounts: the subscription is not active",)


# --- What is shown --------------------------------------------------------------------------------


def shown(**more: Any) -> Snapshot:
    fleet = [
        linked(credits=7, unit="credits", session_expires=day(9)),
        linked(TWO, reason="<b>signed out</b>"),
        linked("other1@x.y", credits=900, unit="credits"),
    ]
    return taken(1, kling=fleet, min_credits=FEW, **more)


def test_the_table_has_a_line_for_each_account() -> None:
    lines = list(table(shown()))
    start = lines.index("") + 1
    assert lines[start].split() == [
        "service",
        "account",
        "login",
        "until",
        "credits",
        "what",
        "is",
        "wrong",
    ]
    assert [line.split()[1] for line in lines[start + 1 :]] == ["x", "!", "OK"]
    assert "<b>signed out</b>" in lines[start + 1]
    assert lines[start + 2].split()[2:4] == ["st***o1@mail.example.com", "2026-11-20"]
    many = [linked(f"factory.{n:03}.main@gmail.com") for n in range(60)]
    assert list(table(taken(1, kling=many)))[-1].split() == ["kling", "and", "10", "more"]


def test_an_account_that_is_not_audited_still_says_what_is_wrong() -> None:
    rows, left_out = account_rows(shown(only=["muse"]), "kling")
    assert (rows[0].mark, rows[0].troubles, rows[0].since) == ("x", ["<b>signed out</b>"], None)
    assert left_out == 0
    assert account_rows(shown(), "muse") == ([], 0)


def test_the_report_shows_each_account_under_its_service() -> None:
    page = report(shown())
    assert "&lt;b&gt;signed out&lt;/b&gt;" in page and "<b>signed out</b>" not in page
    for text in (
        "st***o1@mail.example.com",
        "login until 20 November 2026",
        "7 credits",
        ">x<",
        ">!<",
        ">OK<",
    ):
        assert text in page
    many = [linked(f"factory.{n:03}.main@gmail.com") for n in range(60)]
    assert "and 10 more" in report(taken(1, kling=many))
    later = report(taken(2, kept(shown()), kling=[linked(TWO, reason="x")]))
    assert "since 12 November 2026" in later
    assert "since 12 November 2026" not in report(shown())


def test_the_report_says_what_could_not_be_read() -> None:
    now = Snapshot.of_account(account("kling"), "conn", day(1), Reading(unread=("kling: <503>",)))
    assert "kling: &lt;503&gt;" in report(audited(now, None))
    assert "Not read" not in report(shown())


def test_a_finding_is_stored_as_it_was_before_it_knew_of_accounts() -> None:
    old = Finding("UA002", "warning", "kling", "x", day(1))
    assert old.about == ("UA002", "kling")
    assert old.to_dict() == {
        "code": "UA002", "severity": "warning", "service": "kling", "message": "x", "since": day(1),
    }  # fmt: skip
    new = replace(old, ref="abc123")
    assert new.about == ("UA002", "kling", "abc123")
    assert Finding.from_dict(new.to_dict()) == new
