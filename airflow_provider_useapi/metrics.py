"""What this package tells Airflow's own statistics. No free text and nothing personal in a tag."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_useapi.exceptions import UseApiError

_waiting: Counter[str] = Counter()


def count_request(conn_id: str, error: UseApiError | None) -> None:
    """
    Count a request: ``useapi.requests``, tagged ``conn_id`` and ``outcome``.

    :param conn_id: id of the connection that was used.
    :param error: what came of it; ``None`` for an answer.
    """
    from airflow.providers.common.compat.sdk import Stats

    outcome = "answered" if error is None else _OUTCOMES.get(type(error).__name__, "error")
    Stats.incr("useapi.requests", tags={"conn_id": conn_id, "outcome": outcome})


def gates_waiting(conn_id: str, change: int = 0) -> None:
    """
    Tell how many deferred gates wait in this process: ``useapi.gates.waiting``, by ``conn_id``.

    :param conn_id: id of their connection.
    :param change: how many have come, or gone when below 0.
    """
    from airflow.providers.common.compat.sdk import Stats

    _waiting[conn_id] += change
    Stats.gauge("useapi.gates.waiting", _waiting[conn_id], tags={"conn_id": conn_id})


def gate_ended(outcome: str, seconds: float) -> None:
    """
    Tell how long a gate waited: ``useapi.gates.waited``, tagged ``outcome``.

    :param outcome: ``open``, ``failed`` or ``timeout``.
    :param seconds: from its first look to its end.
    """
    from airflow.providers.common.compat.sdk import Stats

    waited = timedelta(seconds=max(seconds, 0.0))
    Stats.timing("useapi.gates.waited", waited, tags={"outcome": outcome})


_OUTCOMES = {
    "UseApiAuthError": "refused_token",
    "UseApiRequestError": "refused",
    "UseApiUnavailableError": "unavailable",
    "UseApiResponseError": "not_understood",
}
