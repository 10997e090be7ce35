"""What Airflow's own statistics hear of; whole Airflows show that it gets to a server."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi import metrics
from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.linked import Linked, LinkedAccounts, Reading
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor
from tests.helpers.clock import MovableClock

ROOT = Path(__file__).parents[2]
PATH = "/v2/account"


class Stats:
    """Airflow's Stats, as far as this package uses them."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any, dict[str, Any]]] = []

    def incr(self, name: str, *, tags: dict[str, Any]) -> None:
        self.told.append((name, 1, tags))

    def gauge(self, name: str, value: int, *, tags: dict[str, Any] | None = None) -> None:
        self.told.append((name, value, tags or {}))

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


# --- Names that a receiver refuses ----------------------------------------------------------------

ODD_IDS = [
    "ünï",
    "useapi:eu",
    "useapi/eu",
    "use api",
    "a,b",
    "a=b",
    "a|b",
    "a#b@c",
    "a.b",
    "a\\b",
    "a\nb",
    "(a)!",
    "🎬",
    "é" * 80,
    "x" * 250,
]
FIT = re.compile(r"[A-Za-z0-9_-]{1,60}")


def tell_all(conn_id: str) -> None:
    """All metrics that name a connection."""
    with metrics.counted_request(conn_id):
        pass
    metrics.gates_waiting(conn_id, 1)
    metrics.gates_waiting(conn_id, -1)
    body = {
        "id": 1,
        "subscriptionIsActive": True,
        "accounts": {"Kling API": {"total": 3, "active": 2, "error": 1}, "": {}, "ö,=|:": {}},
    }
    account = Account.from_json(body)
    metrics.send(audited(Snapshot.of_account(account, conn_id, "2026-11-15T06:00:00+00:00"), None))


def assert_fit(stats: Stats) -> None:
    assert stats.told
    for name, _, tags in stats.told:
        assert all(FIT.fullmatch(part) for part in name.split(".")), name
        assert all(FIT.fullmatch(value) for value in tags.values()), tags


@pytest.mark.parametrize("conn_id", ODD_IDS)
def test_no_tag_and_no_name_holds_what_a_receiver_refuses(stats: Stats, conn_id: str) -> None:
    """Neither StatsD (``, =`` separate, 250 characters), nor Datadog (``: | # ,``)."""
    tell_all(conn_id)
    assert_fit(stats)


@given(st.text(min_size=1))
def test_no_connection_id_gets_through_unfit(conn_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        recorder = Stats()
        patch.setattr(metrics, "Stats", recorder)
        tell_all(conn_id)
        assert_fit(recorder)


def test_connections_whose_ids_differ_in_such_characters_only_count_together(
    stats: Stats,
) -> None:
    for conn_id, change in (("useapi:eu", 1), ("useapi/eu", 1), ("useapi:eu", -1)):
        metrics.gates_waiting(conn_id, change)
    metrics.gates_waiting("useapi/eu", -1)
    assert [(value, tags["conn_id"]) for _, value, tags in stats.told] == [
        (1, "useapi_eu"),
        (2, "useapi_eu"),
        (1, "useapi_eu"),
        (0, "useapi_eu"),
    ]


@contextmanager
def statsd() -> Iterator[tuple[int, list[str]]]:
    """A server for the time of a ``with`` block: its port, and afterwards the lines that came."""
    lines: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        # All of them at once, before a busy machine lets the thread below take the first.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        server.bind(("127.0.0.1", 0))

        def listen() -> None:
            while line := server.recv(1000).decode():
                lines.append(line)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], lines
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"", server.getsockname())
            thread.join(10)


@pytest.mark.parametrize("tagged", ["True", "False"])
def test_a_statsd_server_gets_all_of_them_and_airflow_logs_nothing(tagged: str) -> None:
    with statsd() as (port, lines):
        env = {
            **os.environ,
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": tagged,
        }
        done = subprocess.run(
            [sys.executable, "-c", TELL], env=env, cwd=ROOT, capture_output=True, text=True,
            check=True, timeout=60,
        )  # fmt: skip
    said = done.stdout + done.stderr
    assert "Traceback" not in said and "Dropping invalid tag" not in said, said
    received = [line.removeprefix("airflow.") for line in lines]
    mark = ",conn_id=" if tagged == "True" else ":"
    for name in ("useapi.requests", "useapi.gates.waiting", "useapi.accounts"):
        of_name = [line for line in received if re.match(f"{name}[,:]", line)]
        assert len(of_name) >= len(ODD_IDS) and all(mark in line for line in of_name)


