"""
What a triggerer asks its database while 1000 triggers wait: statements, as PostgreSQL logs them.

All that Airflow's supervisor asks in a turn, it asks again whenever the triggers send it a message.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from benchmarks.contenders import INTERVAL, OURS, Contender, sleepers
from benchmarks.report import Table
from benchmarks.server import Server
from benchmarks.triggerer import ROOM, Triggerer
from tests.system.postgres import postgres

GATES = 1000
SECONDS = 60.0

_TURN = "SELECT count(trigger.id)"
_ID = "useapi_default"
_FANNED_OUT = Contender(
    "fanned-out poll", "benchmarks.fanned_out.FannedOutTrigger", {"conn_id": _ID}
)
_READING = replace(
    _FANNED_OUT,
    name="fanned-out poll that reads its connection",
    kwargs={"conn_id": _ID, "reads_again": True},
)


_NOTE = (
    f"All look every {INTERVAL:g} s at a connection with an extra, and were watched for"
    f" {SECONDS:g} s each. Statements as PostgreSQL logs them, with `BEGIN`, `COMMIT` and the"
    " `SELECT 1` that sees whether a connection to it still lives. The fanned-out poll is one for"
    " all triggers on a shared stream of Airflow's; it reads its connection once where nothing else"
    " is said."
)


@dataclass(frozen=True)
class Case:
    """
    Triggers that wait.

    :param is_stored: whether their connection is in the database, and not in the environment.
    """

    contender: Contender
    is_stored: bool
    gates: int = GATES


CASES = (
    Case(sleepers("2100-01-01T00:00:00+00:00"), is_stored=False),
    *(Case(contender, is_stored=False) for contender in (_FANNED_OUT, _READING, OURS)),
    *(Case(contender, is_stored=True) for contender in (_READING, OURS)),
    Case(OURS, is_stored=True, gates=100),
)


class StatementLog:
    """
    The log of a server, with every statement.

    :param database: URL of a database of that server.
    """

    def __init__(self, database: str) -> None:
        engine = create_engine(database, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("ALTER SYSTEM SET log_statement = 'all'"))
            connection.execute(text("ALTER SYSTEM SET log_line_prefix = ''"))
            connection.execute(text("SELECT pg_reload_conf()"))
            data = connection.execute(text("SHOW data_directory")).scalar_one()
        self._path = Path(data).with_name("log")
        self._offset = 0

    def take(self) -> list[str]:
        """The beginning of each statement since the last time."""
        with self._path.open() as file:
            file.seek(self._offset)
            lines = file.read().splitlines()
            self._offset = file.tell()
        begin = "LOG:  statement: "
        return [line.removeprefix(begin) for line in lines if line.startswith(begin)]


def statements() -> Table:
    """Ours, a poll of one's own, and triggers that ask nobody."""
    table = Table(
        (
            "trigger",
            "its connection is in",
            "gates",
            "turns of the supervisor a minute",
            "SQL statements a minute",
        )
    )
    for case in CASES:
        turns, found = _count(case)
        table.add(
            case.contender.name,
            ("the database" if case.is_stored else "the environment"),
            case.gates,
            turns,
            found,
        )
    table.notes.append(_NOTE)
    return table


def _count(case: Case) -> tuple[float, float]:
    """Turns and statements a minute."""
    with ExitStack() as running:
        server = running.enter_context(Server())
        database = running.enter_context(postgres())
        ours = {_ID: server.connection_uri(timeout=20)}
        environment = {} if case.is_stored else {f"AIRFLOW_CONN_{_ID.upper()}": ours[_ID]}
        triggerer = running.enter_context(Triggerer(environment, case.gates + ROOM, database))
        if case.is_stored:
            triggerer.define(ours)
        triggerer.seed(case.contender, case.gates)
        triggerer.wait_taken_up(case.gates)
        time.sleep(2 * INTERVAL)
        log = StatementLog(database)
        time.sleep(1)
        log.take(), server.take()
        time.sleep(SECONDS)
        found, seen = log.take(), server.take()
        looks = SECONDS / INTERVAL if case.contender.name != CASES[0].contender.name else 0
        if abs(len(seen.times) - looks) > 2:
            raise RuntimeError(f"{len(seen.times)} requests instead of {looks:g}")
        triggerer.check_waiting(case.gates)
        turns = sum(1 for each in found if each.startswith(_TURN))
        return turns * 60 / SECONDS, len(found) * 60 / SECONDS
