"""A box between worker and API that forgets idle connections costs a waiting gate no look."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.clock import MovableClock
from tests.helpers.logs import record
from tests.helpers.servers import ForgetfulBox, define

PATH = "/v2/account"
CLOSED = Answer(body={"subscriptionIsActive": False})


@pytest.mark.parametrize("interval", [30, 90])
@pytest.mark.parametrize("how", ["swallowed", "reset", "end", "before"])
def test_no_look_of_a_poking_gate_is_lost(
    monkeypatch: pytest.MonkeyPatch, airflow_clock: MovableClock, how: str, interval: float
) -> None:
    said = record(monkeypatch, UseApiAccountSensor)
    with Sandbox() as sandbox, ForgetfulBox(sandbox.port, how) as box:
        define(monkeypatch, box.url, timeout=2)
        sandbox.script(PATH, CLOSED, CLOSED, CLOSED)
        arguments: dict[str, Any] = {"poke_interval": interval, "timeout": 600}
        found = UseApiAccountSensor(task_id="gate", **arguments).execute({})
    assert found["subscription_is_active"]
    assert len(sandbox.requests) == box.connections == 4
    assert [line for line in said if "check failed" in line] == []
    # A connection that was idle for longer than a minute is not even tried.
    assert box.forgotten == (3 if interval < 60 and how != "before" else 0)
