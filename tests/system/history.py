"""
Days of audits on a local Airflow, a fortnight in half a minute: real ones, with a moved clock.

What happens on which day is plain data, a *script*. For each day the clock is set to it, the
sandboxes change as the script says, and Airflow runs the audits as on any day: its scheduler, its
task runner, its asset events. So ``checked_at``, ``since`` and every date in Airflow's database are
of the day that they stand for, and the last of the days is today.

A script says, for each day and connection, what changes before the audit::

    {
        1: {"useapi_default": {"kling": {"studio1@mail.example.com": {"credits": 900}}}},
        4: {"useapi_default": {"kling": {"studio1@mail.example.com": {"health": "Signed out"}}}},
        5: {"useapi_default": {"account": {"subscriptionIsActive": False}}},
    }

For a service, each of its linked accounts with the fields of
:class:`~airflow_provider_useapi.sandbox.LinkedAccount` that change; one that is new is linked, and
``None`` takes it out. Under ``account``, fields of ``/v2/account``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_useapi.api.service_names import slug_of
from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox

from .moved_clock import ClockFile
from .stack import LocalAirflow

Fields = Mapping[str, Any]
Changes = Mapping[str, Mapping[str, Any]]
"""By service, or ``account``: what changes."""
Script = Mapping[int, Mapping[str, Changes]]
"""By day, which count from 1, and connection: what changes."""

ROOT = Path(__file__).resolve().parents[2]
RUN_LIMIT = 60.0
"""Seconds that the audits of a day may take."""


@dataclass(frozen=True)
class Day:
    """
    A day whose audits are over.

    :param number: which, from 1.
    :param began: when the audits began, as the clock showed it.
    :param run_id: their run.
    :param states: of its tasks, by task id and map index.
    """

    number: int
    began: datetime
    run_id: str
    states: Mapping[tuple[str, int], str]


def environment(home: Path) -> dict[str, str]:
    """
    Prepare an Airflow home for days that are to be made, and return the variables that it needs.

    :param home: the Airflow home; its Airflow must not run yet.
    """
    clock_of(home).install(home)
    return {
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # To a processor whose clock is moved by a day, every file would be due again.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(10**7),
    }


def clock_of(home: Path) -> ClockFile:
    """The clock of an Airflow home."""
    return ClockFile(home.resolve() / "clock")


def live(
    airflow: LocalAirflow,
    sandboxes: Mapping[str, Sandbox],
    script: Script,
    days: int,
    dag_id: str,
) -> Iterator[Day]:
    """
    Live through days, one audit of everything a day; each is returned as soon as it is over.

    :param airflow: where the audits run; started with :func:`environment`, the DAG unpaused, and
        nothing else running for longer than a moment.
    :param sandboxes: by connection, what it leads to.
    :param script: what happens.
    :param days: how many; the last one is today.
    :param dag_id: the DAG of the audits.
    """
    clock = clock_of(airflow.home)
    try:
        for number in range(1, days + 1):
            clock.move(timedelta(days=number - days))
            for conn_id, changes in script.get(number, {}).items():
                happen(sandboxes[conn_id], changes)
            began = clock.now(UTC)
            run_id = airflow.trigger(dag_id)
            airflow.wait_until(lambda: _is_over(airflow), RUN_LIMIT, pause=0.1)
            tasks = airflow.task_instances(dag_id, run_id)
            states = {(task["task_id"], task["map_index"]): str(task["state"]) for task in tasks}
            yield Day(number, began, run_id, states)
    finally:
        clock.move(timedelta())


def _is_over(airflow: LocalAirflow) -> bool:
    """
    Whether nothing runs any more, or is about to, as what follows an account does.

    To a task that runs on, the next day would come in the middle: it would be taken for dead.
    """
    ((busy,),) = airflow.query(
        "SELECT (SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running'))"
        " + (SELECT count(*) FROM asset_dag_run_queue)"
    )
    return not busy


def happen(sandbox: Sandbox, changes: Changes) -> None:
    """
    Change what a sandbox tells.

    :param sandbox: the sandbox.
    :param changes: by service, or ``account``.
    """
    for name, of in changes.items():
        if name == "account":
            sandbox.account.update(of)
            continue
        linked = {each.id: each for each in sandbox.capacity.get(slug_of(name), ())}
        for ident, fields in of.items():
            if fields is None:
                del linked[ident]
            else:
                linked[ident] = replace(linked.get(ident, LinkedAccount(ident)), **fields)
        sandbox.link(name, *linked.values())


def quiet(sandbox: Sandbox, ident: int) -> None:
    """
    Take out of a sandbox all that an audit might find, before its first day.

    :param sandbox: the sandbox.
    :param ident: the id of its account.
    """
    sandbox.capacity.clear()
    sandbox.account.update(id=ident, accounts={}, maxAccountsPerAPI=50, sub=None)
