"""What became of each task instance: every change of its state, written down by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

TERMINAL = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})

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
SELECT dag_id, run_id, task_id, map_index, moment, try_number, state FROM state_change
WHERE run_id = :run ORDER BY number
"""
_INSTANCES = """
SELECT dag_id, task_id, map_index, state, try_number FROM task_instance WHERE run_id = :run
"""
_RESULTS = """
SELECT dag_id, task_id, map_index FROM xcom WHERE run_id = :run AND key = 'return_value'
"""


@dataclass(frozen=True)
class Change:
    """
    A new state.

    :param moment: when, in seconds since the epoch, on the clock of the database.
    :param try_number: of the task instance.
    :param state: Airflow's word; ``None`` before it is scheduled.
    """

    moment: float
    try_number: int
    state: str | None


@dataclass(frozen=True)
class Instance:
    """
    What became of a task instance.

    :param dag_id: its DAG.
    :param task_id: its task.
    :param map_index: -1 if it is not mapped.
    :param state: its state now.
    :param try_number: of its last try.
    :param has_result: whether it has pushed what it returned.
    :param changes: its states, in order.
    """

    dag_id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int
    has_result: bool = False
    changes: Sequence[Change] = field(default=(), repr=False)

    @property
    def has_ended(self) -> bool:
        """Whether Airflow does nothing more about it."""
        return self.state in TERMINAL

    @property
    def successes(self) -> list[float]:
        """When it succeeded, in seconds since the epoch; once, if all is well."""
        return [change.moment for change in self.changes if change.state == "success"]


def install(engine: Engine) -> None:
    """Let the database write down from now on."""
    with engine.begin() as connection:
        connection.execute(text(_INSTALL))


def read(engine: Engine, run_id: str) -> list[Instance]:
    """The task instances of all DAG runs that have this id."""
    changes: dict[tuple[str, str, int], list[Change]] = {}
    with engine.connect() as connection:
        for dag, _, task, index, *change in connection.execute(text(_CHANGES), {"run": run_id}):
            changes.setdefault((dag, task, index), []).append(Change(*change))
        results = {tuple(row) for row in connection.execute(text(_RESULTS), {"run": run_id})}
        found: list[Instance] = []
        for dag, task, index, state, number in connection.execute(
            text(_INSTANCES), {"run": run_id}
        ):
            key = (dag, task, index)
            seen = tuple(changes.get(key, ()))
            found.append(Instance(*key, state, number, key in results, seen))
        return found
