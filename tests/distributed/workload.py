"""What waits on the Airflow of many processes: gates, watchers, audits and the control group."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError, URLError

from sqlalchemy.exc import DBAPIError

from tests.distributed import plan
from tests.distributed.api import Apis
from tests.distributed.broker import Redis
from tests.distributed.cluster import Cluster
from tests.distributed.database import Database
from tests.distributed.states import Instance
from tests.system.postgres import PostgresServer

Result = TypeVar("Result")

BEGIN, PAUSE = 150.0, 1.0
"""Seconds until all gates wait; between two looks."""
CONTROL, AUDITS = "control", "audits"


@dataclass
class Workload:
    """
    A running cluster, the stand-ins that its gates ask, and the servers it needs.

    :param cluster: the Airflow.
    :param postgres: its database.
    :param redis: its broker.
    :param apis: what stands in for useapi.net.
    :param database: the harness's own way into that database.
    :param folder: where the control group looks for its file.
    :param run: the id of the DAG runs of the scenario.
    :param afterwards: what is undone at the end of the scenario.
    :param closed: when the subscriptions became inactive, on the monotonic clock.
    """

    cluster: Cluster
    postgres: PostgresServer
    redis: Redis
    apis: Apis
    database: Database
    folder: Path
    run: str = ""
    afterwards: ExitStack = field(default_factory=ExitStack)
    closed: float = 0.0

    @property
    def connections(self) -> int:
        """How many have gates."""
        return len(self.apis.gated)

    def store_connections(self) -> None:
        """Write the connections of all stand-ins into Airflow's database."""
        for number in range(self.connections):
            self.store_token(number)
        for number, api in enumerate(self.apis.audited):
            self._store(plan.audited_id(number), api.url, api.token)

    def store_token(self, number: int) -> None:
        """Write the connection of a stand-in with the token that it takes now."""
        api = self.apis.gated[number]
        self._store(plan.connection_id(number), api.url, api.token)

    def unpause(self) -> None:
        """Let every DAG run."""
        for dag in self._dags():
            self.cluster.unpause(dag, timeout=120.0)

    def close(self) -> None:
        """Make every subscription inactive."""
        self.apis.set_open(False)
        (self.folder / "open").unlink(missing_ok=True)
        self.closed = time.monotonic()

    def begin(self) -> None:
        """
        Start a run of everything, while every gate is closed.

        A watcher has looked since: a gate that joins it takes a look that is younger than the
        interval.
        """
        time.sleep(max(0.0, self.closed + 1.5 * plan.INTERVAL - time.monotonic()))
        self.run = f"run_{uuid.uuid4().hex[:8]}"
        for number in range(self.connections):
            self._start(plan.dag_of(number))
        self._start(CONTROL)

    def audit(self) -> bool:
        """Start a run of the audits; always true."""
        self._start(AUDITS)
        return True

    def wait_waiting(self) -> bool:
        """
        Wait until every gate waits, in its own way, and its connection has been asked.

        :return: whether that was so in time; not if one has ended.
        """
        began = time.time()

        def settled() -> bool:
            gates = self.gates()
            if any(gate.has_ended for gate in gates):
                return True
            waiting = [gate for gate in gates if self._waits(gate)]
            everybody = len(waiting) == self._tasks
            return everybody and self.database.all_taken_up(began) and self._all_asked(began)

        return self.comes(settled, BEGIN) and not any(gate.has_ended for gate in self.gates())

    def wait_recovered(self, since: float, timeout: float) -> float | None:
        """
        Wait until a live triggerer has every trigger, and the API has answered on each connection.

        :param since: seconds since the epoch.
        :return: how many seconds after ``since`` that was so, ``None`` if it never was.
        """
        recovered = self.comes(
            lambda: self.database.all_taken_up(since) and self._all_asked(since), timeout
        )
        return time.time() - since if recovered else None

    def open(self) -> float:
        """Make every subscription active, and return when, in seconds since the epoch."""
        moment = time.time()
        self.apis.set_open(True)
        (self.folder / "open").touch()
        return moment

    def wait_ended(self, timeout: float) -> bool:
        """Wait until every task of the scenario has ended; whether that was so in time."""

        def ended() -> bool:
            found = self.database.instances(self.run)
            return len(found) >= self._tasks and all(each.has_ended for each in found)

        return self.comes(ended, timeout)

    def wait_followed(self, since: float, edges: int, timeout: float) -> bool:
        """Wait until each watcher has fired that often, and all runs that follow have ended."""

        def followed() -> bool:
            numbers = range(min(plan.WATCHED, self.connections))
            events = [self.database.events(number, since) for number in numbers]
            runs = [self.database.followers(number, since) for number in numbers]
            return min(events) >= edges and events == runs

        return self.comes(followed, timeout)

    def gates(self) -> list[Instance]:
        """The task instances of the gates of the scenario."""
        found = self.database.instances(self.run)
        return [each for each in found if each.dag_id.startswith("gates_")]

    def others(self, dag_id: str) -> list[Instance]:
        """The task instances of another DAG."""
        return [each for each in self.database.instances(self.run) if each.dag_id == dag_id]

    def comes(self, ask: Callable[[], bool], timeout: float) -> bool:
        """Ask until the answer is true; whether it is in time."""
        try:
            return self.until(ask, timeout)
        except TimeoutError:
            return False

    def until(self, ask: Callable[[], Result], timeout: float) -> Result:
        """
        Ask until the answer is true; a server that is away has not answered.

        :raises TimeoutError: if it never is.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                if result := ask():
                    return result
            except (DBAPIError, HTTPError, URLError, ConnectionError, TimeoutError):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout:.0f} s")
            time.sleep(PAUSE)

    @property
    def _tasks(self) -> int:
        return sum(plan.modes(self.connections).values())

    def _dags(self) -> Iterator[str]:
        for number in range(self.connections):
            yield plan.dag_of(number)
        for number in range(min(plan.WATCHED, self.connections)):
            yield f"follows_{number:02}"
        yield from (CONTROL, AUDITS)

    def _start(self, dag: str) -> None:
        body = {"logical_date": None, "dag_run_id": self.run}
        self.cluster.request("POST", f"/api/v2/dags/{dag}/dagRuns", body)

    def _store(self, name: str, host: str, token: str) -> None:
        body = {
            "connection_id": name,
            "conn_type": "useapi",
            "host": host,
            "password": token,
            "extra": json.dumps({"timeout": 5}),
        }
        try:
            self.cluster.request("PATCH", f"/api/v2/connections/{name}", body)
        except HTTPError as error:
            if error.code != 404:
                raise
            self.cluster.request("POST", "/api/v2/connections", body)

    def _waits(self, gate: Instance) -> bool:
        match plan.mode_of(gate.task_id):
            case plan.Mode.RESCHEDULED:
                return gate.state == "up_for_reschedule"
            case plan.Mode.POKING:
                return gate.state == "running"
            case _:
                return gate.state == "deferred"

    def _all_asked(self, since: float) -> bool:
        numbers = range(self.connections)
        return all(self.apis.answered_since(number, since) for number in numbers)
