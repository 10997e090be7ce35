"""Where a gate with ``start_from_trigger`` begins, however its DAG is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jinja2
import pytest
from airflow.providers.common.compat.sdk import (
    DAG,
    Asset,
    BaseOperator,
    TaskDeferred,
    TaskGroup,
)

from airflow_provider_useapi.compat import SHARES_STREAMS
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.logs import record

needs_3_3 = pytest.mark.skipif(
    not SHARES_STREAMS, reason="Airflow starts tasks in the triggerer from 3.3 on"
)
CLOSED = Answer(body={"subscriptionIsActive": False})
WORKERLESS = {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True}


def gate(**arguments: Any) -> UseApiAccountSensor:
    return UseApiAccountSensor(task_id="gate", **{"timeout": 60, **WORKERLESS, **arguments})


def starts_in_triggerer(dag: DAG, task_id: str = "gate") -> bool:
    """Whether Airflow starts a task there, as it has stored the DAG."""
    from airflow.serialization.serialized_objects import DagSerialization

    from tests.helpers.rendering import stored

    task = DagSerialization.from_dict(stored(dag)).get_task(task_id)
    assert (task.start_trigger_args is not None) is task.start_from_trigger
    starts: bool = task.start_from_trigger
    return starts


# --- Ways to write a DAG ------------------------------------------------------------------------


def in_a_with_block(arguments: dict[str, Any], service: str) -> DAG:
    with DAG("dag", schedule=None, **arguments) as dag:
        gate(service=service)
    return dag


def by_argument(arguments: dict[str, Any], service: str) -> DAG:
    dag = DAG("dag", schedule=None, **arguments)
    gate(service=service, dag=dag)
    return dag


def assigned_later(arguments: dict[str, Any], service: str) -> DAG:
    waiting = gate(service=service)
    waiting.dag = dag = DAG("dag", schedule=None, **arguments)
    return dag


def added_later(arguments: dict[str, Any], service: str) -> DAG:
    waiting = gate(service=service)
    dag = DAG("dag", schedule=None, **arguments)
    dag.add_task(waiting)
    return dag


def behind_another_task(arguments: dict[str, Any], service: str) -> DAG:
    waiting = gate(service=service)
    with DAG("dag", schedule=None, **arguments) as dag:
        BaseOperator(task_id="first") >> waiting
    return dag


def in_a_task_group(arguments: dict[str, Any], service: str) -> DAG:
    with DAG("dag", schedule=None, **arguments) as dag, TaskGroup("group", prefix_group_id=False):
        gate(service=service)
    return dag


def by_the_argument_of_a_task_group(arguments: dict[str, Any], service: str) -> DAG:
    dag = DAG("dag", schedule=None, **arguments)
    group = TaskGroup("group", dag=dag, prefix_group_id=False)
    gate(service=service, dag=dag, task_group=group)
    return dag


def in_a_decorated_function(arguments: dict[str, Any], service: str) -> DAG:
    from airflow.sdk import dag, task_group

    @dag(schedule=None, **arguments)
    def pipeline() -> None:
        @task_group(prefix_group_id=False)
        def group() -> None:
            gate(service=service)

        group()

    made: DAG = pipeline()
    return made


def by_default_arguments(arguments: dict[str, Any], service: str) -> DAG:
    with DAG(
        "dag", schedule=None, default_args={**WORKERLESS, "service": service}, **arguments
    ) as dag:
        UseApiAccountSensor(task_id="gate")
    return dag


def before_the_dag_is_finished(arguments: dict[str, Any], service: str) -> DAG:
    with DAG("dag", schedule=None) as dag:
        gate(service=service)
    for name, value in arguments.items():
        setattr(dag, name, value)
    return dag


def before_its_field_is_set(arguments: dict[str, Any], service: str) -> DAG:
    with DAG("dag", schedule=None, **arguments) as dag:
        gate(service="kling").service = service
    return dag


WAYS = pytest.mark.parametrize(
    "way",
    [
        in_a_with_block,
        by_argument,
        assigned_later,
        added_later,
        behind_another_task,
        in_a_task_group,
        by_the_argument_of_a_task_group,
        in_a_decorated_function,
        by_default_arguments,
        before_the_dag_is_finished,
        before_its_field_is_set,
    ],
    ids=lambda way: way.__name__,
)
Way = Callable[[dict[str, Any], str], DAG]


@needs_3_3
@WAYS
@pytest.mark.parametrize("service", ["kling", "{{ params.service }}", "{{ var.value.service }}"])
def test_what_a_triggerer_can_render_begins_there(way: Way, service: str) -> None:
    assert starts_in_triggerer(way({}, service))


@needs_3_3
@WAYS
@pytest.mark.parametrize(
    ("arguments", "service"),
    [
        ({}, "{{ ti.xcom_pull(task_ids='up') }}"),
        ({"user_defined_macros": {"mine": str}}, "{{ mine() }}"),
        ({"user_defined_macros": {"params": {}}}, "{{ params.service }}"),
        ({"user_defined_filters": {"lower": str.upper}}, "{{ params.service | lower }}"),
        ({"jinja_environment_kwargs": {"variable_start_string": "[["}}, "[[ params.service }}"),
        ({"jinja_environment_kwargs": {"line_statement_prefix": "k"}}, "kling"),
        ({"render_template_as_native_obj": True}, "{{ params.service }}"),
        ({"template_undefined": jinja2.Undefined}, "kling{{ params.missing }}"),
    ],
)
def test_what_only_a_worker_can_render_begins_on_one(
    way: Way, arguments: dict[str, Any], service: str
) -> None:
    assert not starts_in_triggerer(way(arguments, service))


@needs_3_3
@pytest.mark.parametrize(
    "arguments",
    [
        {"user_defined_macros": {"mine": str}, "user_defined_filters": {"mine": str}},
        {"render_template_as_native_obj": True},
        {"template_undefined": jinja2.Undefined},
    ],
)
def test_what_a_dag_adds_to_jinja_does_not_matter_to_text(arguments: dict[str, Any]) -> None:
    assert starts_in_triggerer(in_a_with_block(arguments, "kling"))


@needs_3_3
@pytest.mark.parametrize(("native", "starts"), [(True, False), (False, True), (None, False)])
def test_a_task_may_say_how_it_is_rendered(native: bool | None, starts: bool) -> None:
    with DAG("dag", schedule=None, render_template_as_native_obj=not native) as dag:
        gate(service="{{ params.service }}", render_template_as_native_obj=native)
    assert starts_in_triggerer(dag) is starts


@needs_3_3
def test_every_field_counts() -> None:
    with DAG("dag", schedule=None) as dag:
        gate(useapi_conn_id="{{ ti.run_id }}", service="kling")
    assert not starts_in_triggerer(dag)


@needs_3_3
@pytest.mark.parametrize(
    "changed",
    [
        {"execution_timeout": timedelta(seconds=1)},
        {"on_execute_callback": [print]},
        {"deferrable": False},
        {"service": lambda context, jinja_env: "kling"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_a_cluster_policy_changes_counts(changed: dict[str, Any]) -> None:
    dag = in_a_with_block({}, "kling")
    for name, value in changed.items():
        setattr(dag.get_task("gate"), name, value)
    assert not starts_in_triggerer(dag)


@needs_3_3
def test_a_cluster_policy_may_forbid_it() -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    from tests.helpers.rendering import stored

    dag = in_a_with_block({}, "kling")
    dag.get_task("gate").start_from_trigger = False
    assert DagSerialization.from_dict(stored(dag)).get_task("gate").start_from_trigger is False


@needs_3_3
def test_an_outlet_that_comes_later_is_seen() -> None:
    dag = in_a_with_block({}, "kling")
    task: Any = dag.get_task("gate")
    assert task.start_trigger_args.trigger_kwargs["end_from_trigger"] is True
    task.add_outlets([Asset("passed")])
    assert task.start_trigger_args.trigger_kwargs["end_from_trigger"] is False


def test_airflow_starts_no_mapped_gate_from_what_the_class_has() -> None:
    with DAG("dag", schedule=None) as dag:
        UseApiAccountSensor.partial(task_id="gate", **WORKERLESS).expand(service=["kling"])
    mapped: Any = dag.get_task("gate")
    assert mapped.start_trigger_args is None
    assert UseApiAccountSensor.start_trigger_args is None
    assert UseApiAccountSensor.start_from_trigger is False


# --- On the worker ------------------------------------------------------------------------------


@needs_3_3
@pytest.mark.parametrize(
    ("arguments", "service", "reason"),
    [
        ({}, "{{ ti.run_id }}", "only a worker renders the template of its service"),
        (
            {"user_defined_macros": {"mine": str}},
            "{{ params.service }}",
            "only a worker renders with the user_defined_macros of its DAG",
        ),
        (
            {"jinja_environment_kwargs": {"trim_blocks": True}},
            "kling",
            "only a worker renders with the jinja_environment_kwargs of its DAG",
        ),
    ],
)
def test_a_gate_that_begins_on_a_worker_says_why(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    service: str,
    reason: str,
) -> None:
    from tests.helpers.rendering import rendered_on_worker

    dag = in_a_with_block({**arguments, "params": {"service": "minimax"}}, service)
    task = rendered_on_worker(dag)
    assert "{{" not in str(task.service)
    logged = record(monkeypatch, UseApiAccountSensor)
    sandbox.script("/v2/account", CLOSED)
    with pytest.raises(TaskDeferred):
        task.execute({})
    assert f"INFO This gate makes its first check on a worker: {reason}." in logged


@needs_3_3
def test_a_gate_that_could_have_begun_in_the_triggerer_says_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.helpers.rendering import rendered_on_worker

    logged = record(monkeypatch, UseApiAccountSensor)
    dag = in_a_with_block({"params": {"service": "minimax"}}, "{{ params.service }}")
    rendered_on_worker(dag).execute({})
    assert logged[-1] == "INFO The gate is open: minimax: 3 of 3 accounts active."
    assert "on a worker" not in "".join(logged)


# --- In the triggerer ---------------------------------------------------------------------------


@needs_3_3
def test_what_a_worker_has_rendered_is_not_rendered_once_more() -> None:
    from tests.helpers.rendering import rendered_in_triggerer

    dag = in_a_with_block({"params": {"service": "{{ run_id }}"}}, "{{ params.service }}")
    first = rendered_in_triggerer(dag)
    assert first.service == "{{ run_id }}", "it is the name of a service, as on a worker"
    # The gate was handed to a worker, and is deferred again.
    first.since = 1.0
    first.render_template_fields({"run_id": "manual__2026"})  # type: ignore[typeddict-item]
    assert first.service == "{{ run_id }}"
