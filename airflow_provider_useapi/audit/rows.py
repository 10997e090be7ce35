"""The services of a snapshot beside those of the last one: what table and report both show."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_useapi.api.account import ServiceAccounts
from airflow_provider_useapi.audit.snapshot import Snapshot


@dataclass(frozen=True)
class Row:
    """
    One service, now and before.

    :param service: its linked accounts; the last known ones if it is no longer listed.
    :param over: how many of them are beyond what the subscription allows.
    :param change: by how many the active ones changed since the last audit; ``None`` if that
        should not be shown.
    :param is_new: the last audit did not list it.
    :param is_gone: the last audit listed it, this one does not.
    """

    service: ServiceAccounts
    over: int = 0
    change: int | None = None
    is_new: bool = False
    is_gone: bool = False

    @property
    def news(self) -> str:
        """The change in a word; empty if there is none."""
        if self.is_new or self.is_gone:
            return "new" if self.is_new else "gone"
        return f"{self.change:+d}" if self.change else ""


def rows(snapshot: Snapshot) -> list[Row]:
    """
    The services to show, in the order of the API, those that are gone last.

    :param snapshot: of an audit. If it tells of no services, the last known ones are shown.
    """
    shown, last = snapshot.last_known, snapshot.baseline if snapshot.tells else None
    if shown is None:
        return []
    cap = shown.max_accounts_per_api
    listed = [
        Row(
            service,
            over=max(0, service.total - cap) if cap is not None else 0,
            change=service.active - last.services[slug].active
            if last and slug in last.services
            else None,
            is_new=last is not None and slug not in last.services,
        )
        for slug, service in shown.services.items()
    ]
    before = last.services if last else {}
    gone = [Row(s, is_gone=True) for slug, s in before.items() if slug not in shown.services]
    return listed + gone
