"""What differs between the supported versions of Airflow. No other module asks for a version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow import __version__ as _version

if TYPE_CHECKING:
    from typing import Protocol

    class Notes(Protocol):
        """A small store that outlives the process of a rescheduled task."""

        def get(self, key: str, default: Any = None) -> Any:
            """Read a value."""

        def set(self, key: str, value: Any) -> None:
            """Write a value."""

    class AssetStore(Protocol):
        """A small store that belongs to an asset, and outlives the triggerer."""

        async def aget(self, key: str) -> Any:
            """Read a value; ``None`` if there is none."""

        async def aset(self, key: str, value: Any) -> None:
            """Write a value."""


SHARES_STREAMS = tuple(map(int, _version.split(".")[:2])) >= (3, 3)
"""Airflow 3.3 lets triggers share a poll, and tasks with templates start and end in one."""


def task_notes(context: Mapping[str, Any]) -> Notes | None:
    """The task's own store (Airflow 3.3+), or ``None``."""
    notes: Notes | None = context.get("task_state_store")
    return notes


def is_crash_of_trigger(error: BaseException | None) -> bool:
    """Whether Airflow resumed a task because its trigger died."""
    return type(error).__name__ == "TaskDeferralError"  # at home in another module on each major


def push_from_trigger(task_instance: Any, xcoms: Mapping[str, Any]) -> None:
    """
    Push XComs from a triggerer (Airflow 3.3+); blocks, so call it in a thread.

    The XComs of a ``TaskSuccessEvent`` would not do: Airflow 3.3 encodes those twice, and the tasks
    behind pull a string of JSON.
    """
    from airflow.sdk.execution_time.xcom import XCom

    ti = {
        name: getattr(task_instance, name) for name in ("dag_id", "task_id", "run_id", "map_index")
    }
    for key, value in xcoms.items():
        XCom.set(key=key, value=value, **ti)


def asset_stores(trigger: object) -> tuple[AssetStore, ...]:
    """The store of each asset that a trigger watches (Airflow 3.3+); before, there is none."""
    # Only by this name: a trigger is not told which assets it watches.
    by_name: Mapping[str, AssetStore] = getattr(
        getattr(trigger, "asset_state_store", None), "_by_name", {}
    )
    return tuple(by_name.values())


def given_up_at(trigger: object) -> datetime | None:
    """When Airflow itself gives a deferred task up; ``None`` if the trigger is not told."""
    until: datetime | None = getattr(trigger, "timeout_after", None)
    return until


def mask(secrets: Iterable[str]) -> None:
    """Keep secrets, in every form, out of all task logs."""
    from airflow.providers.common.compat.sdk import mask_secret

    from airflow_provider_useapi.redaction import secret_forms

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
