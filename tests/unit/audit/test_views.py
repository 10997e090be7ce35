"""The log table and the report: right numbers, and hostile names as nothing but text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.report import report
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot
from airflow_provider_useapi.audit.table import line, table

FIRST, SECOND = "2026-11-12T06:00:00+00:00", "2026-11-15T06:00:00+00:00"
HOSTILE = [
    "<script>alert(1)</script>",
    '"onload="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "</style><style>*{display:none}",
    "{{ 7 * 7 }}{% for x in y %}",
    "\u202egnilk \u2066API",
    "x" * 10_000,
    "🎬🔥",
    "a\nb\x1b[31m\0",
]


def account(services: dict[str, Any], **fields: Any) -> Account:
    return Account.from_json(
        {
            "id": 1,
            "subscriptionIsActive": True,
            "subscriptions": 1,
            "maxAccountsPerAPI": 3,
            "accounts": services,
            "sub": "261020",
            **fields,
        }
    )


def audit(now: Account, before: Account | None = None) -> Snapshot:
    last = audited(Snapshot.of_account(before, "conn", FIRST), None) if before else None
    return audited(Snapshot.of_account(now, "conn", SECOND), last)


BEFORE = account(
    {
        "Kling API": {"total": 3, "active": 2, "error": 1},
        "MiniMax API": {"total": 3, "active": 3},
        "Runway AP": {"total": 1, "active": 1},
        "Mureka API": {"total": 2, "active": 2},
    }
)
NOW = account(
    {
        "Kling API": {"total": 3, "active": 1, "error": 2},
        "MiniMax API": {"total": 4, "active": 4},
        "Runway AP": {"total": 1, "active": 1},
        "Google Flow API": {"total": 1, "active": 1},
    }
)


def test_the_table() -> None:
    assert list(table(audit(NOW, BEFORE))) == [
        "service      active  error  total    left  since last",
        "kling             1      2      3       0          -1",
        "minimax           4      0      4  1 over          +1",
        "runwayml          1      0      1       2",
        "google-flow       1      0      1       2         new",
        "mureka            -      -      -       -        gone",
    ]
    uncapped = audit(account({"Kling API": {"total": 3, "active": 3}}, maxAccountsPerAPI=None))
    assert list(table(uncapped))[-1] == "kling         3      0      3     ?"


def test_the_table_of_an_answer_without_an_account_shows_the_last_known_numbers() -> None:
    refused = audited(Snapshot.of_refusal("the token was refused", "conn", SECOND), audit(BEFORE))
    heading, *rest = table(refused)
    assert heading == f"The response lists no linked accounts; the last known ones, of {SECOND}:"
    assert rest == list(table(audit(BEFORE)))
    (nothing,) = table(audited(Snapshot.of_refusal("refused", "conn", SECOND), None))
    assert nothing == "No data on the linked accounts yet."


def test_the_lines_of_findings() -> None:
    snapshot = audit(NOW, BEFORE)
    assert [line(finding, SECOND) for finding in snapshot.findings[:4]] == [
        "UA002 warning kling: 2 of 3 linked accounts in error, 1 active (since 2026-11-12T06:00Z)",
        "UA003 warning kling: no allocation left: 3 linked accounts, 3 allowed"
        " (since 2026-11-12T06:00Z)",
        "UA003 warning minimax: no allocation left: 4 linked accounts, 3 allowed"
        " (since 2026-11-12T06:00Z)",
        "UA005 warning kling: active accounts fell from 2 to 1 (new)",
    ]


class Page(HTMLParser):
    """What a browser would make of a page: its elements, their attributes and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def words(html: str) -> str:
    return " ".join(Page(html).text.split())


