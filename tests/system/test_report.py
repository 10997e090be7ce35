"""The report in a real browser: right numbers, no errors, and not a request to anyone."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.report import report
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot

from .browser import Browser, Page, browser
from .screenshots import DOCS, PICTURES, example, take

HOSTILE = [
    "<script>document.title='hacked'</script>",
    "\"onload=\"document.title='hacked'",
    "<img src='http://127.0.0.1:9/x' onerror=\"document.title='hacked'\">",
    "</style><style>main{display:none}@import url(http://127.0.0.1:9/)</style>",
    "\u202egnilk\u2066",
    "x" * 10_000,
    "🎬🔥",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; where there is none the message says what to install."""
    with browser() as running:
        yield running


def opened(chromium: Browser, snapshot: Snapshot, folder: Path) -> Page:
    """The report of an audit in the browser, which found nothing to complain of or to ask for."""
    file = folder / "report.html"
    file.write_text(report(snapshot), encoding="utf-8")
    page = chromium.open(file.as_uri())
    assert page.requests == [file.as_uri()]
    assert page.complaints == []
    return page


def test_the_browser_would_notice_requests_and_complaints(
    chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "loud.html"
    file.write_text("<img src='http://127.0.0.1:9/'><script>console.log(1); oh()</script>")
    page = chromium.open(file.as_uri())
    assert page.requests == [file.as_uri(), "http://127.0.0.1:9/"]
    assert len(page.complaints) >= 2


def test_the_numbers_and_the_bars(chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, example(), tmp_path)
    text = page.evaluate("document.body.innerText.replace(/\\s+/g, ' ')")
    for expected in (
        "2 critical 10 warnings",
        "Linked accounts active 6 of 9 at 4 services",
        "UA002 critical runwayml 1 of 1 linked accounts in error, none active new",
        "kling 2 of 3 linked accounts in error, 1 active since 12 November 2026, 3 days",
        "Kling API-1 active kling 1 active · 2 in error · 0 left",
        "MiniMax API+1 active minimax 4 active · 1 over the limit",
        "Mureka APIgone mureka no longer listed",
        "x st***o1@gmail.com Session expired since 12 November 2026",
        "120 credits, 500 wanted new login until 11 December 2026 · 120 credits",
        "OK 33***60 login until 11 December 2026",
    ):
        assert expected in text
    # Four accounts are the most, so that each is a quarter of a bar.
    widths = page.evaluate(
        "[...document.querySelectorAll('.bar')].map(bar => [...bar.querySelectorAll('i:not(.cut)')]"
        ".map(i => i.className + Math.round(4 * i.offsetWidth / bar.offsetWidth)).join(' '))"
    )
    assert widths == ["active1 error2", "active4 over1", "error1 left2", "active1 left2"]


def test_hostile_names_are_shown_as_text(chromium: Browser, tmp_path: Path) -> None:
    services = {name: {"total": 1, "active": 1} for name in HOSTILE}
    fields = {"id": 1, "subscriptionIsActive": True, "accounts": services, "error": HOSTILE[0]}
    snapshot = Snapshot.of_account(Account.from_json(fields), "conn", "2026-11-15T06:00:00+00:00")
    page = opened(chromium, audited(snapshot, None), tmp_path)
    assert page.evaluate("document.title") == "Audit of conn, 15 November 2026"
    assert page.evaluate("document.querySelectorAll('script, img, body style').length") == 0
    names = page.evaluate("[...document.querySelectorAll('.name > bdi')].map(e => e.textContent)")
    assert names[:2] == HOSTILE[:2]
    assert names[4:] == ["�gnilk�", "x" * 63 + "…", "🎬🔥"]
    assert page.evaluate("document.querySelector('.message').innerText") == HOSTILE[0]
    width, _ = page.screenshot(tmp_path / "phone.png", 400)
    assert width == 400, "nothing sticks out on a phone"


def test_the_pictures_in_the_docs_can_be_taken(chromium: Browser, tmp_path: Path) -> None:
    sizes = take(opened(chromium, example(), tmp_path), tmp_path)
    for name, (width, _) in PICTURES.items():
        picture = (tmp_path / name).read_bytes()
        assert struct.unpack(">II", picture[16:24]) == sizes[name]
        assert sizes[name][0] == width, "nothing sticks out"
        kept = (DOCS / name).read_bytes()
        assert struct.unpack(">I", kept[16:20]) == (width,)
        assert len(kept) < 300_000
    assert len({(tmp_path / name).read_bytes() for name in PICTURES}) == len(PICTURES)


def test_it_prints(chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, example(), tmp_path)
    page.call("Emulation.setEmulatedMedia", media="print")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    printed = page.call("Page.printToPDF", printBackground=True)["data"]
    assert len(printed) > 10_000
