"""The triggers that are compared: ours, its peers, and Airflow's own that only sleeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.server import ACCOUNT, HIDDEN

INTERVAL = 5.0


@dataclass(frozen=True)
class Contender:
    """
    A trigger.

    :param name: what the tables call it.
    :param classpath: where Airflow finds it.
    :param kwargs: its arguments.
    :param dag_id: the DAG of the tasks that wait for it.
    """

    name: str
    classpath: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    dag_id: str = "waiting"


def ours(name: str, **kwargs: Any) -> Contender:
    """A gate of this provider."""
    return Contender(
        name,
        "airflow_provider_useapi.triggers.useapi.UseApiAccountTrigger",
        {"service": "minimax", "poke_interval": INTERVAL, **kwargs},
        "workerless" if kwargs.get("end_from_trigger") else "waiting",
    )


def sleepers(until: str, name: str = "DateTimeTrigger", **kwargs: Any) -> Contender:
    """
    Triggers that ask nobody: what Airflow itself takes for them is the floor.

    :param until: the moment at which they fire, in ISO format.
    """
    path = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
    return Contender(name, path, {"target_time": until, **kwargs})


OURS = ours("UseApiAccountTrigger")
HTTP_SENSOR = Contender(
    "HttpSensorTrigger",
    "airflow.providers.http.triggers.http.HttpSensorTrigger",
    {"endpoint": HIDDEN, "poke_interval": INTERVAL},
)
HTTP_EVENT = Contender(
    "HttpEventTrigger",
    "airflow.providers.http.triggers.http.HttpEventTrigger",
    {
        "endpoint": ACCOUNT,
        "poll_interval": INTERVAL,
        "response_check_path": "benchmarks.condition.is_active",
    },
)
PEERS = (HTTP_SENSOR, HTTP_EVENT)
