"""How a gate that opens in the triggerer ends its task there, without a worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from airflow.triggers.base import TriggerEvent

from airflow_provider_useapi.compat import has_listeners, push_from_trigger

if TYPE_CHECKING:
    from airflow_provider_useapi.gate.outcome import Opened


class Ending(Protocol):
    """What the trigger of a gate tells of its task."""

    end_from_trigger: bool
    xcoms: str

    @property
    def task(self) -> Any:
        """The task, where it began in the triggerer."""

    @property
    def task_instance(self) -> Any:
        """What it runs as."""

    @property
    def log(self) -> Any:
        """The log of the task."""


async def end_task(trigger: Ending, opened: Opened) -> bool:
    """
    Push what the task pushes, if it can end without a worker.

    :param trigger: of the gate.
    :param opened: how the gate ended.
    :return: whether nothing is left to do but to say :func:`success`.
    """
    if not trigger.end_from_trigger or _needs_worker(trigger.task):
        return False
    try:
        if await asyncio.to_thread(has_listeners):
            trigger.log.info("A worker ends this task: listener plugins are called only there.")
            return False
        await _push(trigger, dict(opened.xcom))
    except Exception as e:  # noqa: BLE001 - plugins and XCom backends are the user's own
        trigger.log.warning("A worker ends this task: here it failed with %s.", type(e).__name__)
        return False
    return True


def success() -> TriggerEvent:
    """The event that ends a task well (Airflow 3)."""
    from airflow.triggers.base import TaskSuccessEvent

    return TaskSuccessEvent()


async def _push(trigger: Ending, value: dict[str, Any]) -> None:
    xcoms = {} if trigger.xcoms == "none" else {"return_value": value}
    xcoms |= value if trigger.xcoms == "keys" else {}
    if xcoms:
        await push_from_trigger(trigger.task_instance, xcoms)


def _needs_worker(task: Any) -> bool:
    # Only a task that began here is known here; else the worker has seen to it.
    needs = ("outlets", "has_on_success_callback")
    dependants = getattr(task, "iter_mapped_dependants", tuple)
    return any(getattr(task, name, None) for name in needs) or any(dependants())
