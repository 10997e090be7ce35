"""The trigger of a deferred gate: what goes over the wire, how it ends, what is stored of it."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.gate.condition import FIELDS
from airflow_provider_useapi.gate.memory import Memory
from airflow_provider_useapi.gate.schedule import backoff
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.triggers.useapi import UseApiAccountEventTrigger, UseApiAccountTrigger
from tests.helpers.clock import MovableClock
from tests.helpers.logs import record
from tests.helpers.triggerer import needs_streams, run_alone, triggerer

PATH = "/v2/account"
TASK = {"dag_id": "dag", "task_id": "gate", "run_id": "run", "map_index": -1}
CLOSED = Answer(body={"subscriptionIsActive": False})
pytestmark = pytest.mark.anyio
TRIGGERS = (UseApiAccountTrigger, UseApiAccountEventTrigger)


def gate(**arguments: Any) -> UseApiAccountTrigger:
    return UseApiAccountTrigger(**{"poke_interval": 1, "timeout": 60, **arguments})


async def asked(sandbox: Sandbox, times: int = 1) -> None:
    """Wait until the sandbox was asked so often."""
    while len(sandbox.requests) < times:
        await asyncio.sleep(0.01)


def statuses(sandbox: Sandbox) -> list[int | None]:
    return [request.status for request in sandbox.requests]


# --- What Airflow stores ------------------------------------------------------------------------


def arguments_of(trigger: type) -> list[str]:
    names: dict[str, None] = {}
    for cls in trigger.__mro__:
        if cls.__module__.startswith("airflow_provider_useapi"):
            parameters = inspect.signature(cls.__init__).parameters.values()
            names |= {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
    return [*names, *FIELDS]


ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@pytest.mark.parametrize("trigger", TRIGGERS)
@given(data=st.data())
def test_any_arguments_are_taken_and_come_back(trigger: type, data: st.DataObject) -> None:
    names = arguments_of(trigger)
    given_ = {name: data.draw(ANYTHING, label=name) for name in names}
    path, arguments = trigger(**given_).serialize()
    if given_.get("min_credits", 0) is None:  # younger than the first release
        del given_["min_credits"]
    assert arguments == given_
    assert trigger(**json.loads(json.dumps(arguments))).serialize() == (path, arguments)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_the_stored_path_leads_to_the_class(trigger: type) -> None:
    module, _, name = trigger().serialize()[0].rpartition(".")
    assert module == "airflow_provider_useapi.triggers.useapi"
    assert getattr(__import__(module, fromlist=[name]), name) is trigger


def test_the_stored_names_are_the_ones_that_rows_in_databases_have() -> None:
    condition = {
        "useapi_conn_id",
        "service",
        "min_active_accounts",
        "max_error_accounts",
        "min_allocations_left",
        "min_free_accounts",
        "min_free_job_slots",
        "jobs_per_account",
        "poke_interval",
    }
    own = {
        "timeout",
        "since",
        "looked",
        "note",
        "names_service",
        "exponential_backoff",
        "max_wait",
        "end_from_trigger",
        "xcoms",
    }
    assert set(UseApiAccountTrigger().serialize()[1]) >= condition | own
    watcher = set(UseApiAccountEventTrigger().serialize()[1])
    assert watcher >= condition | {"fire_on", "emit_initial"}


def test_an_interval_may_be_a_timedelta() -> None:
    assert gate(poke_interval=timedelta(minutes=2)).serialize()[1]["poke_interval"] == 120.0


# --- One gate, by itself ------------------------------------------------------------------------


async def test_an_open_gate_fires_at_its_first_look(sandbox: Sandbox) -> None:
    event = await run_alone(gate(service="minimax"))
    assert event.payload["outcome"] == "open"
    xcom = event.payload["xcom"]
    assert (xcom["slug"], xcom["active"]) == ("minimax", 3)
    assert len(sandbox.requests) == 1


async def test_transient_errors_delay_a_gate_on_one_connection(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, 503, Answer(body="<html>"), CLOSED)
    event = await clock.finish(run_alone(gate()))
    assert event.payload["outcome"] == "open"
    assert statuses(sandbox) == [200, 503, 200, 200, 200]
    assert sandbox.connections == 1
    times = [request.time for request in sandbox.requests]
    assert all(later - sooner >= 1 for sooner, later in pairwise(times))


@pytest.mark.real_time
async def test_a_refused_token_that_was_replaced_is_asked_about_again(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script(PATH, CLOSED)
    waiting = asyncio.create_task(run_alone(gate()))
    await clock.finish(asked(sandbox))
    await clock.settle()
    sandbox.token = "user:1-renewed"
    # The connection follows only once the old token has been refused.
    sandbox.script(PATH, Answer(status=401, delay=0.3))
    await clock.finish(asked(sandbox, 2))
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
    event = await clock.finish(waiting)
    assert event.payload["outcome"] == "open"
    assert statuses(sandbox) == [200, 401, 200]
    times = [request.time for request in sandbox.requests]
    assert times[2] - times[1] < 1, "another token is asked about at once"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 422, 596, 302])
async def test_a_permanent_error_ends_a_gate_at_once(
    sandbox: Sandbox, clock: MovableClock, status: int
) -> None:
    before = () if status in (401, 403) else (CLOSED,)  # a gate that was answered has patience
    sandbox.script(PATH, *before, status)
    event = await clock.finish(run_alone(gate()))
    assert event.payload["outcome"] == "failed"
    assert str(status) in event.payload["reason"]
    assert len(sandbox.requests) == len(before) + 1


async def test_a_connection_that_airflow_loses_for_a_while_is_waited_for(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountTrigger)
    sandbox.script(PATH, CLOSED)
    waiting = asyncio.create_task(run_alone(gate()))
    await clock.finish(asked(sandbox))
    await clock.settle()
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT")
    await clock.advance(1)
    assert "is not defined" in "".join(logged)
    assert not waiting.done()
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", sandbox.connection_uri())
    event = await clock.finish(waiting)
    assert event.payload["outcome"] == "open"
    assert statuses(sandbox) == [200, 200]


async def test_a_gate_whose_worker_had_the_connection_waits_for_it(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Memory(reasons=("the subscription is not active",)).to_note()
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT")
    event = await clock.finish(run_alone(gate(timeout=3, note=note, since=clock.time())))
    assert event.payload["outcome"] == "timeout"
    assert "is not defined" in event.payload["note"]["error"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"service": "kling", "min_active_accounts": "two"}, "whole number"),
        ({"names_service": True}, "rendered to"),
        ({"min_active_accounts": 2}, "needs a service"),
    ],
)
async def test_what_cannot_be_asked_ends_a_gate_and_not_the_triggerer(
    sandbox: Sandbox, arguments: dict[str, Any], reason: str
) -> None:
    event = await run_alone(gate(**arguments))
    assert event.payload["outcome"] == "failed"
    assert reason in event.payload["reason"]


async def test_a_connection_that_is_not_found_is_for_the_retries_of_the_task(
    sandbox: Sandbox,
) -> None:
    event = await run_alone(gate(useapi_conn_id="nowhere"))
    assert event.payload["outcome"] == "retry"
    assert "'nowhere' is not defined" in event.payload["reason"]


async def test_a_time_out_is_kept_and_tells_the_worker_what_was_known(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, Answer(status=429, headers={"Retry-After": "600"}))
    began = clock.monotonic()
    event = await clock.finish(run_alone(gate(timeout=3)))
    assert 3 <= clock.monotonic() - began < 4.5
    memory = Memory.from_note(event.payload["note"])
    assert memory.reasons == ("the subscription is not active",)
    assert "429" in memory.error
    assert memory.not_before is not None
    assert statuses(sandbox) == [200, 429]


@pytest.mark.real_time
async def test_a_time_out_counts_from_the_first_look_on_the_worker(
    sandbox: Sandbox,
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    began = time.monotonic()
    event = await run_alone(gate(timeout=100, since=time.time() - 99))
    assert event.payload["outcome"] == "timeout"
    assert time.monotonic() - began < 2.5


@pytest.mark.real_time
async def test_what_the_api_told_the_worker_holds_in_the_triggerer(
    sandbox: Sandbox,
) -> None:
    busy = UseApiUnavailableError("429.", retry_after=3)
    told = Memory().failed(busy, datetime.now(UTC))
    began = time.time()
    event = await run_alone(gate(since=began, note=told.to_note()))
    assert event.payload["outcome"] == "open"
    (request,) = sandbox.requests
    assert request.time - began >= 2.9


@pytest.mark.parametrize("interval", [0, 0.5, 1])
async def test_backoff_passes_over_looks_of_the_poll(
    sandbox: Sandbox, clock: MovableClock, interval: float
) -> None:
    sandbox.script(PATH, *[CLOSED] * 3)
    began = clock.time()
    # From an interval of 1 the waits are 1, 1, 2 to 4, and 4 to 8 seconds; of 0, always 1.
    moments = list(islice(backoff(interval, None, f"####{began}"), 6))
    waiting = gate(poke_interval=interval, exponential_backoff=True, since=began)
    event = await clock.finish(run_alone(waiting))
    assert event.payload["outcome"] == "open"
    opened = datetime.fromisoformat(event.payload["xcom"]["checked_at"]).timestamp() - began
    # Closed at three looks of the poll: it opens at the first look that is due after them.
    closed = sandbox.requests[2].time - began
    assert any(closed < due <= opened < due + 1.5 for due in moments)


# --- Many gates, one poll -----------------------------------------------------------------------


@needs_streams
async def test_many_gates_make_one_request_an_interval_on_one_connection(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    async with triggerer() as running:
        began = clock.monotonic()
        gates = [running.start(gate(service="minimax", min_active_accounts=1)) for _ in range(300)]
        await clock.advance(3.5)
        assert not any(task.done() for task in gates)
        assert len(sandbox.requests) <= 1 + (clock.monotonic() - began)
        sandbox.account["subscriptionIsActive"] = True
        events = await clock.finish(asyncio.gather(*gates), 3)
    assert {event.payload["outcome"] for event in events} == {"open"}
    assert sandbox.connections == 1


@needs_streams
async def test_gates_that_want_different_things_share_the_poll(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        passing = running.start(gate(service="minimax", min_active_accounts=3))
        closed = running.start(gate(service="minimax", min_active_accounts=4))
        alone = running.start(gate())
        failing = running.start(gate(service="minimax", max_error_accounts="none"))
        await clock.advance(1.5)
        outcomes = [task.result().payload["outcome"] for task in (passing, alone, failing)]
        assert outcomes == ["open", "open", "failed"]
        assert not closed.done()
    assert len(sandbox.requests) == 2


@needs_streams
async def test_a_gate_that_joins_late_uses_a_look_that_is_young_enough(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        closed = running.start(gate(service="minimax", min_active_accounts=4, poke_interval=30))
        await clock.advance(0.5)
        late = running.start(gate(service="minimax", poke_interval=30))
        event = await clock.finish(late, 1)
        assert event.payload["outcome"] == "open"
        assert not closed.done()
    assert len(sandbox.requests) == 1


@needs_streams
@pytest.mark.real_time
async def test_the_first_look_is_an_interval_after_that_of_the_worker(
    sandbox: Sandbox,
) -> None:
    looked = time.time()
    async with triggerer() as running:
        event = await running.start(gate(since=looked - 3, looked=looked))
    assert event.payload["outcome"] == "open"
    (request,) = sandbox.requests
    assert request.time - looked >= 0.99  # two clocks take part


@needs_streams
async def test_a_gate_does_not_use_a_look_that_is_older_than_its_own(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        running.start(gate(service="minimax", min_active_accounts=4))
        await clock.advance(0.1)
        sandbox.account["subscriptionIsActive"] = False
        own = Memory(("the subscription is not active",)).to_note()
        late = running.start(gate(since=clock.time(), note=own, timeout=2.5))
        event = await clock.finish(late)
    assert event.payload["outcome"] == "timeout"


@needs_streams
async def test_a_gate_that_has_not_heard_is_told_what_is_no_news_to_the_others(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        running.start(gate(service="minimax", min_active_accounts=4))
        await clock.advance(0.1)
        # Closed for as long as the worker looked; to the poll, nothing has changed.
        own = Memory(("the subscription is not active",)).to_note()
        late = running.start(gate(since=clock.time(), note=own, timeout=10))
        event = await clock.finish(late)
    assert event.payload["outcome"] == "open"
    assert len(sandbox.requests) <= 3


@needs_streams
@pytest.mark.real_time
async def test_a_gate_that_comes_while_the_poll_asks_is_told_the_answer(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, 200, Answer(delay=1))
    async with triggerer() as running:
        running.start(gate(service="minimax", min_active_accounts=4))
        await clock.finish(asked(sandbox, 2))
        event = await clock.finish(running.start(gate(service="minimax", timeout=5)))
    assert event.payload["outcome"] == "open"


class Listener(UseApiAccountTrigger):
    """
    A gate that keeps how many requests there were each time it was woken.

    :param sandbox: what is asked.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(poke_interval=1, timeout=60)
        self.sandbox = sandbox
        self.woken_after: list[int] = []

    async def judge(self, look: Any, began: float | None = None) -> Any:
        self.woken_after += [len(self.sandbox.requests)]
        return await super().judge(look, began)


