"""
Gauges through Airflow's own metrics, to whatever it is set up to send them to.

Each number goes out twice: once with tags, for backends that have them, and once with all in the
name. Tags hold ids that the user chose and slugs, never free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_useapi.audit.snapshot import Snapshot

STATES = ("total", "active", "error", "allocations_left")

_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 60


def account_gauges(snapshot: Snapshot) -> Iterator[tuple[str, str, int]]:
    """
    The slug, the state and the number of each gauge; an unknown number has none.

    :param snapshot: of an audit. One that tells of no services has no gauges: they keep their
        values. A service that is gone goes down to zero instead of standing still.
    """
    if not snapshot.tells:
        return
    for slug, service in snapshot.services.items():
        for state in STATES:
            value = getattr(service, state)
            if value is not None:
                yield slug, state, value
    before = snapshot.baseline.services if snapshot.baseline else {}
    for slug in before:
        if slug not in snapshot.services:
            yield from ((slug, state, 0) for state in STATES[:3])


def send(snapshot: Snapshot) -> None:
    """
    Send the gauges of an audit.

    :param snapshot: of the audit.
    """
    from airflow.providers.common.compat.sdk import Stats

    conn_id = _fit(snapshot.conn_id)
    for slug, state, value in account_gauges(snapshot):
        service = _fit(slug)
        tags = {"conn_id": conn_id, "service": service, "state": state}
        Stats.gauge("useapi.accounts", value, tags=tags)
        Stats.gauge(f"useapi.accounts.{conn_id}.{service}.{state}", value)


def _fit(name: str) -> str:
    """A part of a metric's name: a dot would begin the next part."""
    return _UNFIT.sub("_", name)[:_LONGEST]