def test_the_report_holds_the_numbers() -> None:
    shown = words(report(audit(NOW, BEFORE)))
    for expected in (
        "conn 15 November 2026, 06:00 UTC · account 1",
        "5 warnings",
        "Subscription active renewed 20 October 2026, 26 days ago",
        "Linked accounts active 7 of 9 at 4 services",
        "UA002 kling 2 of 3 linked accounts in error, 1 active since 12 November 2026, 3 days",
        "UA005 kling active accounts fell from 2 to 1 new",
        "Kling API-1 activekling 1 active · 2 in error · 0 left",
        "MiniMax API+1 activeminimax 4 active · 1 over the limit",
        "Runway APrunwayml 1 active · 2 left",
        "Google Flow APInew",
        "Mureka APIgonemureka no longer listed",
        "Compared with the audit of 12 November 2026, 06:00 UTC.",
    ):
        assert expected in shown


def test_the_bars_are_as_long_as_the_numbers() -> None:
    html = report(audit(NOW, BEFORE))
    bars = re.findall(r'<i class="(\w+)" style="left: ([\d.]+)%; width: ([\d.]+)%">', html)
    assert bars == [
        ("active", "0.00", "25.00"),
        ("error", "25.00", "50.00"),
        ("active", "0.00", "100.00"),
        ("over", "75.00", "25.00"),
        ("active", "0.00", "25.00"),
        ("left", "25.00", "50.00"),
        ("active", "0.00", "25.00"),
        ("left", "25.00", "50.00"),
    ]


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (audit(account({})), "No findings"),
        (audit(account({})), "The account lists no service."),
        (audit(account({"Kling API": {"total": 2, "active": 1}})), "activein errorneither"),
        (audit(BEFORE), "The first audit of this account"),
        (audit(Account.from_json({"error": "expired"})), "Subscription not active"),
        (
            audited(Snapshot.of_refusal("refused", "conn", SECOND), None),
            "No data on the linked accounts yet.",
        ),
        (
            audited(Snapshot.of_refusal("refused", "conn", SECOND), audit(BEFORE)),
            "Subscription unknown",
        ),
        (
            audited(Snapshot.of_refusal("refused", "conn", SECOND), audit(BEFORE)),
            "The numbers below are those of 15 November 2026, 06:00 UTC.",
        ),
    ],
)
def test_the_report_of_an_unusual_audit(snapshot: Snapshot, expected: str) -> None:
    assert expected in words(report(snapshot))


ALLOWED = {
    "html", "head", "meta", "title", "link", "style", "body", "main", "header", "div", "p", "h1",
    "h2", "bdi", "span", "dl", "dt", "dd", "ul", "li", "b", "i", "footer",
}  # fmt: skip


def assert_harmless(html: str) -> None:
    page = Page(html)
    assert set(page.tags) <= ALLOWED
    assert page.tags.count("style") == 1
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "action"})
    assert [value for name, value in page.attributes if name == "href"] == ["data:,"]
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_the_report_and_in_the_table(name: str) -> None:
    # As the name of a service that is there, of one that is gone, and as what the API says.
    hostile = account({name: {"total": 1, "active": name}}, error=name)
    snapshot = audit(account({"Kling API": {"total": 1}}, error=name), hostile)
    snapshots = [audit(hostile), snapshot, audited(Snapshot.of_refusal(name, "conn", SECOND), None)]
    for each in snapshots:
        html = report(each)
        assert_harmless(html)
        assert len(html) < 30_000
        lines = [*table(each), *(line(finding, SECOND) for finding in each.findings)]
        for text in lines:
            assert len(text) < 400
            assert text.isprintable(), "no line breaks, no escapes, no marks of direction"
    if name.startswith("<script"):
        assert "<script>alert(1)</script>" in words(report(audit(hostile)))


def test_only_the_first_report_of_a_process_compiles_the_template(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = report(audit(NOW))
    # Nothing is left that could compile one.
    monkeypatch.setattr(Environment, "compile", None)
    assert report(audit(NOW)) == first


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_name_is_the_report_is_harmless(name: str, said: str) -> None:
    html = report(audit(account({name: {"total": 1, "error": 1}}, error=said)))
    assert_harmless(html)
    assert html.isascii() or html.encode()


def test_an_account_of_thousands_of_services_is_cut_short() -> None:
    thousands = account({f"Service {n} API": {"total": 1} for n in range(3000)})
    assert list(table(audit(thousands)))[-1] == "and 2900 more services"
    assert "and 2900 more services" in words(report(audit(thousands)))
