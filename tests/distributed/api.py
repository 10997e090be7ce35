"""The stand-ins for useapi.net: one for each connection, with faults that last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox

ACCOUNT = "/v2/account"
JOB_SLOTS = 1000
"""More than gates: whoever waits for one free job slot finds it."""
CANARY = "ChaosCanary"
"""What every token holds, those before and after a renewal."""


class Api(Sandbox):
    """A sandbox that can give one answer to everything, for a while."""

    standing: Answer | None = None

    def take_scripted(self, path: str) -> Answer | None:
        """The answer of the moment, else what was scripted."""
        return self.standing or super().take_scripted(path)

    @property
    def is_open(self) -> bool:
        """Whether gates open."""
        return bool(self.account["subscriptionIsActive"])

    @is_open.setter
    def is_open(self, value: bool) -> None:
        self.account["subscriptionIsActive"] = value


@dataclass(frozen=True)
class Apis:
    """
    All of them.

    :param gated: those on whose connections gates wait, in the order of these.
    :param audited: those on whose connections none does.
    """

    gated: Sequence[Api]
    audited: Sequence[Api]

    @property
    def all(self) -> Sequence[Api]:
        """Of gates and audits."""
        return [*self.gated, *self.audited]

    def set_open(self, value: bool) -> None:
        """Make every subscription active, or inactive."""
        for api in self.gated:
            api.is_open = value

    @contextmanager
    def answering(self, answer: Answer) -> Iterator[None]:
        """Let each give one answer to everything."""
        for api in self.all:
            api.standing = answer
        try:
            yield
        finally:
            for api in self.all:
                api.standing = None

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Let none accept a TCP connection."""
        for api in self.all:
            api.stop()
        try:
            yield
        finally:
            for api in self.all:
                api.start()

    def looks(self, number: int, begin: float, end: float) -> int:
        """
        How many requests for the account came in from the gates of a connection.

        :param begin: seconds since the epoch; so is ``end``.
        """
        return sum(
            1
            for each in list(self.gated[number].requests)
            if each.path == ACCOUNT and begin <= each.time < end
        )

    def answered_since(self, number: int, moment: float) -> float | None:
        """When a gate's connection was first told of the account after a moment."""
        for each in list(self.gated[number].requests):
            if each.time >= moment and each.path == ACCOUNT and each.status == 200:
                return each.time
        return None


@contextmanager
def apis(gated: int, audited: int) -> Iterator[Apis]:
    """So many stand-ins while a ``with`` block runs; no subscription that gates wait for is on."""
    with ExitStack() as running:
        made = [running.enter_context(_api(number)) for number in range(gated + audited)]
        found = Apis(made[:gated], made[gated:])
        found.set_open(False)
        yield found


def _api(number: int) -> Api:
    api = Api(token=f"user:{number}-{CANARY}")
    for service in ("minimax", "runwayml", "kling"):
        api.link(service, LinkedAccount(f"{service}@example.com", max_jobs=JOB_SLOTS))
    return api
