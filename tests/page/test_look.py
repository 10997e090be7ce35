"""How the page looks and is used: dark, small, by keyboard, by a screen reader, without flicker."""

from __future__ import annotations

import json
import struct
from importlib.resources import files
from pathlib import Path

import pytest

from tests.system.browser import Browser

from .airflows import DOCUMENT, GuardedAirflow, Shown, shown
from .pictures import DOCS, PICTURES, take, wear

AXE = files("axe_core_python").joinpath("axe.min.js").read_text()
PLACES = ("", "#/connections/useapi_default", "#/connections/no_such")

WATCH = """(window => {
  window.removed = window.shift = 0;
  new window.MutationObserver((changes) => {
    for (const { removedNodes } of changes) {
      window.removed += [...removedNodes].filter((node) => node.nodeType === 1).length;
    }
  }).observe($.body, { childList: true, subtree: true });
  new window.PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) {
      window.shift += value;
    }
  }).observe({ type: "layout-shift" });
})($.defaultView)"""


def hindrances(view: Shown) -> list[str]:
    """What axe finds that hinders people, in the page itself."""
    frame = view.page.call("Page.getFrameTree")["frameTree"]["childFrames"][0]["frame"]["id"]
    world = view.page.call("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
    arguments = {"contextId": world, "awaitPromise": True, "returnByValue": True}
    view.page.call("Runtime.evaluate", expression=AXE, **arguments)
    done = view.page.call(
        "Runtime.evaluate",
        expression="axe.run(document, {iframes: false}).then(r => r.violations.map(v => v.id + ': '"
        " + v.impact + ' ' + v.nodes.map(n => n.html).slice(0, 3).join(' ')))",
        **arguments,
    )
    return list(done["result"]["value"])


@pytest.mark.parametrize("place", PLACES)
def test_nothing_hinders_people_and_nothing_sticks_out_of_a_phone(
    chromium: Browser, airflow: GuardedAirflow, place: str
) -> None:
    with shown(chromium, airflow, place=place) as view:
        view.settled()
        for dark in (False, True):
            wear(view, dark=dark)
            assert hindrances(view) == []
        view.page.resize(472, 800)  # the frame is 400 px wide: Airflow's own bar is beside it
        view.wait("$.documentElement.clientWidth <= 400")
        assert view.ask("$.documentElement.clientWidth") >= 380
        assert view.ask("$.documentElement.scrollWidth <= $.documentElement.clientWidth")


def test_the_page_is_as_dark_as_airflow(chromium: Browser, airflow: GuardedAirflow) -> None:
    with shown(chromium, airflow) as view:
        view.settled()
        background = "$.defaultView.getComputedStyle($.body).backgroundColor"
        wear(view, dark=True)
        assert view.ask(background) == "rgb(17, 17, 17)"
        wear(view, dark=False)
        assert view.ask(background) == "rgb(255, 255, 255)"


def test_times_are_of_the_zone_that_is_chosen_in_airflow(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    with shown(chromium, airflow) as view:
        view.settled()
        view.page.evaluate("localStorage.setItem('timezone', '\"Asia/Tokyo\"')")
        view.click("[data-action=refresh]")
        view.wait("$.querySelector('.refreshed').innerText.includes('Asia/Tokyo')")


def test_it_can_be_used_by_keyboard(chromium: Browser, airflow: GuardedAirflow) -> None:
    with shown(chromium, airflow) as view:
        view.settled()
        view.ask("$.querySelector('[data-action=refresh]').focus()")
        for _ in range(200):
            view.page.press("Tab")
            if view.ask("$.activeElement.innerText") == "useapi_default":
                break
        view.page.press("Enter")
        view.wait("!!$.querySelector('.history')")
        assert view.ask("$.activeElement.tagName") == "H2", "a screen reader reads where it is"
        seen: set[str] = set()
        for _ in range(60):
            view.page.press("Tab")
            seen.add(view.ask("$.activeElement.innerText"))
            if "Findings as a table" in seen:
                break
        assert {"What to do", "7 days", "30 days", "90 days", "Findings as a table"} <= seen


def test_a_refresh_moves_and_flickers_nothing(chromium: Browser, airflow: GuardedAirflow) -> None:
    with shown(chromium, airflow, place="#/connections/useapi_default") as view:
        view.settled().click(".advice summary")
        view.wait("$.querySelector('.advice').open")
        view.ask(WATCH)
        view.ask("$.querySelector('[data-value=\"30\"]').focus()")
        first = view.ask("$.querySelector('.refreshed time').dateTime")
        view.ask("$.querySelector('[data-action=refresh]').click()")
        view.wait(f"$.querySelector('.refreshed time').dateTime !== {json.dumps(first)}")
        view.settled()
        assert view.ask("$.activeElement.dataset.value") == "30", "the focus stays"
        assert view.ask("$.querySelector('.advice').open"), "what was opened stays open"
        assert view.ask("$.defaultView.shift") == 0
        assert view.ask("$.defaultView.removed") <= 2, "the words and the button of the progress"


def test_it_refreshes_itself_only_while_it_is_visible(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    with shown(chromium, airflow) as view:
        view.settled()
        frame = f"{DOCUMENT}.defaultView"
        hide = (
            f"Object.defineProperty({DOCUMENT}, 'hidden', {{get: () => %s, configurable: true}})"
            ".constructor.name"
        )
        view.page.evaluate(hide % "true")
        before = len(view.asked("/api/v2/assets"))
        # The clock of the page a quarter of an hour on, without waiting for it.
        view.page.evaluate(f"(n => {{ {frame}.Date.now = () => n() + 900000; }})({frame}.Date.now)")
        view.ask("$.dispatchEvent(new Event('visibilitychange'))")
        assert len(view.asked("/api/v2/assets")) == before
        view.page.evaluate(hide % "false")
        view.ask("$.dispatchEvent(new Event('visibilitychange'))")
        view.wait("$.querySelector('[data-action=refresh]').ariaDisabled === 'false'")
        view.settled()
        assert len(view.asked("/api/v2/assets")) > before


def test_the_pictures_in_the_docs_can_be_taken(
    chromium: Browser, airflow: GuardedAirflow, tmp_path: Path
) -> None:
    for picture in PICTURES:
        take(chromium, airflow, picture, tmp_path)
        for folder in (tmp_path, DOCS):
            header = (folder / picture.name).read_bytes()[16:24]
            assert struct.unpack(">II", header) == (picture.width, picture.height)
    page = (DOCS / "page.md").read_text()
    assert all(f"({picture.name})" in page for picture in PICTURES)
