"""
The answer of ``GET /v2/account`` as a typed, frozen value.

The API's page says that every field is optional, and its samples hold malformed dates and keys
with typos. So reading is total: whatever the JSON holds, the result is an :class:`Account`, and
what cannot be read is ``None`` or zero, never a guess. Source of the fields:
https://useapi.net/docs/account-management/get-account
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pendulum

from airflow_provider_useapi.api.json_values import count, text
from airflow_provider_useapi.api.service_names import slug_of
from airflow_provider_useapi.redaction import MASK, mask_emails


@dataclass(frozen=True)
class ServiceAccounts:
    """
    How many accounts are linked to one service.

    :param name: the key that the API lists the service under.
    :param slug: our name of the service.
    :param total: configured accounts, broken ones included.
    :param active: configured and working. Active is not free: an active account may be busy.
    :param error: broken; they use up the allocation like any other.
    :param allocations_left: accounts that the subscription still allows for this service;
        ``None`` when the API does not tell the cap.
    """

    name: str
    slug: str
    total: int = 0
    active: int = 0
    error: int = 0
    allocations_left: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain values, for XCom."""
        return {
            "name": self.name,
            "total": self.total,
            "active": self.active,
            "error": self.error,
            "allocations_left": self.allocations_left,
        }


@dataclass(frozen=True)
class Account:
    """
    A useapi.net account, as one answer of the API described it.

    Dates are kept as the API writes them (ISO 8601, UTC), because some of them are malformed;
    only :attr:`renewed_on` is parsed.

    :param services: linked accounts for each service, by slug.
    :param sub: the day the subscription was renewed, as ``YYMMDD``. A past day, not an expiry.
    :param error: what the API says is wrong with the account.
    :param oddities: paths of documented fields whose value could not be read, such as
        ``accounts.Kling API.active``. The paths hold names from the answer, as they came.
    """

    id: int | None = None
    email: str | None = field(default=None, repr=False)
    created: str | None = None
    name: str | None = field(default=None, repr=False)
    subscription_is_active: bool = False
    subscriptions: int | None = None
    max_accounts_per_api: int | None = None
    services: Mapping[str, ServiceAccounts] = field(default_factory=dict, hash=False)
    updated: str | None = None
    verified: str | None = None
    sub: str | None = None
    reply_url: str | None = field(default=None, repr=False)
    subscriptions_needed_total: int | None = None
    error: str | None = field(default=None, repr=False)
    oddities: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Account:
        """
        Read the JSON object that the API answered; never raises.

        :param body: the decoded JSON object.
        """
        values = {each.attribute: each.read(body.get(key)) for key, each in _TABLE.items()}
        values["services"] = _services(values["services"], values["max_accounts_per_api"])
        return cls(**values, oddities=tuple(_oddities(body)))

    @property
    def renewed_on(self) -> pendulum.Date | None:
        """The day the subscription was last renewed, from :attr:`sub`."""
        return _day(self.sub)

    @property
    def is_recognisable(self) -> bool:
        """Whether the answer holds anything that only useapi.net would say."""
        return self.id is not None or self.email is not None or bool(self.services)

    def service(self, name: str) -> ServiceAccounts | None:
        """
        The linked accounts of one service, or ``None`` if the account does not list it.

        :param name: the slug or the API's key, in any case.
        """
        return self.services.get(slug_of(name))

    def to_dict(self, redact: Collection[str] = ()) -> dict[str, Any]:
        """
        The documented fields under their documented names, and ``services`` by slug.

        Every key is always there; a field that the API did not send is ``None``.

        :param redact: documented names whose values are replaced by ``"***"``. With ``email``
            among them, addresses inside ``error`` are masked too.
        """
        values = {key: getattr(self, attribute) for key, attribute in FIELDS.items()}
        values["accounts"] = {
            s.name: {"total": s.total, "active": s.active, "error": s.error}
            for s in self.services.values()
        }
        values["services"] = {slug: s.to_dict() for slug, s in self.services.items()}
        if "email" in redact and self.error:
            values["error"] = mask_emails(self.error)
        return {
            key: MASK if key in redact and value is not None else value
            for key, value in values.items()
        }


def _oddities(body: Mapping[str, Any]) -> Iterator[str]:
    """The documented fields that are there, but not as documented."""
    for key, each in _TABLE.items():
        if each.check and body.get(key) is not None and each.check(body[key]) is None:
            yield key
    accounts = body.get("accounts")
    for name, counts in accounts.items() if isinstance(accounts, Mapping) else ():
        if not isinstance(counts, Mapping):
            yield f"accounts.{text(name)}"
            continue
        for key in ("total", "active", "error"):
            if counts.get(key) is not None and count(counts[key]) is None:
                yield f"accounts.{text(name)}.{key}"


def _services(accounts: object, cap: int | None) -> dict[str, ServiceAccounts]:
    """Read ``accounts``; two keys of one service (a typo and its correction) are added up."""
    services: dict[str, ServiceAccounts] = {}
    for key, counts in accounts.items() if isinstance(accounts, Mapping) else ():
        name = text(key) or ""
        counts = counts if isinstance(counts, Mapping) else {}
        # The API leaves a count out when it is zero, so a missing one is zero, never the rest.
        active = count(counts.get("active")) or 0
        error = count(counts.get("error")) or 0
        total = count(counts.get("total"))
        total = active + error if total is None else total
        slug = slug_of(name)
        if other := services.get(slug):
            name = other.name
            total, active, error = total + other.total, active + other.active, error + other.error
        left = None if cap is None else max(0, cap - total)
        services[slug] = ServiceAccounts(name, slug, total, active, error, left)
    return services


def _day(value: object) -> pendulum.Date | None:
    """A day written as ``YYMMDD``."""
    digits = value if isinstance(value, str) else ""
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return pendulum.date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _mapping(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _is_true(value: object) -> bool:
    return value is True


class _Field(NamedTuple):
    """A documented field: the attribute that holds it, its reader, and what finds it odd."""

    attribute: str
    read: Callable[[object], Any]
    check: Callable[[object], object] | None = None


# Dates are kept as they come, so that none of them is odd.
_TABLE: Mapping[str, _Field] = {
    "id": _Field("id", count, count),
    "email": _Field("email", text),
    "created": _Field("created", text),
    "name": _Field("name", text),
    "subscriptionIsActive": _Field("subscription_is_active", _is_true, _flag),
    "subscriptions": _Field("subscriptions", count, count),
    "maxAccountsPerAPI": _Field("max_accounts_per_api", count, count),
    "accounts": _Field("services", _mapping, _mapping),
    "updated": _Field("updated", text),
    "verified": _Field("verified", text),
    "sub": _Field("sub", text, _day),
    "replyUrl": _Field("reply_url", text),
    "subscriptionsNeededTotal": _Field("subscriptions_needed_total", count, count),
    "error": _Field("error", text, text),
}

FIELDS: Mapping[str, str] = {key: each.attribute for key, each in _TABLE.items()}
"""The documented fields, by their documented names, and the attribute that holds each."""
