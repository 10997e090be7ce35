"""What a gate hands to its trigger, what needs a worker, and how a worker ends it afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    Asset,
    TaskDeferred,
)

from airflow_provider_useapi.compat import SHARES_STREAMS, is_crash_of_trigger
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger

PATH = "/v2/account"
WORKERLESS = {"deferrable": True, "start_from_trigger": True, "end_from_trigger": True}
CLOSED = Answer(body={"subscriptionIsActive": False})
needs_3_3 = pytest.mark.skipif(
    not SHARES_STREAMS, reason="Airflow starts and ends tasks in the triggerer from 3.3 on"
)


def gate(**arguments: Any) -> UseApiAccountSensor:
    return UseApiAccountSensor(task_id="gate", **{"timeout": 60, "deferrable": True, **arguments})


def deferral(sensor: UseApiAccountSensor, context: Any = None) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(context or {})
    return deferred.value


# --- From the worker to the trigger -------------------------------------------------------------


def test_a_gate_that_is_open_never_defers(sandbox: Sandbox) -> None:
    assert gate(service="minimax").execute({})["active"] == 3
    assert len(sandbox.requests) == 1


def test_a_closed_gate_hands_over_all_that_it_wants_and_knows(sandbox: Sandbox) -> None:
    sandbox.script(PATH, Answer(status=429, headers={"Retry-After": "30"}))
    thresholds = {
        "min_active_accounts": 2,
        "max_error_accounts": 0,
        "min_allocations_left": 1,
        "min_free_accounts": 1,
        "min_free_job_slots": 4,
        "jobs_per_account": 2,
    }
    began = datetime.now(UTC).timestamp()
    deferred = deferral(
        gate(
            service="Kling API",
            poke_interval=timedelta(seconds=7),
            exponential_backoff=True,
            max_wait=timedelta(minutes=3),
            **thresholds,
        )
    )
    assert isinstance(deferred.trigger, UseApiAccountTrigger)
    _, arguments = deferred.trigger.serialize()
    assert {name: arguments[name] for name in thresholds} == thresholds
    assert (arguments["service"], arguments["poke_interval"]) == ("Kling API", 7)
    assert (arguments["exponential_backoff"], arguments["max_wait"]) == (True, 180)
    assert (arguments["timeout"], arguments["names_service"]) == (60, True)
    assert began <= arguments["since"] < arguments["looked"] < began + 5
    memory = Memory.from_note(json.loads(json.dumps(arguments["note"])))
    assert memory.is_held(datetime.now(UTC) + timedelta(seconds=25))
    assert sandbox.token not in json.dumps(arguments)
    assert deferred.method_name == "execute_complete"
    # The trigger keeps the time-out; Airflow's own is there for want of a triggerer.
    assert deferred.timeout is not None
    assert timedelta(seconds=100) < deferred.timeout <= timedelta(seconds=120)


def test_a_permanent_error_fails_before_anything_is_deferred(sandbox: Sandbox) -> None:
    sandbox.token = "user:1-another"
    with pytest.raises(AirflowFailException, match="401"):
        gate(soft_fail=True).execute({})


@pytest.mark.parametrize(
    ("arguments", "xcoms"),
    [({}, "value"), ({"do_xcom_push": False}, "none"), ({"multiple_outputs": True}, "keys")],
)
def test_the_trigger_is_told_what_to_push(
    sandbox: Sandbox, arguments: dict[str, Any], xcoms: str
) -> None:
    sandbox.script(PATH, CLOSED)
    assert deferral(gate(**arguments)).trigger.serialize()[1]["xcoms"] == xcoms


# --- Without a worker ---------------------------------------------------------------------------


@needs_3_3
def test_a_gate_can_begin_and_end_in_the_triggerer() -> None:
    waiting = gate(service="{{ params.service }}", **WORKERLESS)
    assert waiting.start_from_trigger
    start = waiting.start_trigger_args
    assert start is not None
    assert start.next_method == "execute_complete"
    assert start.timeout == timedelta(seconds=120)
    assert start.trigger_kwargs is not None
    assert start.trigger_kwargs["service"] == "{{ params.service }}"
    assert start.trigger_kwargs["end_from_trigger"] is True
    path = start.trigger_cls.rpartition(".")
    trigger = getattr(__import__(path[0], fromlist=[path[2]]), path[2])(**start.trigger_kwargs)
    assert trigger.serialize()[1]["since"] is None


@needs_3_3
def test_the_dag_with_it_can_be_stored() -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("stored", schedule=None) as dag:
        gate(service="{{ params.service }}", **WORKERLESS)
        UseApiAccountSensor.partial(task_id="mapped", **WORKERLESS).expand(service=["a", "b"])
    stored = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    again = DagSerialization.from_dict(stored)
    assert again.get_task("gate").start_trigger_args.trigger_cls.endswith("UseApiAccountTrigger")
    assert again.get_task("mapped").start_trigger_args is None


class FakeInstance:
    """A task instance as far as a gate asks for it."""

    def __init__(self, map_index: int) -> None:
        self.map_index = map_index


@pytest.mark.parametrize(
    ("arguments", "map_index", "reason"),
    [
        ({}, 3, "cannot start a mapped task"),
        ({"execution_timeout": timedelta(seconds=30)}, -1, "its execution_timeout"),
        ({"on_execute_callback": print}, -1, "on_execute_callback"),
    ],
)
@needs_3_3
def test_a_start_that_needs_a_worker_gets_one_and_says_so(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    map_index: int,
    reason: str,
) -> None:
    from airflow_provider_useapi.sensors.deferral import start_obstacle

    waiting = gate(**WORKERLESS, **arguments)
    context: Any = {"ti": FakeInstance(map_index)}
    assert reason in start_obstacle(waiting, context)
    sandbox.script(PATH, CLOSED)
    assert deferral(waiting, context).trigger.serialize()[1]["end_from_trigger"] is True
    if map_index < 0:
        assert waiting.start_trigger_args is None


@needs_3_3
def test_an_argument_from_another_task_needs_a_worker() -> None:
    with DAG("other", schedule=None):
        first = gate()
        second = UseApiAccountSensor(
            task_id="second", service=first.output, timeout=60, **WORKERLESS
        )
    assert second.start_trigger_args is None
    from airflow_provider_useapi.sensors.deferral import start_obstacle

    assert "another task" in start_obstacle(second, {"ti": FakeInstance(-1)})  # type: ignore[arg-type]


@needs_3_3
@pytest.mark.parametrize("queues", [True, False])
def test_a_triggerer_with_queues_needs_a_worker_to_route(
    monkeypatch: pytest.MonkeyPatch, queues: bool
) -> None:
    monkeypatch.setenv("AIRFLOW__TRIGGERER__QUEUES_ENABLED", str(queues))
    assert gate(**WORKERLESS).start_from_trigger is not queues


@pytest.mark.parametrize("arguments", [{"outlets": [Asset("x")]}, {"on_success_callback": print}])
def test_an_end_that_needs_a_worker_is_left_to_it(
    sandbox: Sandbox, arguments: dict[str, Any]
) -> None:
    from airflow_provider_useapi.sensors.deferral import end_obstacle

    waiting = gate(end_from_trigger=True, **arguments)
    sandbox.script(PATH, CLOSED)
    assert deferral(waiting).trigger.serialize()[1]["end_from_trigger"] is False
    assert "only a worker" in end_obstacle(waiting) or not SHARES_STREAMS


@needs_3_3
@pytest.mark.parametrize(("map_index", "from_trigger"), [(-1, False), (0, True)])
def test_an_xcom_that_others_are_mapped_over_is_left_to_a_worker(
    sandbox: Sandbox, map_index: int, from_trigger: bool
) -> None:
    with DAG("mapped_over", schedule=None):
        waiting = gate(**WORKERLESS)
        UseApiAccountSensor.partial(task_id="each", timeout=60).expand(service=waiting.output)
    sandbox.script(PATH, CLOSED)
    context = {"ti": FakeInstance(map_index)}
    handed_over = deferral(waiting, context).trigger.serialize()[1]
    assert handed_over["end_from_trigger"] is from_trigger


@pytest.mark.skipif(SHARES_STREAMS, reason="what Airflow before 3.3 cannot")
def test_before_3_3_a_worker_starts_and_ends_it_and_says_so(sandbox: Sandbox) -> None:
    from airflow_provider_useapi.sensors.deferral import end_obstacle, start_obstacle

    waiting = gate(**WORKERLESS)
    assert not waiting.start_from_trigger
    assert "before 3.3" in start_obstacle(waiting)
    assert "before 3.3" in end_obstacle(waiting)


# --- From the trigger to the worker -------------------------------------------------------------


def resume(sensor: UseApiAccountSensor, event: Any) -> Any:
    return sensor.resume_execution("execute_complete", {"event": event}, {})


def test_an_open_gate_ends_with_what_its_trigger_found() -> None:
    assert resume(gate(), {"outcome": "open", "xcom": {"active": 2}}) == {"active": 2}


@pytest.mark.parametrize("flag", ["soft_fail", "never_fail", "silent_fail"])
@pytest.mark.parametrize(
    "event", [{"outcome": "failed", "reason": "401."}, None, "success", {"outcome": "new"}]
)
def test_what_failed_in_the_triggerer_is_neither_retried_nor_skipped(event: Any, flag: str) -> None:
    with pytest.raises(AirflowFailException):
        resume(gate(**{flag: True}), event)


TIMED_OUT = {"outcome": "timeout", "note": Memory(("a",)).to_note()}


def test_a_gate_whose_time_is_up_gets_a_last_look(sandbox: Sandbox) -> None:
    assert resume(gate(service="minimax"), TIMED_OUT)["active"] == 3


@pytest.mark.parametrize(
    "timed_out",
    [
        ("execute_complete", {"event": TIMED_OUT}),
        ("__fail__", {"error": "Trigger timeout"}),
        ("__fail__", {"error": "Trigger/execution timeout"}),
    ],
    ids=["by the trigger", "by Airflow 3", "by Airflow 2"],
)
@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("retries", AirflowSensorTimeout),
        ("silent_fail", AirflowSensorTimeout),
        ("soft_fail", AirflowSkipException),
        ("never_fail", AirflowSkipException),
    ],
)
def test_a_time_out_says_why_whoever_noticed_it(
    sandbox: Sandbox, timed_out: Any, flag: str, kind: type[Exception]
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    sensor = gate(**{flag: True if flag != "retries" else 3})
    with pytest.raises(kind) as raised:
        sensor.resume_execution(*timed_out, {})
    assert str(raised.value) == (
        "Timed out after 60 s; the gate is closed: the subscription is not active."
    )
    assert len(sandbox.requests) == 1


def test_the_last_look_is_not_made_against_the_wish_of_the_api(sandbox: Sandbox) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    note = {"reasons": ["a"], "error": "429.", "not_before": until}
    with pytest.raises(AirflowSensorTimeout, match=r"last known to be closed: a; then: 429\."):
        resume(gate(), {"outcome": "timeout", "note": note})
    assert sandbox.requests == []


def test_a_token_refused_at_the_last_look_fails_the_task(sandbox: Sandbox) -> None:
    sandbox.token = "user:1-another"
    with pytest.raises(AirflowFailException, match="401"):
        resume(gate(soft_fail=True), TIMED_OUT)


@pytest.mark.parametrize("flag", ["soft_fail", "never_fail", "silent_fail"])
def test_a_trigger_that_crashed_is_no_reason_to_skip(flag: str) -> None:
    with pytest.raises(Exception, match="Trigger failure") as raised:
        gate(**{flag: True}).resume_execution("__fail__", {"error": "Trigger failure"}, {})
    assert is_crash_of_trigger(raised.value)
