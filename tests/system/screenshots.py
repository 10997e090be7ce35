"""
The pictures of the report in ``docs``, of an audit that has some of everything.

``python -m tests.system.screenshots`` takes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.report import report
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot

from .browser import Page, browser

DOCS = Path(__file__).parent.parent.parent / "docs"
PICTURES = {"report-light.png": (1000, False), "report-dark.png": (1000, True)}
PICTURES |= {"report-400px.png": (400, False)}
"""How wide each picture is, and whether it is of the dark page."""

_BEFORE = {
    "Kling API": {"total": 3, "active": 2, "error": 1},
    "MiniMax API": {"total": 3, "active": 3},
    "Runway AP": {"total": 1, "active": 1},
    "Mureka API": {"total": 2, "active": 2},
}
_NOW = {
    "Kling API": {"total": 3, "active": 1, "error": 2},
    "MiniMax API": {"total": 4, "active": 4},
    "Runway AP": {"total": 1, "active": 0, "error": 1},
    "Google Flow API": {"total": 1, "active": 1},
}


def example() -> Snapshot:
    """An audit that finds a lot."""

    def look(services: Mapping[str, Any], checked_at: str, **fields: Any) -> Snapshot:
        body = {
            "id": 12345,
            "subscriptionIsActive": True,
            "subscriptions": 1,
            "maxAccountsPerAPI": 3,
            "accounts": services,
            "sub": "261020",
        }
        return Snapshot.of_account(Account.from_json(body | fields), "useapi_default", checked_at)

    before = audited(look(_BEFORE, "2026-11-12T06:00:00+00:00"), None)
    now = look(_NOW, "2026-11-15T06:00:00+00:00", subscriptionsNeededTotal=2)
    return audited(now, before)


def take(page: Page, folder: Path) -> dict[str, tuple[int, int]]:
    """Take the pictures, and return how wide and high the page was in each."""
    return {
        name: page.screenshot(folder / name, width, dark=dark)
        for name, (width, dark) in PICTURES.items()
    }


def main() -> None:
    """Take the pictures into ``docs``."""
    with browser() as running:
        page = running.open(f"data:text/html;charset=utf-8,{quote(report(example()))}")
        take(page, DOCS)


if __name__ == "__main__":
    main()
