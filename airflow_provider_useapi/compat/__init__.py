"""What differs between the supported versions of Airflow. No other module asks for a version."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from airflow import __version__ as _version

if TYPE_CHECKING:
    from typing import Protocol

    class Notes(Protocol):
        """A small store that outlives the process of a rescheduled task."""

        def get(self, key: str, default: Any = None) -> Any:
            """Read a value; ``default`` if there is none."""

        def set(self, key: str, value: Any) -> None:
            """Keep a value for the next process of the task."""


Answer = TypeVar("Answer")

RELEASE = tuple(map(int, _version.split(".")[:2]))
"""Major and minor of the Airflow that runs."""

SHARES_STREAMS = RELEASE >= (3, 3)
"""Airflow 3.3 lets triggers share a poll, and tasks with templates start and end in one."""


SHOWS_PAGES = RELEASE >= (3, 1)
"""Airflow 3.1 shows pages of plugins inside its own UI."""


def without_logger(state: Mapping[str, Any]) -> dict[str, Any]:
    """What to pickle of a hook or an operator: the logger that Airflow keeps there cannot be."""
    loggers = dict.fromkeys({"_log", "_cached_logger"} & set(state))
    return {**state, **loggers}


KEEPS_NOTES = RELEASE >= (3, 3)
"""Airflow 3.3 has a store for each task, which outlives a process that is rescheduled."""


def task_notes(context: Mapping[str, Any]) -> Notes | None:
    """The task's own store (Airflow 3.3+), or ``None``."""
    notes: Notes | None = context.get("task_state_store")
    return notes


READS_DATABASE_AS_BACKEND = RELEASE >= (3, 1)
"""From Airflow 3.1 on the last of the secrets backends asks the supervisor for a connection."""


ANSWERS_IN_TURN = (3, 0) <= RELEASE < (3, 2)
"""
The triggerer of Airflow 3.0 and 3.1 takes the next answer of its supervisor for that to its last
question. It ends as soon as one is not: after a question of another event loop, or one that was
given up before its answer was read.
"""


async def ask_supervisor(question: Coroutine[Any, Any, Answer]) -> Answer:
    """
    Await what may ask the supervisor of a triggerer.

    :param question: it goes on to its end where that must be, also if whoever asks is cancelled.
    """
    return await (asyncio.shield(asyncio.ensure_future(question)) if ANSWERS_IN_TURN else question)


async def in_thread(function: Callable[..., Answer], *arguments: object) -> Answer:
    """
    Call what may ask the supervisor of a triggerer, and waits for it, in a thread.

    From ``asyncio.to_thread`` Airflow 3.0 and 3.1 would ask on a new event loop.
    """
    from asgiref.sync import sync_to_async

    return await ask_supervisor(sync_to_async(function)(*arguments))


def is_crash_of_trigger(error: BaseException | None) -> bool:
    """Whether Airflow resumed a task because its trigger died."""
    return type(error).__name__ == "TaskDeferralError"  # at home in another module on each major


def is_deferral_timeout(next_method: str, arguments: Mapping[str, Any]) -> bool:
    """Whether Airflow resumes a task because its trigger took too long."""
    return next_method == "__fail__" and "timeout" in str(arguments.get("error")).lower()


def has_pre_execute(task: Any) -> bool:
    """Whether a function of the user's is called before the task executes."""
    return bool(task._pre_execute_hook)


def has_post_execute(task: Any) -> bool:
    """Whether a function of the user's is called after the task has executed."""
    return bool(task._post_execute_hook)


def see_database_connections() -> None:
    """
    Let this process read connections from Airflow's database, as Airflow's own commands do.

    Without it a process is taken for a worker, which has no database.
    """
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"


async def push_from_trigger(task_instance: Any, xcoms: Mapping[str, Any]) -> None:
    """
    Push XComs from a triggerer (Airflow 3.3+).

    The XComs of a ``TaskSuccessEvent`` would not do: Airflow 3.3 encodes those twice, and the tasks
    behind pull a string of JSON.
    """
    from airflow.sdk.bases.xcom import BaseXCom
    from airflow.sdk.execution_time.xcom import XCom

    ti = {
        name: getattr(task_instance, name) for name in ("dag_id", "task_id", "run_id", "map_index")
    }
    for key, value in xcoms.items():
        if XCom is BaseXCom:
            await XCom.aset(key=key, value=value, **ti)
        else:  # a backend of the user's own may wait for wherever it keeps its values
            await asyncio.to_thread(XCom.set, key=key, value=value, **ti)


def has_listeners() -> bool:
    """
    Whether a plugin of this Airflow listens to what tasks do.

    Airflow's own question. The first one of a process loads all plugins; a triggerer asks it before
    it forks the process that runs the triggers, so that it costs nothing there.
    """
    from airflow.listeners.listener import get_listener_manager

    return bool(get_listener_manager().has_listeners)


def given_up_at(trigger: object) -> datetime | None:
    """When Airflow itself times a deferred task out; ``None`` if the trigger is not told."""
    until: datetime | None = getattr(trigger, "timeout_after", None)
    return until.replace(tzinfo=UTC) if until and not until.tzinfo else until


def longest_metric_name() -> int:
    """
    How long the name of a metric may be for the receiver that Airflow is set up for.

    Airflow puts a prefix in front of it. Of a longer name StatsD gets nothing, with an error in the
    log; OpenTelemetry gets it cut off on Airflow 2.11, and nothing from 3.0 on.
    """
    from airflow.providers.common.compat.sdk import conf

    def has(switch: str) -> bool:
        return bool(conf.getboolean("metrics", switch, fallback=False))

    if has("statsd_datadog_enabled") or has("statsd_on") or not has("otel_on"):
        return 250
    prefix = conf.get("metrics", "otel_prefix", fallback="airflow")
    return (255 if has_task_sdk() else 63) - len(f"{prefix}.")


def has_task_sdk() -> bool:
    """Whether tasks ask a supervisor (Airflow 3); those of Airflow 2 read the database."""
    return RELEASE >= (3, 0)
