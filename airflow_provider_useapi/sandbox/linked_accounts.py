"""The accounts that are linked to the services, from which every live answer is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from airflow_provider_useapi.api.services import CATALOGUE


def in_days(days: float) -> str:
    """The moment that many days from now, as services write it."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds")


@dataclass
class LinkedAccount:
    """
    An account at a service. Change it at any time: the next answer tells.

    :param id: how the service names it, for most an e-mail address; Dreamina puts a region before.
    :param max_jobs: how many jobs it may run at a time. Google Flow and Mureka do not tell.
    :param running: how many it runs now.
    :param health: "OK", or what is wrong with it.
    :param expires: when its login expires, ISO 8601, where the service tells; ``None`` if it does
        not.
    :param credits: what it has left, where its service tells; ``None`` if it does not.
    :param plan: its plan, in the words of the service; a paid one if not given.
    :param has_claimed: whether somebody has read the page that claims the free daily credits.
    :param codes_mailed: how often somebody has read the page that may sign it in again.
    """

    id: str
    max_jobs: int = 3
    running: int = 0
    health: str = "OK"
    expires: str | None = field(default_factory=lambda: in_days(30))
    credits: int | None = 1000
    plan: str | None = None
    has_claimed: bool = False
    codes_mailed: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether it takes jobs."""
        return self.health == "OK"

    @property
    def idle_slots(self) -> int:
        """How many jobs more its limit allows, whether it takes them or not."""
        return max(0, self.max_jobs - self.running)

    @property
    def free(self) -> int:
        """How many jobs more it would take."""
        return self.idle_slots if self.is_healthy else 0

    def break_down(self) -> None:
        """Sign it out on a bad day: its login is over, and it has next to no credits."""
        self.health, self.expires, self.credits = SIGNED_OUT, in_days(-1), 20


def two_each() -> dict[str, list[LinkedAccount]]:
    """Two accounts for each service that tells its capacity, one of them with a job."""
    return {
        service.slug: [
            LinkedAccount(f"{_REGION.get(service.slug, '')}{service.slug}-1@example.com"),
            LinkedAccount(
                f"{_REGION.get(service.slug, '')}{service.slug}-2@example.com", running=1
            ),
        ]
        for service in CATALOGUE
        if service.live
    }


_REGION = {"dreamina": "US:"}
SIGNED_OUT = "Session expired. Reconnect the account at https://useapi.net"
"""What the health of an account says on a bad day."""
