"""Airflow's database as the scenarios see it; it writes down each state of each task itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import NullPool, create_engine, text

from tests.distributed.plan import asset_of
from tests.distributed.states import Change, Instance

_INSTALL = """
CREATE TABLE state_change (
    number bigserial PRIMARY KEY,
    moment double precision NOT NULL DEFAULT extract(epoch FROM clock_timestamp()),
    dag_id text, run_id text, task_id text, map_index int, try_number int, state text
);
CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO state_change (dag_id, run_id, task_id, map_index, try_number, state)
    VALUES (NEW.dag_id, NEW.run_id, NEW.task_id, NEW.map_index, NEW.try_number, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER made AFTER INSERT ON task_instance
    FOR EACH ROW EXECUTE FUNCTION write_down();
CREATE TRIGGER changed AFTER UPDATE ON task_instance
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.try_number <> NEW.try_number)
    EXECUTE FUNCTION write_down();
"""
_CHANGES = """
SELECT dag_id, task_id, map_index, moment, try_number, state FROM state_change
WHERE run_id = :run ORDER BY number
"""
_INSTANCES = """
SELECT dag_id, task_id, map_index, state, try_number FROM task_instance WHERE run_id = :run
"""
_RESULTS = """
SELECT dag_id, task_id, map_index FROM xcom WHERE run_id = :run AND key = 'return_value'
"""
_ORPHANS = """
SELECT COUNT(*) FROM trigger LEFT JOIN job ON job.id = trigger.triggerer_id
WHERE job.id IS NULL OR job.state <> 'running' OR extract(epoch FROM job.latest_heartbeat) < :since
"""
_EVENTS = """
SELECT COUNT(*) FROM asset_event JOIN asset ON asset.id = asset_id
WHERE asset.name = :name AND extract(epoch FROM timestamp) >= :since
"""
_FOLLOWERS = """
SELECT COUNT(*) FROM dag_run
WHERE dag_id = :name AND state = 'success' AND extract(epoch FROM queued_at) >= :since
"""


class Database:
    """
    A way into it beside Airflow's own, with a new TCP connection for each question.

    :param url: for SQLAlchemy.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)

    def write_down(self) -> None:
        """Let it write down each state from now on."""
        self.tell(_INSTALL)

    def ask(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows that a statement finds."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def tell(self, sql: str) -> None:
        """Carry out statements that change something."""
        with self._engine.begin() as connection:
            connection.execute(text(sql))

    def instances(self, run_id: str) -> list[Instance]:
        """The task instances of all DAG runs that have this id."""
        changes: dict[tuple[str, str, int], list[Change]] = {}
        for dag, task, index, *change in self.ask(_CHANGES, run=run_id):
            changes.setdefault((dag, task, index), []).append(Change(*change))
        results = set(self.ask(_RESULTS, run=run_id))
        found: list[Instance] = []
        for dag, task, index, state, number in self.ask(_INSTANCES, run=run_id):
            key = (dag, task, index)
            seen = tuple(changes.get(key, ()))
            found.append(Instance(*key, state, number, key in results, seen))
        return found

    def all_taken_up(self, since: float) -> bool:
        """
        Whether each trigger is with a triggerer that has been heard of.

        :param since: from this moment on, in seconds since the epoch; so in what follows.
        """
        return self._count(_ORPHANS, since=since) == 0

    def events(self, connection: int, since: float) -> int:
        """How often the watcher of a connection has fired."""
        return self._count(_EVENTS, name=asset_of(connection), since=since)

    def followers(self, connection: int, since: float) -> int:
        """How many runs have followed it and succeeded."""
        return self._count(_FOLLOWERS, name=f"follows_{connection:02}", since=since)

    def _count(self, sql: str, **values: object) -> int:
        return int(self.ask(sql, **values)[0][0])
