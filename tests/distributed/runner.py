"""One scenario from its beginning to its judgement."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from sqlalchemy.exc import DBAPIError

from tests.distributed import plan
from tests.distributed.api import apis
from tests.distributed.broker import Redis
from tests.distributed.builds import BUILDS
from tests.distributed.cluster import TRIGGERERS, Cluster
from tests.distributed.database import Database
from tests.distributed.judgement import RECOVERY, Judgement, Looks, Observation, judge
from tests.distributed.scenarios import Moment, Scenario
from tests.distributed.workload import AUDITS, CONTROL, Workload
from tests.system.postgres import PostgresServer
from tests.system.stack import LocalAirflowError

AFTER = 30.0
"""Seconds after a fault in which requests are counted."""
LONGEST = 300.0
"""Seconds that a scenario may take, all of it; more where gates have patience of their own."""
ENDED = 150.0
"""Seconds in which all have to have ended once they are open."""
FOLLOWED = 30.0
"""Seconds from the end of all gates to that of what follows a watcher."""
OPEN = 2.5 * plan.INTERVAL
"""Seconds for which the gates are open at least: a watcher that fires at every look fires again."""


@dataclass(frozen=True)
class Outcome:
    """
    What came of a scenario.

    :param scenario: which.
    :param seen: what was recorded.
    :param judgement: what that amounts to.
    :param seconds: how long it took.
    """

    scenario: Scenario
    seen: Observation
    judgement: Judgement
    seconds: float


@contextmanager
def workload(connections: int) -> Iterator[Workload]:
    """
    A cluster with everything that waits on it, while a ``with`` block runs.

    What it writes stays in ``build/distributed/run`` until the next one: the logs are there.
    """
    with ExitStack() as running:
        folder = BUILDS / "run"
        shutil.rmtree(folder, ignore_errors=True)
        postgres = running.enter_context(PostgresServer(connections=400))
        redis = running.enter_context(Redis(folder / "redis"))
        found = running.enter_context(apis(connections, plan.WATCHED))
        env = {
            plan.CONNECTIONS_VARIABLE: str(connections),
            plan.FOLDER_VARIABLE: str(folder),
            "AIRFLOW_CONN_FS_DEFAULT": "fs://",
        }
        cluster = running.enter_context(Cluster(folder, postgres.url, redis.port, env))
        database = Database(postgres.url)
        database.write_down()
        load = Workload(cluster, postgres, redis, found, database, folder)
        load.store_connections()
        load.unpause()
        load.close()
        yield load


def play(scenario: Scenario, load: Workload) -> Outcome:
    """Let a scenario happen, and judge what came of it."""
    began = time.monotonic()
    try:
        with ExitStack() as load.afterwards:
            if scenario.prepare:
                scenario.prepare(load)
            seen = _observe(scenario, load)
        load.cluster.wait_healthy()
        judgement = judge(seen, scenario.expected)
    except (LocalAirflowError, OSError, DBAPIError) as error:  # the next one may do better
        load.close()
        seen = Observation(gates=(), tried=plan.modes(load.connections), opened=0.0)
        judgement = Judgement((), [f"broken off: {type(error).__name__}: {error}"])
    seconds = time.monotonic() - began
    longest = LONGEST + scenario.expected.patience
    if seconds > longest:
        late = f"took {seconds:.0f} s, longer than {longest:.0f} s"
        judgement = replace(judgement, faults=[*judgement.faults, late])
    return Outcome(scenario, seen, judgement, seconds)


def _observe(scenario: Scenario, load: Workload) -> Observation:
    start, patience = time.time(), scenario.expected.patience
    load.begin()
    opened, waited = 0.0, True
    if scenario.moment is not Moment.STARTING:
        waited = load.wait_waiting()
        time.sleep(max(0.0, start + scenario.waited - time.time()))
        load.audit()
    if scenario.moment is Moment.OPENING:
        opened = load.open()
    first = time.time()
    with ExitStack() as bad:
        for fault in scenario.faults:
            bad.enter_context(fault(load))
        time.sleep(scenario.seconds)
    last = time.time()
    recovery: float | None = 0.0
    if scenario.moment is Moment.STARTING:
        load.until(load.audit, RECOVERY)
        waited = load.wait_waiting()
    if scenario.moment is not Moment.OPENING:
        recovery = load.wait_recovered(last, RECOVERY + patience + 30)
        time.sleep(max(0.0, last + AFTER - time.time()))
        opened = load.open()
    load.wait_ended(ENDED + patience)
    windows = scenario.moment is Moment.WAITING
    spell = 0.0 if scenario.expected.held else last - first
    load.wait_followed(start, scenario.expected.edges[0], FOLLOWED)
    time.sleep(max(0.0, opened + OPEN - time.time()))
    load.close()
    numbers = range(load.connections)
    watched = range(min(plan.WATCHED, load.connections))
    return Observation(
        gates=load.gates(),
        tried=plan.modes(load.connections),
        opened=opened,
        control=load.others(CONTROL),
        audits=load.others(AUDITS),
        during=[_looks(load, n, first, last, spell) for n in numbers] if windows else (),
        after=[_looks(load, n, last, last + AFTER, AFTER) for n in numbers] if windows else (),
        recovery=recovery,
        events=[load.database.events(n, start) for n in watched],
        followers=[load.database.followers(n, start) for n in watched],
        waited=waited,
    )


def _looks(load: Workload, number: int, begin: float, end: float, seconds: float) -> Looks:
    """What was made between two moments, and what is allowed in so many seconds."""
    made = load.apis.looks(number, begin, end)
    return Looks(made, plan.allowed_looks(number, seconds, len(TRIGGERERS)))
