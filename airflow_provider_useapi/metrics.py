"""
What this package tells Airflow's own metrics, to whatever they are set up to be sent to.

Tags hold ids that the user chose, slugs and fixed words: no free text and nothing personal.

What a receiver may refuse in an id becomes ``_``, and the id is cut at 60 characters. Connections
whose ids then read the same (``useapi:eu``, ``useapi/eu``) are merged: their requests and their
waiting gates are added up, and of their accounts the last audit is shown. To keep them apart,
rename one.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Stats

from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
    UseApiUnavailableError,
)

if TYPE_CHECKING:
    from airflow_provider_useapi.audit.snapshot import Snapshot

STATES = ("total", "active", "error", "allocations_left")
"""What the gauges of an account tell of each service, beside ``healthy`` and ``credits``."""

_log = logging.getLogger(__name__)

_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 60

_OUTCOMES: dict[type[UseApiError], str] = {
    UseApiAuthError: "refused_token",
    UseApiRequestError: "refused",
    UseApiUnavailableError: "unavailable",
    UseApiResponseError: "not_understood",
}
_waiting: Counter[str] = Counter()


@contextmanager
def counted_request(conn_id: str) -> Iterator[None]:
    """
    Count what comes of a request: ``useapi.requests``, tagged ``conn_id`` and ``outcome``.

    :param conn_id: id of the connection that is used.
    """
    outcome = "answered"
    try:
        yield
    except UseApiError as e:
        outcome = _OUTCOMES.get(type(e), "")
        raise
    finally:
        if outcome:  # what never left this machine is none
            Stats.incr("useapi.requests", tags={"conn_id": _fit(conn_id), "outcome": outcome})


def gates_waiting(conn_id: str, change: int = 0) -> None:
    """
    Tell how many deferred gates wait in this process: ``useapi.gates.waiting``, by ``conn_id``.

    :param conn_id: id of their connection.
    :param change: how many have come, or gone when below 0.
    """
    name = _fit(conn_id)
    _waiting[name] += change
    Stats.gauge("useapi.gates.waiting", _waiting[name], tags={"conn_id": name})


def gate_ended(outcome: str, seconds: float) -> None:
    """
    Tell how long a gate waited: ``useapi.gates.waited``, tagged ``outcome``.

    :param outcome: ``open``, ``failed`` or ``timeout``.
    :param seconds: from its first look to its end.
    """
    waited = timedelta(seconds=max(seconds, 0.0))
    Stats.timing("useapi.gates.waited", waited, tags={"outcome": outcome})


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
    for slug, linked in snapshot.linked.items():
        yield slug, "healthy", linked.healthy
        if linked.most_credits is not None:
            yield slug, "credits", linked.most_credits
    last = snapshot.baseline
    for slug in last.services if last else ():
        if slug not in snapshot.services:
            yield from ((slug, state, 0) for state in STATES[:3])
            if last and slug in last.linked:
                yield slug, "healthy", 0


def send(snapshot: Snapshot) -> None:
    """
    Send the gauges of an audit, each number twice: with tags, and with all in the name.

    A name that is too long for the receiver is left out: it would be cut, and be merged with
    others.

    :param snapshot: of the audit.
    """
    from airflow_provider_useapi.compat import longest_metric_name

    longest, left_out = longest_metric_name(), []
    conn_id = _fit(snapshot.conn_id)
    for slug, state, value in account_gauges(snapshot):
        service = _fit(slug)
        tags = {"conn_id": conn_id, "service": service, "state": state}
        Stats.gauge("useapi.accounts", value, tags=tags)
        name = f"useapi.accounts.{conn_id}.{service}.{state}"
        if len(name) > longest:
            left_out.append(name)
        else:
            Stats.gauge(name, value)
    if left_out:
        _log.debug(
            "Gauges without tags whose names have more than %d characters are not sent: %s.",
            longest,
            ", ".join(left_out),
        )


def _fit(name: str) -> str:
    """A part of a metric's name, or the value of a tag: a dot would begin the next part."""
    return _UNFIT.sub("_", name)[:_LONGEST] or "_"
