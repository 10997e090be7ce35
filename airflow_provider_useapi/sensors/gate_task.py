"""What the parts of the sensor see of it: the task of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow_provider_useapi.gate.condition import Condition


class GateTask(Protocol):
    """The arguments of a :class:`~airflow_provider_useapi.sensors.useapi.UseApiAccountSensor`."""

    task_id: str
    useapi_conn_id: str
    service: str | None
    condition: Condition
    deferrable: bool
    ends_in_triggerer: bool
    soft_fail: bool
    never_fail: bool
    timeout: float
    exponential_backoff: bool
    do_xcom_push: bool
    execution_timeout: timedelta | None
    outlets: list[Any]
    on_execute_callback: Any
    on_success_callback: Any
    start_trigger_args: Any
    render_template_as_native_obj: bool | None

    @property
    def dag_id(self) -> str:
        """The id of the DAG that the task is in."""

    @property
    def poke_interval(self) -> Any:
        """Seconds between two looks."""

    @property
    def max_wait(self) -> Any:
        """The longest wait of ``exponential_backoff``, a timedelta or nothing."""

    @property
    def reschedule(self) -> bool:
        """Whether each look is a process of its own."""

    @property
    def written(self) -> Mapping[str, Any]:
        """The template fields as they stand in the DAG file."""

    @property
    def log(self) -> Any:
        """The log of the task."""

    def get_dag(self) -> Any:
        """The DAG that the task is in."""

    def iter_mapped_dependants(self) -> Any:
        """The tasks that are mapped over its XCom."""