TELL = """
try:
    import airflow.sdk.serde  # on Airflow 3 it sets up the metrics, as it does in every task
except ImportError:
    pass
from tests.airflow.test_metrics import ODD_IDS, tell_all

for conn_id in ODD_IDS:
    tell_all(conn_id)
"""


def opentelemetry() -> tuple[Any, Any]:
    """Airflow's own logger for OpenTelemetry, and what reads from it."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    try:
        from airflow._shared.observability.metrics.otel_logger import SafeOtelLogger
    except ImportError:
        from airflow.metrics.otel_logger import SafeOtelLogger

    reader = InMemoryMetricReader()
    return SafeOtelLogger(MeterProvider(metric_readers=[reader]), prefix="airflow"), reader


def exported(reader: Any) -> dict[str, list[tuple[dict[str, str], float]]]:
    """What OpenTelemetry exports: by name, the attributes and the value of each point."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points = [(dict(p.attributes), p.value) for p in metric.data.data_points]
                found.setdefault(metric.name, []).extend(points)
    return found


def test_opentelemetry_mixes_up_no_names(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
    receiver, reader = opentelemetry()
    monkeypatch.setattr(metrics, "Stats", receiver)
    caplog.set_level(logging.DEBUG, metrics.__name__)
    for conn_id in ODD_IDS:
        tell_all(conn_id)  # a name that is cut is a warning, and that an error in these tests
    found = exported(reader)
    requests = [tags["conn_id"] for tags, _ in found["airflow.useapi.requests"]]
    assert len(requests) >= len(set(map(len, ODD_IDS))) and all(map(FIT.fullmatch, requests))
    points = found["airflow.useapi.accounts"]
    states = {tags["state"]: value for tags, value in points if tags["service"] == "kling"}
    # Of gauges with one name and several sets of tags, Airflow 2.11 exports the first alone.
    assert states == ({"total": 3} if LONGEST == 63 else {"total": 3, "active": 2, "error": 1})
    untagged = {name: of_name for name, of_name in found.items() if name.count(".") > 2}
    untagged.pop("airflow.useapi.gates.waiting")
    assert untagged["airflow.useapi.accounts.a_b.kling.active"] == [({}, 2)]
    assert all(len(of_name) == 1 for of_name in untagged.values())
    assert all(name.rpartition(".")[2] in metrics.STATES for name in untagged)
    left_out = [record for record in caplog.records if record.name == metrics.__name__]
    # One for each audit with a long name, where they are cut at 63 characters.
    assert len(left_out) == (2 if LONGEST == 63 else 0)
    assert all("more than 55 characters" in record.getMessage() for record in left_out)


def test_another_receiver_gets_long_names_on_every_airflow(
    monkeypatch: pytest.MonkeyPatch, stats: Stats
) -> None:
    for switch in ("STATSD_ON", "STATSD_DATADOG_ENABLED"):
        monkeypatch.setenv(f"AIRFLOW__METRICS__{switch}", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")  # Airflow takes the other one
        tell_all("x" * 250)
        assert f"useapi.accounts.{'x' * 60}.kling.active" in [name for name, _, _ in stats.told]
        stats.told.clear()
        monkeypatch.delenv(f"AIRFLOW__METRICS__{switch}")


LONGEST = 63 if metadata.version("apache-airflow").startswith("2.") else 255
"""How long the name of a metric may be for OpenTelemetry, prefix included; else Airflow cuts it."""


def test_healthy_accounts_and_credits_are_gauges() -> None:
    def taken(*linked: Linked, services: tuple[str, ...] = ("kling",)) -> Snapshot:
        body = {"id": 1, "subscriptionIsActive": True, "accounts": {key: {} for key in services}}
        reading = Reading({slug: LinkedAccounts(linked) for slug in services if slug == "kling"})
        account = Account.from_json(body)
        return Snapshot.of_account(account, "conn", "2026-11-15T06:00:00+00:00", reading)

    fine, broken = Linked("a", "1", True, credits=300), Linked("b", "2", False, "x", credits=900)
    snapshot = audited(taken(fine, replace(fine, credits=500), broken), None)
    told = {(slug, state): value for slug, state, value in metrics.account_gauges(snapshot)}
    assert (told["kling", "healthy"], told["kling", "credits"]) == (2, 500)
    unknown = {state for _, state, _ in metrics.account_gauges(audited(taken(broken), None))}
    assert "healthy" in unknown and "credits" not in unknown
    gone = list(metrics.account_gauges(audited(taken(services=("muse",)), snapshot)))
    assert ("kling", "healthy", 0) in gone
