"""Whether a linked account takes jobs, as its entry in an answer tells."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_provider_useapi.api.json_values import at
from airflow_provider_useapi.api.responses import words_of
from airflow_provider_useapi.redaction import MASK, public_text

_WORD = 4
"""An id of fewer characters would also be found in the middle of words."""


def trouble_of(entry: Any) -> str | None:
    """
    Why an account takes no jobs, in the API's own words if it has some; ``None`` if it is healthy.

    Healthy is: ``health`` is OK or absent, and there is no ``error``. Some services say the same in
    both, some say ``health: error`` and the reason in ``error``.

    :param entry: what the answer holds of it.
    """
    health, error = at(entry, "health"), at(entry, "error")
    if error:
        return words_of(entry)
    if health is None or health == "OK":
        return None
    return health if isinstance(health, str) else ""


def public_reason(trouble: str, account: str, secrets: Collection[str] = ()) -> str:
    """
    Why an account takes no jobs, fit to be shown.

    :param trouble: the API's own words, if it has some.
    :param account: the id of the account, which is masked too: not every id looks like an address.
    :param secrets: what must not be shown.
    """
    words = trouble.replace(account, MASK) if len(account) >= _WORD else trouble
    return public_text(words, secrets) or "not healthy"
