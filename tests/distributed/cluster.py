"""The Airflow of many processes, each of which can be killed, frozen, kept away and replaced."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.system.stack import GRACE, HOST, LocalAirflow, free_ports, signal_session

ROOT = Path(__file__).resolve().parents[2]
SLOTS = 3
"""Tasks that a worker runs at a time."""
COMPONENTS = (
    "api-server",
    "scheduler-1",
    "scheduler-2",
    "dag-processor",
    "triggerer-1",
    "triggerer-2",
    "worker-1",
    "worker-2",
)
TRIGGERERS, SCHEDULERS, WORKERS = (
    tuple(name for name in COMPONENTS if name.startswith(kind))
    for kind in ("triggerer", "scheduler", "worker")
)
SHORTENED = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": ("40", "300"),
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": ("60", "600"),
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": ("10", "120"),
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": ("30", "300"),
}
"""What is shorter here than Airflow has it, so that a scenario ends within five minutes."""

_RESTART = 3.0
"""Seconds until a component that has ended is started again, as a service manager does."""
_OUTSIDE = 120.0
"""Seconds for all components to be well again."""


class Cluster(LocalAirflow):
    """
    A distributed Airflow that runs while a ``with`` block does.

    A component that ends by itself is started again, and counted in ``restarts``.

    :param folder: a new folder, for all it writes.
    :param database: the URL of an empty PostgreSQL, for SQLAlchemy.
    :param broker: the port of Redis.
    :param env: environment variables for all components.
    """

    def __init__(self, folder: Path, database: str, broker: int, env: Mapping[str, str]) -> None:
        self.dags = folder / "dags"
        shutil.copytree(Path(__file__).parent / "dags", self.dags)
        self._ports = dict(zip(COMPONENTS, free_ports(len(COMPONENTS)), strict=True))
        self._package: dict[str, Path] = {}
        self._lock = threading.RLock()
        self._held: set[str] = set()
        self._logged: dict[str, int] = {}
        self._ending = threading.Event()
        self.restarts: Counter[str] = Counter()
        settings = {
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://{HOST}:{broker}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
            "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "0",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            **{name: value for name, (value, _) in SHORTENED.items()},
            **env,
        }
        super().__init__(folder / "home", self.dags, settings, COMPONENTS, database)

    def start(self) -> None:
        """Start all, and the thread that starts again what ends."""
        super().start()
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        self._at_exit.callback(keeper.join)
        self._at_exit.callback(self._ending.set)

    def stop(self) -> None:
        """End every component and whatever it started."""
        self._ending.set()
        with self._lock:
            for name in self._processes:
                self._signal(name, signal.SIGCONT)
            super().stop()

    def launch(self, component: str) -> None:
        """Start a component, for the first time or again."""
        with self._lock:
            self._held.discard(component)
            if component in self._processes:
                return
            (self.home / f"{component}.pid").unlink(missing_ok=True)  # of one that was killed
            log = self._log_of(component)
            self._logged[component] = log.stat().st_size if log.exists() else 0
            package = self._package.get(component)
            port = str(self._ports[component])
            env = {
                **self._environ,
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": port,
                "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": port,
            }
            if package:
                env["PYTHONPATH"] = os.pathsep.join([str(package), env["PYTHONPATH"]])
            self._processes[component] = self._launch(self._command(component), component, env)

    def kill(self, *components: str) -> None:
        """Kill components and all they started; they stay away until they are launched."""
        with self._lock:
            self._held.update(components)
            for component in components:
                if component in self._processes:
                    super().kill(component)

    @contextmanager
    def without(self, *components: str) -> Iterator[None]:
        """Kill components, and start them again at the end of the block."""
        self.kill(*components)
        try:
            yield
        finally:
            for component in components:
                self.launch(component)

    @contextmanager
    def frozen(self, *components: str) -> Iterator[None]:
        """Stop components and all they started in the middle of whatever they do."""
        for component in components:
            self._signal(component, signal.SIGSTOP)
        try:
            yield
        finally:
            for component in components:
                self._signal(component, signal.SIGCONT)

    def replace(self, package: Path | None, *components: str) -> None:
        """
        Let components run another build of the package: all asked to end, and then started again.

        :param package: the folder that holds it; ``None`` for that of this repository.
        """
        with self._lock:
            self._held.update(components)
            ending = [self._processes[name] for name in components if name in self._processes]
            for process in ending:
                process.terminate()
        deadline = time.monotonic() + GRACE
        while any(each.poll() is None for each in ending) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.kill(*components)
        for name in components:
            if package:
                self._package[name] = package
            else:
                self._package.pop(name, None)
            self.launch(name)

    def restore(self) -> None:
        """Let those that run another build run that of this repository."""
        self.replace(None, *tuple(self._package))

    def wait_healthy(self, timeout: float = _OUTSIDE) -> None:
        """Wait until every kind of component is healthy, and both workers take tasks."""
        kinds = ("metadatabase", "scheduler", "triggerer", "dag_processor")

        def healthy() -> bool:
            health = self.request("GET", "/api/v2/monitor/health")
            return all(health[kind]["status"] == "healthy" for kind in kinds)

        self._until(healthy, timeout, "Not every component is healthy")
        self._until(self._workers_ready, timeout, "Not every worker is ready")
        self.request("GET", "/execution/health")

    def _workers_ready(self) -> bool:
        logs = [
            self._log_of(worker).read_bytes()[self._logged[worker] :]
            for worker in WORKERS
            if worker not in self._held
        ]
        return all(b" ready." in log for log in logs)

    def _check_alive(self) -> None:
        """Nothing to do: what ends is started again."""

    def _command(self, component: str) -> list[str]:
        kind = component.rstrip("-12")
        if kind != "worker":
            return [kind]
        options = ["--concurrency", str(SLOTS), "--celery-hostname", f"{component}@%h"]
        options += ["--pid", str(self.home / f"{component}.pid"), "--without-mingle"]
        return ["celery", "worker", *options, "--without-gossip"]

    def _signal(self, component: str, number: int) -> None:
        with self._lock:
            if process := self._processes.get(component):
                signal_session(process.pid, number)

    def _keep(self) -> None:
        """Start again what has ended by itself."""
        ended: dict[str, float] = {}
        while not self._ending.wait(0.5):
            with self._lock:
                now = time.monotonic()
                for name in COMPONENTS:
                    process = self._processes.get(name)
                    if name in self._held or not process or process.poll() is None:
                        ended.pop(name, None)
                    elif now - ended.setdefault(name, now) >= _RESTART:
                        super().kill(name)  # what it may have left behind
                        self.restarts[name] += 1
                        self.launch(name)
