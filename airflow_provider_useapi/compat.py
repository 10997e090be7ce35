"""What differs between the supported versions of Airflow. No other module asks for a version."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow import __version__ as _version

if TYPE_CHECKING:
    from typing import Protocol

    from airflow.providers.common.compat.sdk import Asset, BaseOperator

    class Notes(Protocol):
        """A small store that outlives the process of a rescheduled task."""

        def get(self, key: str, default: Any = None) -> Any:
            """Read a value; ``default`` if there is none."""

        def set(self, key: str, value: Any) -> None:
            """Keep a value for the next process of the task."""

    class AssetStore(Protocol):
        """A small store that belongs to an asset, and outlives the triggerer."""

        async def aget(self, key: str) -> Any:
            """Read a value; ``None`` if there is none."""

        async def aset(self, key: str, value: Any) -> None:
            """Keep a value for the next triggerer."""


_RELEASE = tuple(map(int, _version.split(".")[:2]))

SHARES_STREAMS = _RELEASE >= (3, 3)
"""Airflow 3.3 lets triggers share a poll, and tasks with templates start and end in one."""


SHOWS_PAGES = _RELEASE >= (3, 1)
"""Airflow 3.1 shows pages of plugins inside its own UI."""


def without_logger(state: Mapping[str, Any]) -> dict[str, Any]:
    """What to pickle of a hook or an operator: the logger that Airflow keeps there cannot be."""
    loggers = dict.fromkeys({"_log", "_cached_logger"} & set(state))
    return {**state, **loggers}


KEEPS_NOTES = _RELEASE >= (3, 3)
"""Airflow 3.3 has a store for each task, which outlives a process that is rescheduled."""


def task_notes(context: Mapping[str, Any]) -> Notes | None:
    """The task's own store (Airflow 3.3+), or ``None``."""
    notes: Notes | None = context.get("task_state_store")
    return notes


def is_crash_of_trigger(error: BaseException | None) -> bool:
    """Whether Airflow resumed a task because its trigger died."""
    return type(error).__name__ == "TaskDeferralError"  # at home in another module on each major


def is_deferral_timeout(next_method: str, arguments: Mapping[str, Any]) -> bool:
    """Whether Airflow resumes a task because it has given its trigger up."""
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


def asset_stores(trigger: object) -> tuple[AssetStore, ...]:
    """The store of each asset that a trigger watches (Airflow 3.3+); before, there is none."""
    # Only by this name: a trigger is not told which assets it watches.
    by_name: Mapping[str, AssetStore] = getattr(
        getattr(trigger, "asset_state_store", None), "_by_name", {}
    )
    return tuple(by_name.values())


def has_listeners() -> bool:
    """
    Whether a plugin of this Airflow listens to what tasks do.

    Airflow's own question. The first one of a process loads all plugins; a triggerer asks it before
    it forks the process that runs the triggers, where it costs nothing any more.
    """
    from airflow.listeners.listener import get_listener_manager

    return bool(get_listener_manager().has_listeners)


def given_up_at(trigger: object) -> datetime | None:
    """When Airflow itself gives a deferred task up; ``None`` if the trigger is not told."""
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
    return (255 if _has_task_sdk() else 63) - len(f"{prefix}.")


def make_asset(name: str, uri: str) -> Asset:
    """An asset, or the dataset that Airflow 2 has in its place, which has no name."""
    from airflow.providers.common.compat.sdk import Asset

    return Asset(name=name, uri=uri) if hasattr(Asset, "name") else Asset(uri)


def emit(
    task: BaseOperator, context: Mapping[str, Any], asset: Asset, alias: str, extra: dict[str, Any]
) -> None:
    """
    Record an event of an asset when the task succeeds, also of one that the DAG does not know of.

    :param task: the one that is running; another list of outlets replaces its own.
    :param context: what it runs in.
    :param asset: whose event.
    :param alias: the name of the asset alias to emit through.
    :param extra: what the event holds, as JSON.
    """
    from airflow.providers.common.compat.sdk import AssetAlias

    through = AssetAlias(alias)
    if through not in task.outlets:
        task.outlets = [*task.outlets, through]
    if not _takes_nested_extras():
        extra = {
            key: json.dumps(value) if isinstance(value, dict | list) else value
            for key, value in extra.items()
        }
    if not _has_task_sdk():
        _register_alias(alias)
    context["outlet_events"][through].add(asset, extra=extra)


def newest_extras(asset: Asset) -> Iterator[object]:
    """
    What the events of an asset hold, newest first, also if no DAG refers to the asset.

    An asset that was a dataset of Airflow 2.11 is named after its URI since the migration to 3.x:
    another asset than the one of the same URI with a name of its own. Both are read.
    """
    if not _has_task_sdk():
        yield from _newest_extras_from_database(asset)
        return
    assets = (make_asset(name, asset.uri) for name in (asset.name, asset.uri))
    events = heapq.merge(
        *map(_newest_events, assets), key=lambda event: event.timestamp, reverse=True
    )
    yield from (event.extra for event in events)


def triggering_extras(context: Mapping[str, Any]) -> Iterator[object]:
    """What the events hold that started this run, oldest first."""
    from airflow.providers.common.compat.sdk import AssetAlias

    events = context.get("triggering_asset_events") or context.get("triggering_dataset_events")
    for source, of_source in (events or {}).items():
        if not isinstance(source, AssetAlias):  # those are the same events once more
            yield from (event.extra for event in of_source)


def _has_task_sdk() -> bool:
    """Airflow 3: a task asks its supervisor, where one of Airflow 2 reads the database."""
    return _RELEASE >= (3, 0)


def _takes_nested_extras() -> bool:
    """Airflow 2 and 3.0 put the extras that come through an alias into a set."""
    return _RELEASE >= (3, 1)


def _register_alias(name: str) -> None:
    """Airflow 2 fails a task that emits through an alias that no DAG file names."""
    from airflow.models.dataset import DatasetAliasModel
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import IntegrityError

    with contextlib.suppress(IntegrityError), create_session() as session:  # another task was first
        if session.scalar(select(DatasetAliasModel).where(DatasetAliasModel.name == name)) is None:
            session.add(DatasetAliasModel(name=name))


def _newest_events(asset: Asset) -> Iterator[Any]:
    """
    The events of one asset, newest first.

    Airflow 3.0 and 3.1 hand over all of them at once.
    """
    from airflow.sdk.execution_time.context import InletEventsAccessors

    events = InletEventsAccessors([asset])[asset]
    if hasattr(events, "limit"):
        # One is enough, as a rule: somebody else may have an event on the asset, too.
        for start, stop in ((0, 1), (1, 100)):
            yield from events.ascending(False).limit(stop)[start:]
    else:
        yield from reversed(events)


def _newest_extras_from_database(asset: Asset) -> Iterator[object]:
    from airflow.models.dataset import DatasetEvent, DatasetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    newest = (
        select(DatasetEvent.extra)
        .join(DatasetEvent.dataset)
        .where(DatasetModel.uri == asset.uri)
        .order_by(DatasetEvent.timestamp.desc())
    )
    with create_session() as session:
        yield from session.scalars(newest.limit(100)).all()
