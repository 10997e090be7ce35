"""What differs between the supported versions of Airflow. No other module asks for a version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from airflow_provider_useapi.redaction import secret_forms


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
