"""Assets and their events: Airflow 2 calls them datasets, and releases differ in reading them."""

from __future__ import annotations

import contextlib
import heapq
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_useapi.compat import RELEASE, has_task_sdk

if TYPE_CHECKING:
    from typing import Protocol

    from airflow.providers.common.compat.sdk import Asset, BaseOperator

    class AssetStore(Protocol):
        """A small store that belongs to an asset, and outlives the triggerer."""

        async def aget(self, key: str) -> Any:
            """Read a value; ``None`` if there is none."""

        async def aset(self, key: str, value: Any) -> None:
            """Keep a value for the next triggerer."""


def asset_stores(trigger: object) -> tuple[AssetStore, ...]:
    """The store of each asset that a trigger watches (Airflow 3.3+); before, there is none."""
    # Only by this name: a trigger is not told which assets it watches.
    by_name: Mapping[str, AssetStore] = getattr(
        getattr(trigger, "asset_state_store", None), "_by_name", {}
    )
    return tuple(by_name.values())


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
    if not has_task_sdk():
        _register_alias(alias)
    context["outlet_events"][through].add(asset, extra=extra)


def newest_extras(asset: Asset) -> Iterator[object]:
    """
    What the events of an asset hold, newest first, also if no DAG refers to the asset.

    An asset that was a dataset of Airflow 2.11 is named after its URI since the migration to 3.x:
    another asset than the one of the same URI with a name of its own. Both are read.
    """
    if not has_task_sdk():
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


def _takes_nested_extras() -> bool:
    """Airflow 2 and 3.0 put the extras that come through an alias into a set."""
    return RELEASE >= (3, 1)


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
