"""What the page asks of Airflow: 10,000 events of 20 connections, counted in requests and bytes."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.system.browser import Browser

from .airflows import GuardedAirflow, shown
from .rows import audits, record

CONNECTIONS, EVENTS = 20, 500
EVERY = timedelta(hours=4)
"""500 audits every four hours are 83 days."""
PATIENCE = 2.0
"""Seconds."""
AT_ONCE = """(spans => Math.max(...spans.map(a => spans.filter(
  b => b.startTime <= a.startTime && a.startTime < b.responseEnd).length)))(
  $.defaultView.performance.getEntriesByType("resource"))"""
"""How many requests of the page itself were under way at a time, at most."""


@pytest.fixture(scope="module")
def crowd(airflow: GuardedAirflow) -> int:
    """The 10,000 events, and how many connections there are by then."""
    # Of one size and one content: what costs is to find, to redact and to send them.
    moments = audits("crowd", EVENTS, EVERY, accounts=11)
    for number in range(CONNECTIONS):
        record(airflow.database, f"crowd_{number:02}", moments, "crowd_audit")
    (count,) = airflow.query("SELECT count(DISTINCT uri) FROM asset WHERE uri LIKE 'useapi://%'")[0]
    return int(count)


def test_the_list_costs_one_request_for_assets_and_a_small_one_each(
    chromium: Browser, airflow: GuardedAirflow, crowd: int
) -> None:
    (size,) = airflow.query(
        "SELECT avg(length(cast(e.extra as varchar(100000)))) FROM asset_event e"
        " JOIN asset a ON a.id = e.asset_id WHERE a.name = 'useapi/crowd_00'"
    )[0]
    assert 7_000 < size < 12_000, "as large as a usual one"
    with shown(chromium, airflow) as view:
        view.settled()
        began = time.monotonic()
        asked, received = len(view.page.requests), view.page.received
        view.ask("$.defaultView.performance.clearResourceTimings()")
        view.click("[data-action=refresh]")
        view.wait("$.querySelector('[data-action=refresh]').ariaDisabled === 'true'", 5)
        view.wait("$.querySelector('[data-action=refresh]').ariaDisabled === 'false'")
        took = time.monotonic() - began
        urls = view.page.requests[asked:]
        assert view.ask("$.querySelectorAll('.list:not(.gates) tbody tr').length") == crowd
        assert 1 < view.ask(AT_ONCE) <= 4
    events = [url for url in urls if "/assets/events?" in url]
    assert len([url for url in urls if "/assets?" in url]) == 1
    assert len(events) <= crowd + 1, "one each; one connection has two assets"
    assert {parse_qs(urlsplit(url).query)["limit"][0] for url in events} == {"4"}
    assert view.page.received - received < 60_000 * crowd
    assert took < PATIENCE, f"{took:.2f} s"


def test_seven_days_of_a_connection(chromium: Browser, airflow: GuardedAirflow, crowd: int) -> None:
    with shown(chromium, airflow) as view:
        view.settled()
        began = time.monotonic()
        view.ask("$.defaultView.location.hash = '#/connections/crowd_07'")
        view.wait("!!$.querySelector('.history')")
        view.settled()
        assert time.monotonic() - began < PATIENCE
        urls = view.asked("timestamp_gte")
        assert len(urls) == 1
        assert "order_by=-timestamp" in urls[0]
        # 42 of the last seven days, and one or two before, that the picture begins with a number.
        rows = view.ask("$.querySelectorAll('[data-key=audits] tbody tr').length")
        assert 42 <= rows <= 44


def test_ninety_days_come_page_by_page_newest_first_and_can_be_stopped(
    chromium: Browser, airflow: GuardedAirflow, crowd: int
) -> None:
    with shown(chromium, airflow, place="#/connections/crowd_11") as view:
        view.settled()
        before = len(view.page.requests)
        view.click("[data-value='90']")
        view.wait("$.querySelector('.progress').innerText.includes('of 45')", 20)
        view.click("[data-action=stop]")
        view.wait("$.querySelector('.progress').innerText.includes('Stopped after')")
        stopped = view.ask("$.querySelectorAll('[data-key=audits] tbody tr').length")
        assert stopped < EVENTS
        view.click("[data-value='90']")
        view.wait(f"$.querySelectorAll('[data-key=audits] tbody tr').length === {EVENTS}", 60)
        urls = [url for url in view.page.requests[before:] if "timestamp_gte" in url]
        assert all(parse_qs(urlsplit(url).query)["limit"] == ["100"] for url in urls)
        assert all("order_by=-timestamp" in url for url in urls)
        assert len(urls) <= 12
