"""The scenarios by name: twelve of the core, twelve more, and four of three faults at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_useapi.gate.step import REFUSAL_PATIENCE
from airflow_provider_useapi.sandbox import Answer
from tests.distributed import faults
from tests.distributed.cluster import TRIGGERERS, WORKERS
from tests.distributed.faults import Fault
from tests.distributed.judgement import Expectation
from tests.distributed.plan import Mode
from tests.distributed.workload import Workload

RELEASE = "a2047b8"
"""What is upgraded from: the first commit whose stored formats are kept, until there is a tag."""

SILENT = Answer(delay=math.inf)
UNAVAILABLE = Answer(status=503)
LATER = Answer(status=429, headers={"Retry-After": "30"})
HTML = Answer(body="<html><body>Be right back</body></html>")
CDN = Answer(status=403, body="<html><body>Attention required</body></html>")

ON_WORKERS = frozenset({Mode.POKING, Mode.DEFERRED, Mode.MAPPED, Mode.RESCHEDULED})


class Moment(StrEnum):
    """When a fault begins."""

    STARTING = "as gates begin"
    WAITING = "while gates wait"
    OPENING = "as gates open"


@dataclass(frozen=True)
class Scenario:
    """
    A fault, and what must come of it.

    :param name: by which it is run.
    :param says: what is done.
    :param faults: all at once.
    :param seconds: how long they last, beside what each takes by itself.
    :param moment: when they begin.
    :param waited: how many seconds ago the first gates began to wait by then, at least.
    :param expected: what it must show.
    :param prepare: what is done before gates begin.
    :param is_core: whether it is one of the core.
    """

    name: str
    says: str
    faults: Sequence[Fault]
    seconds: float = 0.0
    moment: Moment = Moment.WAITING
    waited: float = 0.0
    expected: Expectation = field(default_factory=Expectation)
    prepare: Callable[[Workload], None] | None = None
    is_core: bool = False


ANOTHER_TRY = Expectation(retried=ON_WORKERS)
POKING_RETRIED = Expectation(retried=frozenset({Mode.POKING}))
PATIENT = Expectation(patience=REFUSAL_PATIENCE.total_seconds(), edges=(0, 1))
"""
A token that was refused is asked about again after five minutes by gates, after ten by watchers, if
it stays the same.
"""

CORE = (
    Scenario("triggerer-killed", "a triggerer killed for good", [faults.killed("triggerer-1")]),
    Scenario("triggerers-away", "both triggerers killed, back after 60 s",
             [faults.away(*TRIGGERERS)], 60),
    Scenario("postgres-away", "PostgreSQL away for 15 s", [faults.postgres_away], 15,
             expected=ANOTHER_TRY),
    Scenario("worker-killed", "each worker killed while it ends gates",
             [faults.worker_killed_twice], moment=Moment.OPENING, expected=ANOTHER_TRY),
    Scenario("scheduler-killed", "a scheduler killed for good", [faults.killed("scheduler-1")]),
    Scenario("api-server-away", "Airflow's API server away for 15 s",
             [faults.away("api-server")], 15, expected=ANOTHER_TRY),
    Scenario("api-refuses", "useapi.net refuses connections for 60 s", [faults.refusing], 60),
    Scenario("api-silent", "useapi.net accepts and says nothing for 60 s",
             [faults.answering(SILENT)], 60),
    Scenario("api-unavailable", "useapi.net answers 503 for 60 s",
             [faults.answering(UNAVAILABLE)], 60),
    Scenario("rate-limited", "429 with Retry-After: 30 for 20 s", [faults.answering(LATER)], 20,
             expected=Expectation(held=True)),
    Scenario("token-revoked", "the token revoked, the new one stored 3 s later",
             [faults.token_renewed_late], 3),
    Scenario("subscription-flaps", "the subscription active, inactive, active within 3 s",
             [faults.flapping], moment=Moment.OPENING),
)  # fmt: skip
MORE = (
    Scenario("triggerer-frozen", "a triggerer frozen for 60 s", [faults.frozen("triggerer-1")], 60),
    Scenario("worker-frozen", "a worker frozen for 25 s", [faults.frozen("worker-1")], 25),
    Scenario("scheduler-frozen", "a scheduler frozen for 60 s", [faults.frozen("scheduler-1")], 60),
    Scenario("redis-away", "Redis away for 15 s", [faults.redis_away], 15),
    Scenario("postgres-flaps", "PostgreSQL restarted 8 times for 0.5 s",
             [faults.postgres_flapping], moment=Moment.STARTING, expected=ANOTHER_TRY),
    Scenario("api-html", "a page with status 200 for 30 s", [faults.answering(HTML)], 30),
    Scenario("cdn-403", "a CDN's page with status 403 for 30 s", [faults.answering(CDN)], 30),
    Scenario("token-renewed-first", "the new token stored 5 s before the old one is revoked",
             [faults.token_renewed_early], 5, expected=PATIENT),
    Scenario("secrets-away", "connections not found for 57 s", [faults.connections_lost], 57),
    Scenario("dag-changed", "the DAG file changed while the DAG processor is away",
             [faults.dag_changed]),
    Scenario("upgrade-triggerers", f"upgraded from {RELEASE}, triggerers first",
             [faults.replaced(*faults.TRIGGERERS_FIRST)],
             prepare=faults.run_old(RELEASE), expected=POKING_RETRIED),
    Scenario("upgrade-workers", f"upgraded from {RELEASE}, workers first",
             [faults.replaced(*faults.WORKERS_FIRST)],
             prepare=faults.run_old(RELEASE), expected=POKING_RETRIED),
)  # fmt: skip
TRIPLES = (
    Scenario("triple-database", "a triggerer killed, PostgreSQL away for 15 s, and 503",
             [faults.killed("triggerer-1"), faults.postgres_away, faults.answering(UNAVAILABLE)],
             15, expected=ANOTHER_TRY),
    Scenario("triple-broker", "a worker and Redis away for 15 s, and the token revoked",
             [faults.away(WORKERS[0]), faults.redis_away, faults.token_renewed_late], 15,
             expected=POKING_RETRIED),
    Scenario("triple-scheduling", "a scheduler frozen, the API server away for 15 s, and 429",
             [faults.frozen("scheduler-1"), faults.away("api-server"), faults.answering(LATER)],
             15, expected=Expectation(retried=ON_WORKERS, held=True)),
    Scenario("triple-secrets", "connections not found, a triggerer killed, and silence for 30 s",
             [faults.connections_lost, faults.killed("triggerer-2"), faults.answering(SILENT)],
             30, waited=90),
)  # fmt: skip

SETS: dict[str, tuple[Scenario, ...]] = {
    "core": CORE,
    "more": MORE,
    "triples": TRIPLES,
    "all": (*CORE, *MORE, *TRIPLES),
}


def scenario(name: str) -> Scenario:
    """
    The scenario of a name.

    :raises KeyError: if there is none.
    """
    return {each.name: each for each in SETS["all"]}[name]
