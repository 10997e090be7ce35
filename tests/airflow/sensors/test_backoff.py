"""When a gate with ``exponential_backoff`` looks: never too late, and the same in every mode."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest

from airflow_provider_useapi.gate.schedule import backoff
from airflow_provider_useapi.sensors.deferral import trigger_arguments
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

BEGAN = {"poke": 1234.5, "reschedule": datetime(2026, 3, 1, tzinfo=UTC)}
MODES = pytest.mark.parametrize("mode", ["poke", "reschedule"])
INTERVALS = pytest.mark.parametrize("interval", [0, 0.5, 1, 60])
LIMITS = pytest.mark.parametrize("limit", [None, 60, timedelta(minutes=1)])


def gate(mode: str, interval: float, limit: Any) -> UseApiAccountSensor:
    return UseApiAccountSensor(
        task_id="gate",
        mode=mode,
        poke_interval=interval,
        max_wait=limit,
        exponential_backoff=True,
        timeout=30 * 86400,
    )


def wait_after(sensor: UseApiAccountSensor, elapsed: float, looks: int) -> float:
    return sensor._get_next_poke_interval(BEGAN[sensor.mode], lambda: elapsed, looks)


@MODES
@INTERVALS
@LIMITS
def test_no_number_of_looks_is_too_large(mode: str, interval: float, limit: Any) -> None:
    sensor = gate(mode, interval, limit)
    for looks in (1, 1024, 1025, 1026, 10**6):
        for elapsed in (0.0, 17 * 3600.0, 29 * 86400.0):
            wait = wait_after(sensor, elapsed, looks)
            assert 0 < wait <= (2.0**34 if limit is None else 60)


@MODES
@INTERVALS
@LIMITS
def test_the_waits_are_those_of_the_trigger(mode: str, interval: float, limit: Any) -> None:
    sensor = gate(mode, interval, limit)
    waits, elapsed = [], 0.0
    for looks in range(1, 21):
        waits.append(wait_after(sensor, elapsed, looks))
        elapsed += waits[-1]
    handed_over = trigger_arguments(sensor)
    assert handed_over["exponential_backoff"] is True
    seed = f"{sensor.dag_id}#gate#{BEGAN[mode]}"
    moments = backoff(handed_over["poke_interval"], handed_over["max_wait"], seed)
    expected = [after - before for before, after in pairwise([0.0, *islice(moments, 20)])]
    assert waits == pytest.approx(expected)


@MODES
@INTERVALS
def test_a_limit_is_kept(mode: str, interval: float) -> None:
    sensor = gate(mode, interval, 60)
    waits = [wait_after(sensor, elapsed, 2) for elapsed in range(0, 100_000, 997)]
    assert max(waits) <= 60
