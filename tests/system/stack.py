"""
A local Airflow as it runs in production: every component a process of its own, on loopback.

The demo and the system tests run on it: ``dag.test()`` shows neither what a scheduler does with a
rescheduled task, nor which of its tries comes next, nor what ends up in the logs.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

Result = TypeVar("Result")

HOST = "127.0.0.1"
START_UP, GRACE = 180.0, 15.0
"""Seconds for all components to become healthy, and for all of them to end."""
CONN = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
PAUSE = 0.5
"""Seconds between two looks at what is waited for."""
LOCKED, LOCKED_OUT = 60, 4
"""Seconds to wait for a locked SQLite: for all components, and for the API server."""
ANSWERED = 60.0
"""Seconds after which the REST API has to answer with something else than an internal error."""


class LocalAirflowError(RuntimeError):
    """The local Airflow does not do what was asked of it."""


class LocalAirflow:
    """
    An Airflow that runs while a ``with`` block does.

    The migrated database stays in ``home``: the next start there takes less time.

    :param home: the Airflow home; created when missing.
    :param dags: the folder of the DAGs.
    :param env: environment variables for all components; they override the ones set here. Of the
        caller's own environment, whatever starts with ``AIRFLOW`` is left out.
    :param components: the ``airflow`` commands to keep running.
    :param database: SQLAlchemy's URL of an empty database; SQLite in ``home`` when not given.
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        env: Mapping[str, str] = MappingProxyType({}),
        components: Sequence[str] = ("api-server", "scheduler", "dag-processor"),
        database: str | None = None,
    ) -> None:
        self.home = home.resolve()
        self.logs = self.home / "logs"
        self._dags = dags.resolve()
        self._env = {CONN: database, **env} if database else env
        self._components = components
        self._port, *self._log_ports = free_ports(3)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._at_exit = ExitStack()
        self._open = build_opener(ProxyHandler({})).open  # without proxies, whoever sets them
        self._token = ""
        self._environ: Mapping[str, str] = {}
        self._started = datetime.now(UTC)

    @property
    def url(self) -> str:
        """Where the UI and the REST API are."""
        return f"http://{HOST}:{self._port}"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every component and wait until all are healthy; end with :meth:`stop`, always."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._take_home()
        for number in (signal.SIGTERM, signal.SIGHUP):  # they would leave the components behind
            before = signal.signal(number, lambda number, _: sys.exit(128 + number))
            self._at_exit.callback(signal.signal, number, before)
        env = self._migrate()
        self._environ = env
        for component in self._components:
            self.launch(component)
        self.wait_healthy()

    def launch(self, component: str) -> None:
        """Start a component, for the first time or after :meth:`kill`."""
        env = dict(self._environ)
        if component == "api-server":
            # It can lock itself out of SQLite. A worker asks again for what was refused; but after
            # five seconds without an answer it also asks again for what may yet be done.
            env[CONN] = env[CONN].replace(f"?timeout={LOCKED}", f"?timeout={LOCKED_OUT}")
        self._processes[component] = self._launch([component], component, env)

    def command(self, *line: str) -> subprocess.Popen[str]:
        """Start a command of this Airflow; the caller reads what it prints, and waits for it."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("airflow"), *line],
            cwd=self.home,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kill(self, component: str) -> None:
        """End a component as a crash of its machine does: at once, with all that it started."""
        process = self._processes[component]  # it is known until it is gone: a Ctrl-C may come
        signal_session(process.pid, signal.SIGKILL)
        process.wait()
        del self._processes[component]

    def stop(self) -> None:
        """End every component and whatever it started; harmless if there is none."""
        try:
            for process in self._processes.values():
                process.terminate()
            deadline = time.monotonic() + GRACE
            for process in self._processes.values():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
        finally:
            for process in self._processes.values():
                signal_session(process.pid, signal.SIGKILL)
                process.wait()
            self._processes.clear()
            self._at_exit.close()

    def wait_healthy(self, timeout: float = START_UP) -> None:
        """Wait until every component reports that it is healthy."""
        names = {name.replace("-", "_") for name in self._components} - {"api_server"}

        def healthy() -> bool:
            health = self.request("GET", "/api/v2/monitor/health")
            return all(health[name]["status"] == "healthy" for name in names)

        self._until(healthy, timeout, "Not every component is healthy")
        # What serves the tasks is built on its first request: not at the expense of a task.
        self.request("GET", "/execution/health")

    def unpause(self, dag_id: str, timeout: float = 60.0) -> None:
        """Let a DAG run, as soon as its file, as it is now, has been read."""
        path = f"/api/v2/dags/{_quoted(dag_id)}"

        def known() -> bool:
            for error in self.request("GET", "/api/v2/importErrors")["import_errors"]:
                if self._is_new(error["timestamp"]):
                    raise LocalAirflowError(f"{error['filename']}: {error['stack_trace']}")
            dag = {"last_parsed_time": None}
            with _suppress_not_found():
                dag = self.request("GET", path)
            return self._is_new(dag["last_parsed_time"])

        self._until(known, timeout, f"There is no DAG {dag_id!r}")
        self.request("PATCH", path, {"is_paused": False})

    def trigger(
        self,
        dag_id: str,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
    ) -> str:
        """Start a run of a DAG and return its id."""
        moment = logical_date and logical_date.isoformat()
        body = {"logical_date": moment, "conf": dict(conf or {})}
        run = self.request("POST", f"/api/v2/dags/{_quoted(dag_id)}/dagRuns", body)
        return str(run["dag_run_id"])

    def wait_for(
        self,
        dag_id: str,
        run_id: str,
        timeout: float,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> str:
        """
        Wait for the end of a run and return its state.

        :param meanwhile: called after each look, so at least once after the end.
        """

        def ended() -> str:
            state = str(self.request("GET", _run(dag_id, run_id))["state"])
            meanwhile()
            return state if state in ("success", "failed") else ""

        return self._until(ended, timeout, f"The run {run_id!r} of {dag_id!r} has not ended")

    def wait_until(self, ask: Callable[[], Result], timeout: float, pause: float = PAUSE) -> Result:
        """Ask until the answer is true, and return it."""
        return self._until(ask, timeout, "What was waited for has not come", pause)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, as the REST API tells of them."""
        tasks: list[dict[str, Any]] = []
        while True:
            options = urlencode({"limit": 100, "offset": len(tasks), "order_by": "id"})
            found = self.request("GET", f"{_run(dag_id, run_id)}/taskInstances?{options}")
            tasks += found["task_instances"]
            if len(tasks) >= found["total_entries"]:
                return tasks

    def log(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        try_number: int,
        map_index: int = -1,
        logger: str = "",
    ) -> list[str]:
        """
        The log of a try in lines of plain text, with exceptions; empty before it starts.

        :param logger: only what loggers say that have this in their name.
        """
        lines: list[str] = []
        for entry in self.log_entries(dag_id, run_id, task_id, try_number, map_index):
            if logger in entry.get("logger", ""):
                lines += entry["event"].splitlines()
                lines += [entry["reason"]] if "reason" in entry else []  # of a skip
                for error in entry.get("error_detail") or ():
                    lines.append(f"{error['exc_type']}: {error['exc_value']}")
        return lines

    def log_entries(
        self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1
    ) -> list[dict[str, Any]]:
        """The log of a try as the REST API tells it; empty before it starts."""
        options = urlencode({"map_index": map_index, "full_content": "true"})
        path = f"{_run(dag_id, run_id)}/taskInstances/{_quoted(task_id)}/logs/{try_number}"
        entries: list[dict[str, Any]] = []
        with _suppress_not_found():
            entries += self.request("GET", f"{path}?{options}")["content"]
        return entries

    def xcom(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        key: str = "return_value",
        map_index: int = -1,
    ) -> Any:
        """The value of an XCom."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{_quoted(task_id)}/xcomEntries/{_quoted(key)}"
        return self.request("GET", f"{path}?map_index={map_index}")["value"]

    def request(self, method: str, path: str, body: object = None) -> Any:
        """
        Ask the REST API.

        :return: the JSON of the answer, ``None`` if it has none.
        :raises HTTPError: if the answer is an error; what it says is in a note.
        """
        if not self._token:
            self._token = self.log_in()
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        question = Request(self.url + path, data, headers, method=method)
        deadline = time.monotonic() + ANSWERED
        while True:
            try:
                with self._open(question, timeout=30) as answer:
                    return json.loads(answer.read() or b"null")
            except HTTPError as error:
                with error:
                    error.add_note(f"{method} {path}: {error.read().decode(errors='replace')}")
                # An API server on SQLite locks itself out at times, as it writes for tasks, too.
                # That of Airflow 3.3 fails to show an event while a run that follows it is queued.
                late = time.monotonic() > deadline
                if error.code != HTTPStatus.INTERNAL_SERVER_ERROR or late:
                    raise
            time.sleep(PAUSE)

    def log_in(self) -> str:
        """The token of a session. Whoever asks for one is an admin here."""
        with self._open(f"{self.url}/auth/token", timeout=30) as answer:
            return str(json.load(answer)["access_token"])

    @property
    def database(self) -> str:
        """The URL of the database, for SQLAlchemy."""
        return self._environ[CONN]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def _until(
        self, ask: Callable[[], Result], timeout: float, otherwise: str, pause: float = PAUSE
    ) -> Result:
        """Ask until the answer is true, as long as every component lives."""
        deadline = time.monotonic() + timeout
        while True:
            self._check_alive()
            try:
                if result := ask():
                    return result
            except HTTPError:
                raise
            except (URLError, ConnectionError, TimeoutError):
                pass  # the API server is starting, or busy
            if time.monotonic() > deadline:
                raise LocalAirflowError(f"{otherwise} after {timeout:g} s; see {self.logs}.")
            time.sleep(pause)

    def _check_alive(self) -> None:
        """Give up once a component has ended."""
        for component, process in self._processes.items():
            if process.poll() is not None:
                raise self._failed(component, process.returncode)

    def _is_new(self, moment: str | None) -> bool:
        """Whether something in the database is of this start, and not of an earlier one."""
        return moment is not None and datetime.fromisoformat(moment) >= self._started

    def _launch(
        self, command: Sequence[str], name: str, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a command of the Airflow beside this interpreter; its output becomes a log."""
        airflow = Path(sys.executable).with_name("airflow")
        with self._log_of(name).open("ab") as log:
            return subprocess.Popen(
                [airflow, *command],
                cwd=self.home,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the caller, who then ends it in order
            )

    def _log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _failed(self, name: str, code: int) -> LocalAirflowError:
        tail = "\n".join(self._log_of(name).read_text(errors="replace").splitlines()[-30:])
        return LocalAirflowError(f"airflow {name} ended with exit code {code}:\n{tail}")

    def _take_home(self) -> None:
        """Refuse a home on which another Airflow runs: both would run the same tasks."""
        lock = self._at_exit.enter_context((self.home / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalAirflowError(f"Another Airflow is running on {self.home}.") from None

    def _migrate(self) -> dict[str, str]:
        """Make the database, unless there is one of this release; return the environment."""
        release, note = version("apache-airflow"), self.home / "migrated.json"
        made = json.loads(note.read_text()) if note.exists() else {}
        if made.get("release") == release:
            return self._environment(made["secret"])
        note.unlink(missing_ok=True)
        for database in self.home.glob("airflow.db*"):
            database.unlink()
        # A key for Fernet, and as good for whatever else needs a secret.
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        env = self._environment(secret)
        self._processes["migrate"] = self._launch(["db", "migrate"], "migrate", env)
        if code := self._processes["migrate"].wait():
            raise self._failed("migrate", code)
        del self._processes["migrate"]
        with closing(sqlite3.connect(self.home / "airflow.db")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # readers do not wait for a writer
        note.write_text(json.dumps({"release": release, "secret": secret}))
        return env

    def _environment(self, secret: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
        worker_log_port, trigger_log_port = map(str, self._log_ports)
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), HOST, "localhost"]))
        return {
            **inherited,
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._dags),
            # Not the five seconds of old: a locked database ends a triggerer.
            CONN: f"sqlite:///{self.home}/airflow.db?timeout={LOCKED}",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # A supervisor that misses the end of its task looks again after so many seconds.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__CORE__FERNET_KEY": secret,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": secret,
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": worker_log_port,
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_log_port,
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            **self._env,
        }


def free_ports(count: int) -> list[int]:
    """As many ports that nobody listens on."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in taken]


def signal_session(leader: int, number: int) -> None:
    """Signal what is left of a session. Its group is not enough: every task has one of its own."""
    with suppress(ProcessLookupError):
        os.killpg(leader, number)
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == leader:
                os.kill(int(entry.name), number)


@contextmanager
def _suppress_not_found() -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise


def _run(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{_quoted(dag_id)}/dagRuns/{_quoted(run_id)}"


def _quoted(text: str) -> str:
    return quote(text, safe="")
