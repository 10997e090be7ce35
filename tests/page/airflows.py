"""The Airflow whose page is looked at: its users, its sessions, and the page in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from tests.system.browser import Browser, Page
from tests.system.stack import LocalAirflow

from .rights import ADMIN, USERS

HARMLESS = "An iframe which has both allow-scripts and allow-same-origin"
"""What the browser says of the frame that Airflow makes for every page of a plugin."""
DOCUMENT = "document.querySelector('iframe').contentDocument"
LOADED = """(() => {
  const shown = document.querySelector("iframe")?.contentDocument;
  return !!shown?.querySelector(".refreshed time, .problem")
    && !shown.querySelector("[data-action=stop]");
})()"""
"""Whether all that was asked for is shown."""


class GuardedAirflow(LocalAirflow):
    """A local Airflow whose users have to log in."""

    def log_in(self, user: str = ADMIN) -> str:
        """The token of a session of a user."""
        body = json.dumps({"username": user, "password": user}).encode()
        question = Request(f"{self.url}/auth/token", body, {"Content-Type": "application/json"})
        with build_opener(ProxyHandler({})).open(question, timeout=30) as answer:
            return str(json.load(answer)["access_token"])


def guarded(home: Path) -> dict[str, str]:
    """The variables with which only those who log in get anything; their names are passwords."""
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({user: user for user in USERS}))
    return {
        "AIRFLOW__CORE__AUTH_MANAGER": "tests.page.rights.RightsByDag",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
            f"{user}:{role}" for user, role in USERS.items()
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }


class Shown:
    """
    The page inside Airflow's UI, in a browser.

    :param page: Airflow's UI.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def ask(self, expression: str) -> Any:
        """The value of an expression; ``$`` is the document of the page."""
        return self.page.evaluate(self._with_document(expression))

    def wait(self, expression: str, timeout: float = 20.0) -> Any:
        """Wait until an expression is true; ``$`` is the document of the page."""
        return self.page.wait_for(self._with_document(expression), timeout)

    def _with_document(self, expression: str) -> str:
        return f"(($) => {expression})({DOCUMENT})"

    def settled(self) -> Shown:
        """Wait until all that was asked for is shown."""
        self.page.wait_for(LOADED)
        return self

    @property
    def text(self) -> str:
        """All that can be read, with single spaces."""
        return str(self.ask("$.body.innerText.replace(/\\s+/g, ' ')"))

    def click(self, selector: str) -> None:
        """Click the middle of the first element that a selector finds."""
        place = self.ask(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect(),"
            " f = document.querySelector('iframe').getBoundingClientRect();"
            " return [f.x + r.x + r.width / 2, f.y + r.y + r.height / 2]; })"
            f"($.querySelector({json.dumps(selector)}))"
        )
        self.page.click(*place)

    @property
    def complaints(self) -> list[str]:
        """What the browser has to complain of, but not in Airflow's own script."""
        return [
            each
            for each in self.page.complaints
            if HARMLESS not in each and ("/useapi/" in each or "/static/assets/" not in each)
        ]

    def asked(self, part: str) -> list[str]:
        """The requests that have something in their address."""
        return [url for url in self.page.requests if part in url]


@contextmanager
def shown(
    browser: Browser, airflow: GuardedAirflow, user: str = ADMIN, place: str = "", width: int = 1280
) -> Iterator[Shown]:
    """Show the page to a user while a ``with`` block runs, and see that nobody complains."""
    cookies: Mapping[str, str] = {"_token": airflow.log_in(user)}
    page = browser.open(f"{airflow.url}/plugin/useapi{place}", cookies)
    page.resize(width, 900)
    try:
        view = Shown(page)
        page.wait_for("!!document.querySelector('iframe')?.contentDocument?.body")
        yield view
        assert not view.complaints, view.complaints
        ours = (airflow.url, f"blob:{airflow.url}", "data:")
        elsewhere = [url for url in page.requests if not url.startswith(ours)]
        assert not elsewhere, elsewhere
    finally:
        page.close()
