"""
An audit as one HTML file that can be opened, printed and sent: it loads nothing else.

The template escapes whatever is put into it; names and texts of the API are hostile input.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from airflow_provider_useapi import __version__
from airflow_provider_useapi.audit.account_rows import (
    BROKEN,
    FINE,
    WARNED,
    AccountRow,
    account_rows,
)
from airflow_provider_useapi.audit.finding import SEVERITIES, Finding
from airflow_provider_useapi.audit.rows import Row, rows
from airflow_provider_useapi.audit.snapshot import MAX_SERVICES, Snapshot

TEMPLATE = "report.html"

_KINDS = {FINE: "fine", WARNED: "warned", BROKEN: "broken"}
"""How the line of an account is drawn; its mark says the same in black and white."""

_MOST_CELLS = 40
"""A bar of more accounts is not divided into one cell for each."""


def report(snapshot: Snapshot) -> str:
    """
    The report of an audit as one HTML page, which loads nothing else.

    :param snapshot: of the audit, with its findings.
    :return: the page, ready to be written to a file.
    """
    every, known = rows(snapshot), snapshot.last_known
    listed = [row.service for row in every if not row.is_gone]
    cap = known.max_accounts_per_api if known else None
    scale = max([cap or 1, *(service.total for service in listed)])
    return _template().render(
        audit=snapshot,
        known=known,
        findings=[_found(finding, snapshot) for finding in snapshot.findings],
        counts={
            severity: sum(found.severity == severity for found in snapshot.findings)
            for severity in SEVERITIES
        },
        services=[{**_bar(row, scale), **_accounts(row, known)} for row in every[:MAX_SERVICES]],
        unshown=max(0, len(every) - MAX_SERVICES),
        cells=scale if scale <= _MOST_CELLS else 0,
        active=sum(service.active for service in listed),
        total=sum(service.total for service in listed),
        idle=any(service.total > service.active + service.error for service in listed),
        renewed_days_ago=_days_between(snapshot.renewed_on, snapshot.checked_at),
        version=__version__,
    )


@cache
def _template() -> Template:
    """The page without its values; compiled once, as that takes far longer than to fill it in."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=_moment, day=_day)
    return environment.get_template(TEMPLATE)


def _found(finding: Finding, snapshot: Snapshot) -> Mapping[str, Any]:
    is_new = finding.since == snapshot.checked_at
    days = _days_between(finding.since, snapshot.checked_at)
    return {"finding": finding, "is_new": is_new, "days": days}


def _bar(row: Row, scale: int) -> Mapping[str, Any]:
    """A service with its bar: each part as where it begins and how long it is, in percent."""
    service = row.service
    lengths = {
        "active": service.active,
        "error": service.error,
        "idle": max(0, service.total - service.active - service.error),
        "left": service.allocations_left or 0,
    }
    parts, begin = [], 0
    for kind, length in lengths.items():
        if length:
            parts.append((kind, _percent(begin, scale), _percent(length, scale)))
        begin += length
    if row.over:
        limit = service.total - row.over
        parts.append(("over", _percent(limit, scale), _percent(row.over, scale)))
    return {"row": row, "service": service, "parts": [] if row.is_gone else parts}


def _accounts(row: Row, known: Snapshot | None) -> Mapping[str, Any]:
    """The linked accounts of a service, one line each."""
    if known is None or row.is_gone:
        return {"accounts": [], "left_out": 0}
    shown, left_out = account_rows(known, row.service.slug)
    return {"accounts": [_account(each, known) for each in shown], "left_out": left_out}


def _account(row: AccountRow, known: Snapshot) -> Mapping[str, Any]:
    is_new = row.since == known.checked_at
    return {"row": row, "kind": _KINDS[row.mark], "is_new": is_new}


def _percent(length: int, scale: int) -> str:
    return f"{100 * min(length, scale) / scale:.2f}"


def _days_between(earlier: str | None, later: str) -> int | None:
    if not earlier:
        return None
    return (datetime.fromisoformat(later).date() - datetime.fromisoformat(earlier).date()).days


def _moment(written: str) -> str:
    return f"{datetime.fromisoformat(written):%-d %B %Y, %H:%M} UTC"


def _day(written: str) -> str:
    return f"{date.fromisoformat(written[:10]):%-d %B %Y}"
