"""What a gate hands to its trigger, and which parts of it need a worker all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_useapi import clock
from airflow_provider_useapi.compat import SHARES_STREAMS, has_post_execute, has_pre_execute
from airflow_provider_useapi.gate.schedule import given_up_after
from airflow_provider_useapi.sensors.templates import is_template, renders_anywhere

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import StartTriggerArgs

    from airflow_provider_useapi.gate.memory import Memory
    from airflow_provider_useapi.sensors.gate_task import GateTask

_TRIGGER = "airflow_provider_useapi.triggers.useapi.UseApiAccountTrigger"


def trigger_arguments(sensor: GateTask, context: Context | None = None) -> dict[str, Any]:
    """
    The arguments of the trigger; templates in them are rendered if it is started by Airflow.

    :param context: of the task, once it has come to a worker.
    """
    pushes_keys = getattr(sensor, "multiple_outputs", False)
    return {
        "useapi_conn_id": sensor.useapi_conn_id,
        **sensor.condition.arguments(),
        "service": sensor.service,
        "poke_interval": sensor.poke_interval,
        "timeout": sensor.timeout,
        "names_service": sensor.condition.service is not None,
        "exponential_backoff": sensor.exponential_backoff,
        "max_wait": sensor.max_wait.total_seconds() if sensor.max_wait else None,
        "end_from_trigger": sensor.ends_in_triggerer and not end_obstacle(sensor, context),
        "xcoms": "none" if not sensor.do_xcom_push else "keys" if pushes_keys else "value",
    }


def deferral(
    sensor: GateTask, context: Context, memory: Memory, since: float | None
) -> dict[str, Any]:
    """
    How a gate that has looked on a worker goes on in the triggerer: the arguments of ``defer()``.

    :param memory: what is known of it.
    :param since: when it began to wait, in seconds since the epoch; ``None`` if it begins now.
    """
    from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger

    looked = clock.time()
    since = looked if since is None else since
    trigger = UseApiAccountTrigger(
        **trigger_arguments(sensor, context),
        since=since,
        looked=looked,
        note=memory.to_note(),
    )
    left = since + sensor.timeout - looked
    return {
        "trigger": trigger,
        "method_name": "execute_complete",
        "timeout": given_up_after(left),
    }


def start_trigger_args(sensor: GateTask) -> StartTriggerArgs | None:
    """How Airflow starts a gate in the triggerer; ``None`` if it cannot."""
    if start_obstacle(sensor):
        return None
    from airflow.triggers.base import StartTriggerArgs

    return StartTriggerArgs(
        trigger_cls=_TRIGGER,
        trigger_kwargs=trigger_arguments(sensor),
        next_method="execute_complete",
        timeout=given_up_after(sensor.timeout),
    )


def start_obstacle(sensor: GateTask, context: Context | None = None) -> str:
    """
    Why a gate cannot make its first look in the triggerer; empty if it can.

    :param context: of the task, once it has come to a worker.
    """
    if not SHARES_STREAMS:
        return "Airflow before 3.3 cannot start it in the triggerer"
    if conf.getboolean("triggerer", "queues_enabled", fallback=False):
        return "only a worker can send it to the triggerer of its queue"
    if sensor.on_execute_callback or has_pre_execute(sensor):
        return "only a worker calls its on_execute_callback and pre_execute"
    if sensor.execution_timeout and sensor.execution_timeout < given_up_after(sensor.timeout):
        return "its execution_timeout, which the triggerer would count, is below its timeout"
    if context is not None and _map_index(context) >= 0:
        return "Airflow cannot start a mapped task in the triggerer"
    return _template_obstacle(sensor)


def _template_obstacle(sensor: GateTask) -> str:
    """Why the triggerer would read a field in another way than a worker; empty if it would not."""
    fields = {name: field for name, field in sensor.written.items() if field is not None}
    if not all(isinstance(field, str) for field in fields.values()):
        return "an argument of it comes from another task or a function"
    dag = sensor.get_dag()
    # With delimiters of its own: what looks like text may be a template.
    if dag and dag.jinja_environment_kwargs:
        return "only a worker renders with the jinja_environment_kwargs of its DAG"
    templates = {name: field for name, field in fields.items() if is_template(field)}
    if refused := [name for name, text in templates.items() if not renders_anywhere(text)]:
        return f"only a worker renders the template of its {refused[0]}"
    if templates and (own := _own_rendering(sensor)):
        return f"only a worker renders with the {own} of its DAG"
    return ""


def _own_rendering(sensor: GateTask) -> str:
    """What makes a task render its templates unlike Airflow's usual way; empty if nothing."""
    from jinja2 import StrictUndefined

    dag = sensor.get_dag()
    if not dag:
        return ""
    is_native = sensor.render_template_as_native_obj
    own = {
        "user_defined_macros": dag.user_defined_macros,
        "user_defined_filters": dag.user_defined_filters,
        "template_undefined": dag.template_undefined is not StrictUndefined,
        "render_template_as_native_obj": (
            dag.render_template_as_native_obj if is_native is None else is_native
        ),
    }
    return next((name for name, value in own.items() if value), "")


def end_obstacle(sensor: GateTask, context: Context | None = None) -> str:
    """
    Why the triggerer cannot end the task when its gate opens; empty if it can.

    :param context: of the task, once it has come to a worker.
    """
    if not SHARES_STREAMS:
        return "Airflow before 3.3 cannot end it in the triggerer"
    if sensor.outlets:
        return "only a worker emits the events of its outlets"
    if sensor.on_success_callback:
        return "only a worker calls its on_success_callback"
    if has_post_execute(sensor):
        return "only a worker calls its post_execute"
    # Not known when the task is made; the trigger of one that begins there asks as well.
    is_counted = context is not None and _map_index(context) < 0 and sensor.get_dag()
    if is_counted and any(sensor.iter_mapped_dependants()):
        return "only a worker counts the items of an XCom that another task is mapped over"
    return ""


def _map_index(context: Context) -> int:
    return getattr(context.get("ti"), "map_index", -1)
