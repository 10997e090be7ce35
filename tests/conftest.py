"""An Airflow home of its own for every test run, set before anything imports Airflow."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from airflow_provider_useapi.sandbox import Sandbox
    from tests.helpers.clock import MovableClock

# A busy machine is slow; that is no finding.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

ROOT = Path(__file__).parent.parent
HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))

_LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    # Without it Airflow 2.11 warns of itself.
    AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY="True",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "tests" / "dags"),
    # Airflow 3 runs only DAGs of a configured bundle, also in dag.test().
    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps(
        [
            {"name": name, "classpath": _LOCAL_BUNDLE, "kwargs": {"path": str(ROOT / folder)}}
            for name, folder in (("tests", "tests/dags"), ("examples", "dags_examples"))
        ]
    ),
)
for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[variable]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what imports and the collection have made: it stays anyway."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str | tuple[str, dict[str, Any]]:
    """Asynchronous tests run on asyncio, as a triggerer does; with ``clock``, on a loop of it."""
    if "clock" not in request.fixturenames:
        return "asyncio"
    movable: MovableClock = request.getfixturevalue("clock")
    return "asyncio", {"loop_factory": movable.new_loop}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MovableClock]:
    """A clock that the test moves; without it, a test waits in real seconds."""
    from tests.helpers.clock import moved

    with moved(monkeypatch) as movable:
        yield movable


@pytest.fixture
def airflow_clock(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """A clock that Airflow's own sensor and ``dag.test()`` move whenever they wait."""
    from tests.helpers.clock import move_airflow

    move_airflow(monkeypatch, clock)
    return clock


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox to which the connection ``useapi_default`` leads, with one attempt a call."""
    from airflow_provider_useapi.sandbox import Sandbox

    with Sandbox() as running:
        connection = running.connection_json(max_attempts=1, timeout=10)
        monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", connection)
        yield running


@pytest.fixture(scope="session")
def airflow_db(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A migrated metadata database, for tests that run DAGs; migrated once for all processes."""
    folder = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    migrated = (folder.parent if is_worker else folder) / "migrated.db"
    with migrated.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if migrated.exists():
            shutil.copy(migrated, HOME / "airflow.db")
            return
        command = [Path(sys.executable).parent / "airflow", "db", "migrate"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        shutil.copy(HOME / "airflow.db", migrated)
