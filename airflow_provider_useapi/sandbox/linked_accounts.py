"""The accounts that are linked to the services, from which every live answer is made."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_useapi.api.services import CATALOGUE


@dataclass
class LinkedAccount:
    """
    An account at a service. Change it at any time: the next answer tells.

    :param id: how the service names it, for most an e-mail address; Dreamina puts a region before.
    :param max_jobs: how many jobs it may run at a time. Google Flow and Mureka do not tell.
    :param running: how many it runs now.
    :param health: "OK", or what is wrong with it.
    """

    id: str
    max_jobs: int = 3
    running: int = 0
    health: str = "OK"

    @property
    def is_healthy(self) -> bool:
        """Whether it takes jobs."""
        return self.health == "OK"

    @property
    def free(self) -> int:
        """How many jobs more it would take."""
        return max(0, self.max_jobs - self.running) if self.is_healthy else 0


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