@pytest.mark.parametrize("shared", [pytest.param(True, marks=needs_streams), False])
async def test_gates_are_not_woken_to_hear_that_nothing_has_changed(
    sandbox: Sandbox, clock: MovableClock, shared: bool
) -> None:
    held = Answer(status=503, headers={"Retry-After": "1"})
    sandbox.script(PATH, *[CLOSED] * 3, 503, 503, 500, held, held, *[CLOSED] * 2)
    listener = Listener(sandbox)
    if shared:
        async with triggerer() as running:
            await clock.finish(running.start(listener))
    else:
        await clock.finish(run_alone(listener))
    # Closed, 503, 500, 503 for another second, and once more, closed, open.
    assert listener.woken_after == [1, 4, 6, 7, 8, 9, 11]
    assert len(sandbox.requests) == 11


class SlowListener(UseApiAccountTrigger):
    """A gate that takes its time over the first look: until the sandbox was asked five times."""

    sandbox: Sandbox

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.heard: list[float] = []

    async def judge(self, look: Any, began: float | None = None) -> Any:
        self.heard += [look.at.timestamp()]
        if len(self.heard) == 1:
            await asked(self.sandbox, 5)
        return await super().judge(look, began)


@needs_streams
async def test_a_gate_that_is_slow_hears_the_last_news_and_no_older(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, 200, CLOSED, 200, CLOSED)
    slow = SlowListener(service="minimax", min_active_accounts=4, poke_interval=1, timeout=5.5)
    slow.sandbox = sandbox
    async with triggerer() as running:
        await clock.finish(running.start(slow))
    first, fourth, fifth = (sandbox.requests[number].time for number in (0, 3, 4))
    assert first <= slow.heard[0] <= first + 1
    assert slow.heard[1] > fourth, "the second and the third were passed over"
    assert fifth <= slow.heard[-1]


