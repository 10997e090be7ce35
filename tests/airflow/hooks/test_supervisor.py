"""
Reading a connection in a triggerer, which has the supervisor of its process to ask.

Airflow 3.0 and 3.1 read the supervisor's answers in the order of the questions, on one loop. A
question of another loop, or one that is given up before its answer is read, ends the triggerer.
"""

from __future__ import annotations

import asyncio
import json
from importlib import metadata
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from airflow_provider_useapi.hooks.connection import asettings_of
from airflow_provider_useapi.hooks.useapi import UseApiHook

AIRFLOW = metadata.version("apache-airflow")
TOKEN = "user:12345-abcdefghijklm"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(AIRFLOW.startswith("2."), reason="Airflow 2 has no supervisor"),
]


class Supervisor:
    """What the triggerer of Airflow 3.0 asks: ``send`` finds the loop as that one does."""

    def __init__(self) -> None:
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.answered = self.given_up = 0
        self.answer = asyncio.Event()
        self.asked = asyncio.Event()

    def send(self, message: Any) -> None:
        async_to_sync(self.asend)(message)

    async def asend(self, message: Any) -> None:
        self.loops.append(asyncio.get_running_loop())
        self.asked.set()
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        self.answered += 1


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> Supervisor:
    found = Supervisor()
    module = "airflow.sdk.execution_time.task_runner"
    monkeypatch.setattr(f"{module}.SUPERVISOR_COMMS", found, raising=False)
    connection = {"conn_type": "useapi", "password": TOKEN}
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", json.dumps(connection))
    return found


async def test_every_question_is_one_of_the_triggerers_own_loop(supervisor: Supervisor) -> None:
    supervisor.answer.set()
    settings = await asettings_of(UseApiHook())
    assert TOKEN in settings.secrets
    assert set(supervisor.loops) == {asyncio.get_running_loop()}


@pytest.mark.skipif(
    not AIRFLOW.startswith(("3.0.", "3.1.")), reason="Airflow from 3.2 on finds each its answer"
)
async def test_a_question_is_not_given_up_with_its_trigger(supervisor: Supervisor) -> None:
    reading = asyncio.ensure_future(asettings_of(UseApiHook()))
    await supervisor.asked.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    supervisor.answer.set()
    while not supervisor.answered + supervisor.given_up:
        await asyncio.sleep(0)
    assert supervisor.given_up == 0
