"""What can be done to the Airflow of many processes: each fault lasts as long as its block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from airflow_provider_useapi.sandbox import Answer
from tests.distributed.broker import Redis
from tests.distributed.builds import package_of
from tests.distributed.cluster import COMPONENTS, TRIGGERERS, WORKERS
from tests.distributed.plan import dag_of
from tests.distributed.workload import Workload
from tests.system.postgres import PostgresServer

Fault = Callable[[Workload], AbstractContextManager[None]]
NAMES = "UPDATE connection SET conn_id = {} WHERE conn_id LIKE '{}useapi\\_%'"
SETTLE = 5.0
"""Seconds that a component is given to read what has changed."""


def away(*components: str) -> Fault:
    """Components are killed, and come back at the end."""
    return lambda load: load.cluster.without(*components)


def killed(*components: str) -> Fault:
    """Components are killed, and come back only once the gates have ended."""

    @contextmanager
    def fault(load: Workload) -> Iterator[None]:
        load.afterwards.enter_context(load.cluster.without(*components))
        yield

    return fault


def frozen(*components: str) -> Fault:
    """Components stand still, and then go on as if nothing had happened."""
    return lambda load: load.cluster.frozen(*components)


def postgres_away(load: Workload) -> AbstractContextManager[None]:
    """PostgreSQL breaks off, and comes back with what was stored."""
    return _without(load.postgres)


def redis_away(load: Workload) -> AbstractContextManager[None]:
    """Redis is killed, and comes back with what was stored."""
    return _without(load.redis)


@contextmanager
def postgres_flapping(load: Workload) -> Iterator[None]:
    """PostgreSQL is restarted again and again."""
    for _ in range(8):
        load.postgres.stop()
        time.sleep(0.5)
        load.postgres.start()
        time.sleep(3)
    yield


def answering(answer: Answer) -> Fault:
    """The API gives one answer to everything."""
    return lambda load: load.apis.answering(answer)


def refusing(load: Workload) -> AbstractContextManager[None]:
    """The API accepts no TCP connection."""
    return load.apis.refusing()


@contextmanager
def token_renewed_late(load: Workload) -> Iterator[None]:
    """The API takes another token; the connections have it at the end of the fault."""
    _revoke(load)
    try:
        yield
    finally:
        for number in range(load.connections):
            load.store_token(number)


@contextmanager
def token_renewed_early(load: Workload) -> Iterator[None]:
    """The connections have another token; the API takes it at the end of the fault."""
    old = [api.token for api in load.apis.gated]
    _revoke(load)
    for number in range(load.connections):
        load.store_token(number)
    new = [api.token for api in load.apis.gated]
    _take(load, old)
    try:
        yield
    finally:
        _take(load, new)


@contextmanager
def connections_lost(load: Workload) -> Iterator[None]:
    """What keeps the connections does not find them."""
    load.database.tell(NAMES.format("'away_' || conn_id", ""))
    try:
        yield
    finally:
        load.database.tell(NAMES.format("substr(conn_id, 6)", "away\\_"))


@contextmanager
def flapping(load: Workload) -> Iterator[None]:
    """The subscriptions are active for a second, within an interval, and then again."""
    load.apis.set_open(True)
    time.sleep(1)
    load.apis.set_open(False)
    time.sleep(2)
    load.apis.set_open(True)
    yield


@contextmanager
def dag_changed(load: Workload) -> Iterator[None]:
    """The file of the gates is another one when the DAG processor that was killed comes back."""
    file = load.cluster.dags / "gates.py"
    before = file.read_text()
    with load.cluster.without("dag-processor"):
        after = before.replace('"timeout": 3600', '"timeout": 3000').replace(
            "RETRIES = {", 'RETRIES = {"doc_md": "Changed while its gates wait.", '
        )
        file.write_text(after)
    load.afterwards.callback(file.write_text, before)
    load.until(lambda: _is_changed(load), 60)
    yield


def replaced(*order: str) -> Fault:
    """Components run this build of the package instead of an older one, one after the other."""

    @contextmanager
    def fault(load: Workload) -> Iterator[None]:
        for component in order:
            load.cluster.replace(None, component)
        load.cluster.wait_healthy()
        yield

    return fault


def run_old(commit: str) -> Callable[[Workload], None]:
    """Let all components run the package of a commit, before gates begin to wait."""

    def prepare(load: Workload) -> None:
        load.cluster.replace(package_of(commit), *COMPONENTS)
        load.afterwards.callback(load.cluster.restore)
        load.cluster.wait_healthy()

    return prepare


@contextmanager
def worker_killed_twice(load: Workload) -> Iterator[None]:
    """The workers are killed while they end gates, one after the other, and started again."""
    for worker in WORKERS:
        load.until(lambda: _is_resumed(load), 60)
        with load.cluster.without(worker):
            time.sleep(SETTLE)
    yield


TRIGGERERS_FIRST = (*TRIGGERERS, *(name for name in COMPONENTS if name not in TRIGGERERS))
WORKERS_FIRST = tuple(reversed(TRIGGERERS_FIRST))


@contextmanager
def _without(server: PostgresServer | Redis) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def _revoke(load: Workload) -> None:
    _take(load, [f"{api.token}x" for api in load.apis.gated])


def _take(load: Workload, tokens: list[str]) -> None:
    for api, token in zip(load.apis.gated, tokens, strict=True):
        api.token = token


def _is_changed(load: Workload) -> bool:
    """Whether Airflow has stored the changed DAGs."""
    sql = (
        f"SELECT COUNT(*) FROM serialized_dag WHERE dag_id = '{dag_of(0)}'"
        " AND data::text LIKE '%Changed while its gates wait%'"
    )
    return bool(load.database.ask(sql)[0][0])


def _is_resumed(load: Workload) -> bool:
    """Whether a deferred gate is on a worker again."""
    sql = (
        f"SELECT COUNT(*) FROM task_instance WHERE run_id = '{load.run}' AND state = 'running'"
        " AND dag_id LIKE 'gates%' AND next_method IS NOT NULL"
    )
    return bool(load.database.ask(sql)[0][0])