async def test_a_gate_that_stays_closed_says_so_again_after_a_while(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = record(monkeypatch, UseApiAccountTrigger)
    sandbox.script(PATH, *[CLOSED] * 5)
    await clock.finish(run_alone(gate(poke_interval=300, timeout=3600)), 3600)
    closed = "INFO The gate is closed: the subscription is not active."
    assert logged[:-1] == [closed] * 3, "at the first look, the third and the fifth"
    assert len(sandbox.requests) == 6


@needs_streams
async def test_gates_that_come_and_go_do_not_ask_sooner(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    async with triggerer() as running:
        for _ in range(20):
            event = await clock.finish(running.start(gate(service="minimax", poke_interval=30)))
            assert event.payload["outcome"] == "open"
    assert len(sandbox.requests) == 1


@needs_streams
async def test_retry_after_holds_the_poll_back_for_all_and_for_newcomers(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, Answer(status=429, headers={"Retry-After": "4"}))
    async with triggerer() as running:
        gates = [running.start(gate()) for _ in range(20)]
        await clock.advance(2)
        gates += [running.start(gate()) for _ in range(20)]
        limited = running.start(gate(timeout=1))
        told = (await clock.finish(limited)).payload["note"]
        assert "429" in told["error"], "a newcomer knows that the API wants to be left alone"
        assert told["not_before"]
        events = await clock.finish(asyncio.gather(*gates), 6)
    assert {event.payload["outcome"] for event in events} == {"open"}
    first, second = sandbox.requests
    assert second.time - first.time >= 4


@needs_streams
async def test_a_refused_token_ends_all_gates_with_one_request(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED)
    for_an_hour = {"since": clock.time() - 3600, "note": Memory(("a",)).to_note(), "timeout": 7200}
    async with triggerer() as running:
        gates = [running.start(gate(**for_an_hour)) for _ in range(100)]
        await clock.advance(0.5)
        sandbox.token = "user:1-another"
        await clock.advance(1)
        late = await clock.finish(running.start(gate()), 1)
        assert late.payload["outcome"] == "failed"
        assert statuses(sandbox) == [200, 401]
        assert not any(task.done() for task in gates)
        events = await clock.finish(asyncio.gather(*gates), 310)
    assert {event.payload["outcome"] for event in events} == {"failed"}
    assert statuses(sandbox) == [200, 401, 401]


class Supervisor:
    """What takes the requests of a triggerer, as far as XComs go."""

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def send(self, message: Any) -> None:
        assert message.task_id == TASK["task_id"]
        self.xcoms[message.key] = message.value

    async def asend(self, message: Any) -> None:
        self.send(message)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """In the place of Airflow's; whole Airflows show the rest."""
    found = Supervisor()
    module = "airflow.sdk.execution_time.task_runner"
    monkeypatch.setattr(f"{module}.SUPERVISOR_COMMS", found, raising=False)
    return found


def workerless(**arguments: Any) -> UseApiAccountTrigger:
    trigger = gate(end_from_trigger=True, **arguments)
    trigger.task_instance = SimpleNamespace(**TASK, task=None)
    return trigger


@needs_streams
@pytest.mark.parametrize("xcoms", ["value", "keys", "none"])
async def test_the_task_ends_in_the_triggerer_where_that_was_asked_for(
    sandbox: Sandbox, supervisor: Supervisor, xcoms: str
) -> None:
    async with triggerer() as running:
        end = await running.start(workerless(xcoms=xcoms))
    assert (str(end.task_instance_state), end.xcoms) == ("success", None)
    if xcoms == "none":
        assert supervisor.xcoms == {}
        return
    value = supervisor.xcoms["return_value"]
    assert value["subscription_is_active"] is True
    assert set(supervisor.xcoms) == {"return_value", *(value if xcoms == "keys" else ())}


@needs_streams
@pytest.mark.real_time
async def test_a_slow_xcom_backend_of_the_users_own_holds_nobody_up(
    sandbox: Sandbox, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.bases.xcom import BaseXCom

    class Backend(BaseXCom):
        @staticmethod
        def serialize_value(value: Any, **_: Any) -> Any:
            time.sleep(1)
            return {"stored": value}

    monkeypatch.setattr("airflow.sdk.execution_time.xcom.XCom", Backend)
    async with triggerer() as running:
        end = running.start(workerless())
        late = 0.0
        while not end.done():
            began = time.monotonic()
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - began)
    assert str(end.result().task_instance_state) == "success"
    assert supervisor.xcoms["return_value"]["stored"]["subscription_is_active"] is True
    assert late < 0.8


@needs_streams
async def test_a_worker_ends_the_task_if_its_xcom_cannot_be_pushed(sandbox: Sandbox) -> None:
    async with triggerer() as running:
        end = await running.start(workerless())
    assert end.payload["outcome"] == "open"


@needs_streams
async def test_a_worker_ends_the_task_if_others_are_mapped_over_its_xcom(
    sandbox: Sandbox, supervisor: Supervisor
) -> None:
    trigger = workerless()
    trigger.task_instance.task = SimpleNamespace(iter_mapped_dependants=lambda: iter([object()]))
    async with triggerer() as running:
        end = await running.start(trigger)
    assert end.payload["outcome"] == "open"
    assert supervisor.xcoms == {}


@needs_streams
async def test_a_permanent_error_and_a_time_out_are_for_a_worker_to_end(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.script(PATH, CLOSED, 412)
    async with triggerer() as running:
        short = running.start(gate(end_from_trigger=True, timeout=0.5))
        long = running.start(gate(end_from_trigger=True))
        assert (await clock.finish(short)).payload["outcome"] == "timeout"
        assert (await clock.finish(long)).payload["outcome"] == "failed"


@needs_streams
async def test_no_answer_makes_the_poll_hurry(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every final status, all at once: each has a connection whose host ends in a path of its own.
    watched = {}
    for status in range(200, 600):
        watched[f"/{status}{PATH}"] = status
        sandbox.script(f"/{status}{PATH}", *[status] * 50)
        connection = {"conn_type": "useapi", "password": sandbox.token}
        connection["host"] = f"{sandbox.url}/{status}"
        monkeypatch.setenv(f"AIRFLOW_CONN_S{status}", json.dumps(connection))
    async with triggerer() as running:
        began = clock.monotonic()
        for status in watched.values():
            # A watcher, which nothing ends.
            running.start(
                UseApiAccountEventTrigger(useapi_conn_id=f"s{status}", poke_interval=1), []
            )
        await clock.advance(4)
        elapsed = clock.monotonic() - began
        assert not [task for task in running.tasks if task.done()], "a watcher never ends"
    counts = dict.fromkeys(watched, 0)
    for request in sandbox.requests:
        counts[request.path] += 1
    assert min(counts.values()) >= 1
    assert max(counts.values()) <= 1 + elapsed


@needs_streams
@pytest.mark.real_time
async def test_a_connection_that_changes_is_used_from_the_next_look_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.account["subscriptionIsActive"] = False
    with Sandbox(token="user:2-other") as other:
        async with triggerer() as running:
            waiting = running.start(gate())
            await asyncio.sleep(0.5)
            monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", other.connection_uri())
            event = await asyncio.wait_for(waiting, 3)
    assert event.payload["outcome"] == "open"
    assert (len(sandbox.requests), len(other.requests)) == (1, 1)


@needs_streams
async def test_a_gate_that_waits_is_few_objects(sandbox: Sandbox, clock: MovableClock) -> None:
    many = 200
    async with triggerer() as running:
        for _ in range(2):  # what is made once for all is there by the second time
            gc.collect()
            before = len(gc.get_objects())
            for _ in range(many):
                running.start(gate(service="minimax", min_active_accounts=4))
            await clock.advance(3)
            gc.collect()
            each = (len(gc.get_objects()) - before) / many
        assert not any(task.done() for task in running.tasks)
    assert each <= 30
