"""
The pictures in ``docs``: of the report of an audit that has some of everything, and of Airflow.

``make screenshots`` takes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.hints import hint_of, ref_of
from airflow_provider_useapi.audit.linked import Linked, LinkedAccounts, Reading
from airflow_provider_useapi.audit.report import report
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot

from .airflow_pictures import take_of_airflow
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


def _linked(slug: str, *accounts: tuple[str, str | None, int | None]) -> LinkedAccounts:
    """The linked accounts of a service: address, what is wrong, credits."""
    return LinkedAccounts(
        tuple(
            Linked(
                hint=hint_of(address),
                ref=ref_of(12345, slug, address),
                healthy=wrong is None,
                reason=wrong,
                session_expires="2026-12-11T09:30:00+00:00" if wrong is None else None,
                credits=left,
                unit=None if left is None else "credits",
            )
            for address, wrong, left in accounts
        )
    )


_SIGNED_OUT = "Google has signed your account out. Reconnect it at useapi.net"
_READING = Reading(
    {
        "kling": _linked(
            "kling",
            ("factory.01.main@gmail.com", None, 120),
            ("factory.02.main@gmail.com", "Account does not exist or password is incorrect", 4800),
            ("studio1@gmail.com", "Session expired", None),
        ),
        "minimax": _linked("minimax", *((f"3344556{n}", None, None) for n in range(4))),
        "google-flow": _linked("google-flow", ("studio1@gmail.com", _SIGNED_OUT, None)),
    },
    has_captchas=True,
    unread=(
        "runwayml: Connection 'useapi_default': GET /v1/runwayml/accounts was answered with 503,"
        " server error.",
    ),
)


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
        account = Account.from_json(body | fields)
        return Snapshot.of_account(account, "useapi_default", checked_at, _READING)

    before = audited(look(_BEFORE, "2026-11-12T06:00:00+00:00"), None)
    now = look(_NOW, "2026-11-15T06:00:00+00:00", subscriptionsNeededTotal=2)
    return audited(now, before, min_credits={"kling": 500})


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
        take_of_airflow(running, DOCS.parent / ".airflow" / "pictures", DOCS)


if __name__ == "__main__":
    main()
