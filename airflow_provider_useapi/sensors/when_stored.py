"""Attributes of a task that are worked out when Airflow stores its DAG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class WhenStored:
    """
    An attribute that is worked out when Airflow reads it, to store the DAG: only then all is known.

    A task may be made before its DAG, and a cluster policy may change it afterwards. The class has
    a constant instead; a property would not do, because for mapped tasks Airflow asks the class.

    :param of_class: the constant.
    :param of_task: works it out for a task.
    """

    def __init__(self, of_class: Any, of_task: Callable[[Any], Any]) -> None:
        self._of_class = of_class
        self._of_task = of_task

    def __get__(self, task: object, owner: type) -> Any:
        return self._of_class if task is None else self._of_task(task)
