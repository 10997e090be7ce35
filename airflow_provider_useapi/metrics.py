"""What this package tells Airflow's own statistics. No free text and nothing personal in a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from airflow.providers.common.compat.sdk import Stats

from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
    UseApiUnavailableError,
)

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
            Stats.incr("useapi.requests", tags={"conn_id": conn_id, "outcome": outcome})


def gates_waiting(conn_id: str, change: int = 0) -> None:
    """
    Tell how many deferred gates wait in this process: ``useapi.gates.waiting``, by ``conn_id``.

    :param conn_id: id of their connection.
    :param change: how many have come, or gone when below 0.
    """
    _waiting[conn_id] += change
    Stats.gauge("useapi.gates.waiting", _waiting[conn_id], tags={"conn_id": conn_id})


def gate_ended(outcome: str, seconds: float) -> None:
    """
    Tell how long a gate waited: ``useapi.gates.waited``, tagged ``outcome``.

    :param outcome: ``open``, ``failed`` or ``timeout``.
    :param seconds: from its first look to its end.
    """
    waited = timedelta(seconds=max(seconds, 0.0))
    Stats.timing("useapi.gates.waited", waited, tags={"outcome": outcome})
