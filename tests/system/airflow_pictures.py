"""The pictures in ``docs`` of Airflow's pages: a gate that waits, the form of the connection."""

from __future__ import annotations

import base64
import time
from pathlib import Path

from airflow_provider_useapi.connection.fields import EXTRA_FIELDS, HOOK_NAME
from airflow_provider_useapi.sandbox import Sandbox

from .browser import Browser, Page
from .stack import LocalAirflow, LocalAirflowError

ROOT = Path(__file__).parents[2]
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
DAG_ID, GATE = "useapi_gated_pipeline", "wait_for_minimax"
WIDTH, TALL = 1200, 1600
AIRFLOW_PICTURES = ("gate-waiting.png", "connection-form.png", "connection-form-extra.png")
DIALOG = '[role="dialog"]'
PATIENCE = 30.0
"""Seconds that a page may take until it shows what is waited for."""


def take_of_airflow(browser: Browser, home: Path, folder: Path) -> None:
    """
    Run an Airflow and take a picture of each page.

    :param browser: a running one.
    :param home: the Airflow home; created when missing.
    :param folder: where the pictures go.
    """
    with Sandbox() as sandbox:
        sandbox.account["subscriptionIsActive"] = False
        connections = {"AIRFLOW_CONN_USEAPI_DEFAULT": sandbox.connection_uri()}
        with LocalAirflow(home, ROOT / "dags_examples", connections, COMPONENTS) as airflow:
            waiting, form, extra = (folder / name for name in AIRFLOW_PICTURES)
            _picture(_gate(browser, airflow), waiting, "body", 430)
            page = _form(browser, airflow)
            _picture(page, form, DIALOG)
            _click(page, "Extra Fields")
            _wait_for(page, EXTRA_FIELDS[-1].label)
            _picture(page, extra, DIALOG)


def _gate(browser: Browser, airflow: LocalAirflow) -> Page:
    """The page of a gate that waits, with its log."""
    airflow.unpause(DAG_ID)
    run = airflow.trigger(DAG_ID)
    airflow.wait_until(lambda: airflow.log(DAG_ID, run, GATE, 1, logger="UseApi"), 90)
    page = _opened(browser, f"{airflow.url}/dags/{DAG_ID}/runs/{run}/tasks/{GATE}")
    _wait_for(page, "The gate is closed: the subscription is not active.")
    return page


def _form(browser: Browser, airflow: LocalAirflow) -> Page:
    """The form of a new connection."""
    page = _opened(browser, f"{airflow.url}/connections")
    _click(page, "Add Connection")
    _wait_for(page, "Select Connection Type")
    _type(page, 'input[name="connection_id"]', "useapi_default")
    _type(page, f'{DIALOG} input[role="combobox"]', HOOK_NAME)
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13)
    _wait_for(page, "API token")
    return page


def _opened(browser: Browser, url: str) -> Page:
    page = browser.open(url)
    _resize(page, 800)
    return page


def _resize(page: Page, height: int) -> None:
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=WIDTH, height=height, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip


def _click(page: Page, label: str) -> None:
    """Press the button that has a text, once it is there and stands still."""
    buttons = "[...document.querySelectorAll('button')]"
    button = f"{buttons}.find(b => b.innerText.trim() === '{label}')"
    _until(page, f"!!{button}", label)
    box = _box(page, button)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)


def _type(page: Page, selector: str, text: str) -> None:
    page.evaluate(f"document.querySelector('{selector}').focus()")
    page.call("Input.insertText", text=text)


def _wait_for(page: Page, text: str) -> None:
    _until(page, f"document.body.innerText.includes('{text}')", text)


def _until(page: Page, condition: str, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not page.evaluate(condition):
        if time.monotonic() > deadline:
            raise LocalAirflowError(f"The page does not show {what!r}.")
        time.sleep(0.2)


def _picture(page: Page, path: Path, selector: str, height: int | None = None) -> None:
    """
    Write a picture of a part of a page, once that stands still.

    :param page: which.
    :param path: where to.
    :param selector: the part.
    :param height: how much of it from the top; all if not given.
    """
    if height is None:
        _resize(page, TALL)  # all of it without a scroll bar
    box = _box(page, f"document.querySelector('{selector}')")
    clip = {**box, "height": height or box["height"], "scale": 1}
    path.write_bytes(base64.b64decode(page.call("Page.captureScreenshot", clip=clip)["data"]))


def _box(page: Page, element: str) -> dict[str, float]:
    """Where an element is, once it stands still."""
    values = "(({x, y, width, height}) => ({x, y, width, height}))"
    before = None
    while before != (now := page.evaluate(f"{values}({element}.getBoundingClientRect())")):
        before = now
        time.sleep(0.5)
    return dict(now)
