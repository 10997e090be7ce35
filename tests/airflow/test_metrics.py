"""What Airflow's own statistics hear of; whole Airflows show that it gets to a server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_useapi import metrics
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.clock import MovableClock

PATH = "/v2/account"


class Stats:
    """Airflow's Stats, as far as this package uses them."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any, dict[str, Any]]] = []

    def incr(self, name: str, *, tags: dict[str, Any]) -> None:
        self.told.append((name, 1, tags))

    def timing(self, name: str, value: timedelta, *, tags: dict[str, Any]) -> None:
        self.told.append((name, value, tags))


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> Stats:
    recorder = Stats()
    monkeypatch.setattr(metrics, "Stats", recorder)
    return recorder


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (200, "answered"),
        (402, "answered"),
        (401, "refused_token"),
        (404, "refused"),
        (503, "unavailable"),
        (Answer(reset=True), "unavailable"),
        (Answer(body="<html>"), "not_understood"),
    ],
)
def test_each_request_counts_by_its_outcome(
    sandbox: Sandbox, stats: Stats, answer: Any, outcome: str
) -> None:
    sandbox.script(PATH, answer)
    with UseApiHook() as hook:
        try:
            hook.look()
        except UseApiError as e:
            assert outcome != "answered", e
    tags = {"conn_id": "useapi_default", "outcome": outcome}
    assert stats.told == [("useapi.requests", 1, tags)]


def test_what_was_never_asked_is_no_request(stats: Stats) -> None:
    with UseApiHook("nowhere") as hook, pytest.raises(UseApiError):
        hook.look()
    assert stats.told == []


@pytest.mark.parametrize(
    ("answers", "outcome", "kind"),
    [([], "open", None), ([503, 401], "failed", AirflowFailException),
     ([503] * 99, "timeout", AirflowSensorTimeout)],
)  # fmt: skip
def test_a_gate_that_pokes_tells_how_long_it_waited(
    sandbox: Sandbox,
    airflow_clock: MovableClock,
    stats: Stats,
    answers: list[Any],
    outcome: str,
    kind: Any,
) -> None:
    sandbox.script(PATH, *answers)
    gate = UseApiAccountSensor(task_id="gate", poke_interval=0.05, timeout=0.3)
    try:
        gate.execute({})
    except (AirflowFailException, AirflowSensorTimeout) as e:
        assert isinstance(e, kind)
    (waited,) = [told for told in stats.told if told[0] == "useapi.gates.waited"]
    assert waited[2] == {"outcome": outcome}
    assert timedelta(seconds=0.3 if outcome == "timeout" else 0) <= waited[1]
    assert waited[1] < timedelta(seconds=10)
