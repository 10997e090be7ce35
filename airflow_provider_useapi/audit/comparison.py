"""What an audit compares, for its rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from airflow_provider_useapi.audit.snapshot import Snapshot


@dataclass(frozen=True)
class Comparison:
    """
    What the rules compare: a snapshot, the one before it, and what the user asked for.

    :param now: this snapshot.
    :param last: the last one of the same account that told of services, if there is one.
    :param services: the slugs that are audited; ``None`` for all.
    :param renewal_max_age_days: a renewal longer ago than this is a finding.
    :param session_min_days: a login that expires sooner is a finding, unless it is renewed by
        itself.
    :param min_credits: by slug, how many credits each linked account should have.
    """

    now: Snapshot
    last: Snapshot | None = None
    services: Collection[str] | None = None
    renewal_max_age_days: int = 35
    session_min_days: int = 3
    min_credits: Mapping[str, int] = field(default_factory=dict)

    def audits(self, slug: str) -> bool:
        """Whether the findings of a service are asked for."""
        return self.services is None or slug in self.services
