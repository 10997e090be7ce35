"""What differs between the supported versions of Airflow. No other module asks for a version."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_useapi.redaction import secret_forms

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Asset, BaseOperator


class Notes(Protocol):
    """A small store that outlives the process of a rescheduled task."""

    def get(self, key: str, default: Any = None) -> Any:
        """Read a value."""

    def set(self, key: str, value: Any) -> None:
        """Write a value."""


def task_notes(context: Mapping[str, Any]) -> Notes | None:
    """The task's own store (Airflow 3.3+), or ``None``."""
    notes: Notes | None = context.get("task_state_store")
    return notes


def mask(secrets: Iterable[str]) -> None:
    """Keep secrets, in every form, out of all task logs."""
    from airflow.providers.common.compat.sdk import mask_secret

    for secret in secrets:
        for form in secret_forms(secret):
            mask_secret(form)


async def amask(secrets: Iterable[str]) -> None:
    """
    The same on an event loop.

    In a thread, because ``mask_secret`` waits for the supervisor, and only 3.3.2 has an
    asynchronous one.
    """
    await asyncio.to_thread(mask, tuple(secrets))


def make_asset(name: str, uri: str) -> Asset:
    """An asset; a dataset of Airflow 2 has no name."""
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

    Airflow 3.0 and 3.1 hand over all of them at once.
    """
    if not _has_task_sdk():
        yield from _newest_extras_from_database(asset)
        return
    from airflow.sdk.execution_time.context import InletEventsAccessors

    events = InletEventsAccessors([asset])[asset]
    if hasattr(events, "limit"):
        # One is enough, as a rule: somebody else may have an event on the asset, too.
        for start, stop in ((0, 1), (1, 100)):
            yield from (event.extra for event in events.ascending(False).limit(stop)[start:])
    else:
        yield from (event.extra for event in reversed(events))


def triggering_extras(context: Mapping[str, Any]) -> Iterator[object]:
    """What the events hold that started this run, oldest first."""
    from airflow.providers.common.compat.sdk import AssetAlias

    events = context.get("triggering_asset_events") or context.get("triggering_dataset_events")
    for source, of_source in (events or {}).items():
        if not isinstance(source, AssetAlias):  # those are the same events once more
            yield from (event.extra for event in of_source)


def _has_task_sdk() -> bool:
    """Airflow 3: a task asks its supervisor, where one of Airflow 2 reads the database."""
    from importlib.util import find_spec

    return find_spec("airflow.sdk") is not None


def _takes_nested_extras() -> bool:
    """Airflow 2 and 3.0 put the extras that come through an alias into a set."""
    from airflow import __version__

    return tuple(map(int, __version__.split(".")[:2])) >= (3, 1)


def _register_alias(name: str) -> None:
    """Airflow 2 fails a task that emits through an alias that no DAG file names."""
    from airflow.models.dataset import DatasetAliasModel
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import IntegrityError

    with contextlib.suppress(IntegrityError), create_session() as session:  # another task was first
        if session.scalar(select(DatasetAliasModel).where(DatasetAliasModel.name == name)) is None:
            session.add(DatasetAliasModel(name=name))


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
