"""
What may be shown of a linked account: a hint of its id, and a mark that tells equal hints apart.

An id is an e-mail address, as a rule. A hint lets its owner recognise it, and nobody else write to
it: the first and the last two characters before the @, and the domain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from airflow_provider_useapi.redaction import MASK

_REGION = re.compile(r"[A-Z]{2,3}:(?=.)")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")
_PLAIN = re.compile(r"[^\W_]|[._+-]")


def hint_of(account: str) -> str:
    """
    What may be shown of an id: ``st***o1@gmail.com``, ``11***88``, ``US:st***o1@gmail.com``.

    :param account: the id of a linked account, whatever the service calls it.
    """
    region = match[0] if (match := _REGION.match(account)) else ""
    name, at, domain = account.removeprefix(region).rpartition("@")
    if not at:
        return f"{region}{_shortened(domain)}"
    shown = domain if _DOMAIN.fullmatch(domain) else MASK
    return f"{region}{_shortened(name)}@{shown}"


def ref_of(account_id: int | None, slug: str, account: str) -> str:
    """
    Six hex digits that stay the same from day to day, and tell accounts with one hint apart.

    :param account_id: of the useapi.net account: under another one an address has another mark.
    :param slug: the service.
    :param account: the id of the linked account, in any case.
    """
    about = f"{slug}\0{account.casefold()}".encode("utf-8", "replace")
    return blake2b(about, key=f"useapi {account_id}".encode(), digest_size=3).hexdigest()


def shown_names(marked: Sequence[tuple[str, str]]) -> list[str]:
    """
    The hints of a service's accounts, each with its mark where another one has the same hint.

    :param marked: hint and mark of every account of the service.
    """
    often = Counter(hint for hint, _ in marked)
    return [f"{hint} #{ref}" if often[hint] > 1 else hint for hint, ref in marked]


def _shortened(name: str) -> str:
    """The first and the last two characters; fewer of a short name, so that most of it is gone."""
    kept = min(2, len(name) // 3)
    first, last = name[:kept], name[len(name) - kept :]
    if not all(_PLAIN.fullmatch(c) for c in first + last):
        return MASK
    return f"{first}{MASK}{last}"
