"""What the catalogue holds: a service, and the pages of the API that tell of its accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

Missing = Literal["idle", "unknown", "full"]


@dataclass(frozen=True)
class Endpoint:
    """
    A page of the API that tells something of a service's linked accounts as they are right now.

    :param path: what to ask for, with its query.
    :param dialect: which reader of :mod:`airflow_provider_useapi.api.live_readers` understands it.
    :param none_on: statuses by which it says that no account is configured.
    :param missing: what an account is that ``/accounts`` lists and this page does not: ``idle``;
        ``unknown``, where the page lists idle ones as well; ``full``, where it lists only those
        that have something left.
    """

    path: str
    dialect: str
    none_on: tuple[int, ...] = ()
    missing: Missing = "idle"


@dataclass(frozen=True)
class CreditsPage:
    """
    A page of the API that tells the credits of a linked account, free of side effects.

    :param path: what to ask for. ``{account}`` stands for the id of the account, one request each;
        without it one answer tells of all accounts.
    :param dialect: which reader of :mod:`airflow_provider_useapi.api.credits` understands it.
    :param total: how ``total`` is counted there; empty if the page tells quotas, which are not a
        number of credits.
    :param unit: what is counted.
    :param named_by: where the answer names its account, each as a path of keys; empty if it does
        not.
    """

    path: str
    dialect: str
    total: str = ""
    unit: str = "credits"
    named_by: tuple[tuple[str, ...], ...] = ()

    @property
    def is_per_account(self) -> bool:
        """Whether each account takes a request of its own."""
        return "{account}" in self.path

    def path_of(self, account: str) -> str:
        """
        The path for one account.

        :param account: its id, which is quoted here.
        """
        return self.path.replace("{account}", _quoted(account))


@dataclass(frozen=True)
class Service:
    """
    An AI service behind useapi.net, and where it tells which accounts are free.

    :param slug: its name in the paths of the API, and ours.
    :param key: the key that ``/v2/account`` lists it under.
    :param aliases: other spellings of the key or the slug.
    :param live: what to ask for its free capacity; of two, the first tells the running jobs and
        the second lists the accounts, with their health. Empty if it cannot be told.
    :param accounts: what to ask for its linked accounts and their health; ``None`` if there is
        nothing.
    :param expiry: where an entry of ``accounts`` tells when its login expires, as paths of keys.
    :param plan: the same for its plan.
    :param renewal: who signs an account in again when its login expires: useapi.net by ``itself``,
        the owner by ``hand``, or ``unknown``.
    :param credits: what to ask for the credits of its accounts; ``None`` if that cannot be read, or
        not without a side effect.
    :param no_credits: why not.
    :param source: the page under https://useapi.net/docs/ that this comes from.
    :param certainty: whether that page says how to count, the vendor states it elsewhere, or it was
        inferred from what the page says.
    :param publishes_limit: whether the API tells how many jobs an account may run at a time.
    :param note: what to know of the numbers, or why there are none.
    :param retired: whether the service is gone.
    """

    slug: str
    key: str
    aliases: tuple[str, ...] = ()
    live: tuple[Endpoint, ...] = ()
    accounts: Endpoint | None = None
    expiry: tuple[tuple[str, ...], ...] = ()
    plan: tuple[str, ...] = ()
    renewal: Literal["itself", "hand", "unknown"] = "unknown"
    credits: CreditsPage | None = None
    no_credits: str = "the service has no page that tells them"
    source: str = ""
    certainty: Literal["documented", "stated", "inferred"] = "documented"
    publishes_limit: bool = True
    note: str = ""
    retired: bool = False


def _quoted(text: str) -> str:
    """Percent-encoded for any part of a URL; unreserved characters stay, as clients have it."""
    return "".join(
        chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
        for byte in text.encode("utf-8", "replace")
    )
