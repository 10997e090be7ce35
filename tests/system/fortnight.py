"""
A fortnight of three accounts on a local Airflow, to look at: one where a linked account breaks on
day 4 and a service comes on day 9, one whose subscription lapses for two days, one that is well.

``make airflow`` shows it, the browser tests read it, and the pictures in ``docs`` are of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow_provider_useapi.sandbox import Sandbox

from .history import ROOT, Day, Script, happen, live, quiet
from .stack import LocalAirflow

DAYS = 14
AUDIT, PIPELINE = "nightly_audit", "video_pipeline"
GATES = {
    "wait_for_kling": "deferred",
    "wait_for_slots": "deferred",
    "wait_for_studio": "up_for_reschedule",
}
"""The gates that wait in the end, and how."""
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
CONNECTIONS = ("useapi_default", "useapi_studio", "useapi_team")

_BROKEN = {"health": "Session expired"}
_MENDED = {"health": "OK"}


def script(today: datetime) -> Script:
    """
    What happens on which day.

    :param today: the last one.
    """
    renewed = f"{today - timedelta(days=DAYS + 4):%y%m%d}"
    account = {"maxAccountsPerAPI": 3, "subscriptions": 1, "sub": renewed}
    return {
        1: {
            "useapi_default": {
                "account": account,
                "kling": {
                    "factory.01.main@mail.example.com": {"credits": 5200},
                    "factory.02.main@mail.example.com": {"credits": 2400},
                    "studio1@mail.example.com": {"credits": 900},
                },
                "minimax": {"33445561": {}, "33445562": {}},
                "runwayml": {"studio1@mail.example.com": {"credits": 1200}},
            },
            "useapi_studio": {
                "account": account,
                "kling": {"studio7@mail.example.com": {"credits": 3100}},
                "mureka": {"studio8@mail.example.com": {}},
            },
            "useapi_team": {
                "account": account,
                "minimax": {"55667781": {}, "55667782": {}},
                "pixverse": {"team@mail.example.com": {}},
            },
        },
        4: {"useapi_default": {"kling": {"studio1@mail.example.com": _BROKEN}}},
        6: {
            "useapi_default": {"minimax": {"33445562": _BROKEN}},
            "useapi_studio": {"account": {"subscriptionIsActive": False}},
        },
        8: {
            "useapi_default": {"minimax": {"33445562": _MENDED}},
            "useapi_studio": {"account": {"subscriptionIsActive": True}},
        },
        9: {"useapi_default": {"pixverse": {"studio2@mail.example.com": {}}}},
        12: {
            "useapi_default": {"runwayml": {"studio1@mail.example.com": _BROKEN}},
            "useapi_studio": {"mureka": {"studio8@mail.example.com": _BROKEN}},
        },
    }


@contextmanager
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """What each connection leads to, before its first day, while a ``with`` block runs."""
    with ExitStack() as running:
        found = {conn_id: running.enter_context(Sandbox()) for conn_id in CONNECTIONS}
        for number, sandbox in enumerate(found.values(), 12345):
            quiet(sandbox, number)
        yield found


def dags_in(home: Path) -> Path:
    """A folder with the DAGs of the fortnight and the examples, in an Airflow home."""
    folder = home / "dags"
    folder.mkdir(parents=True, exist_ok=True)
    for name, origin in {
        "fortnight.py": Path(__file__).with_name("dags") / "fortnight.py",
        "examples": ROOT / "dags_examples",
    }.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(origin)
    return folder


def connections(found: Mapping[str, Sandbox]) -> dict[str, str]:
    """The variables that let the connections of an Airflow lead to the sandboxes."""
    return {
        f"AIRFLOW_CONN_{conn_id.upper()}": sandbox.connection_uri()
        for conn_id, sandbox in found.items()
    }


def live_it(airflow: LocalAirflow, found: Mapping[str, Sandbox]) -> Iterator[Day]:
    """Live through the fortnight, day by day."""
    airflow.unpause(AUDIT)
    yield from live(airflow, found, script(datetime.now(UTC)), DAYS, AUDIT)


def settle(found: Mapping[str, Sandbox]) -> None:
    """Let the sandboxes be as they are after the fortnight, when it was lived through before."""
    for _, changes in sorted(script(datetime.now(UTC)).items()):
        for conn_id, of_connection in changes.items():
            happen(found[conn_id], of_connection)


def let_gates_wait(airflow: LocalAirflow) -> str:
    """Start the pipeline whose gates stay closed, and return its run as soon as they all wait."""
    airflow.unpause(PIPELINE)
    run_id = airflow.trigger(PIPELINE)

    def wait() -> bool:
        tasks = airflow.task_instances(PIPELINE, run_id)
        return {task["task_id"]: task["state"] for task in tasks} == GATES

    airflow.wait_until(wait, 60)
    return run_id
