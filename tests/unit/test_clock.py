"""The clock of the package, and the one that tests move, which overtakes nothing."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from airflow_provider_useapi import clock as package_clock
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.connection.settings import read_settings
from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.sandbox import Answer, Sandbox
from airflow_provider_useapi.transport.async_client import AsyncClient
from tests.helpers.clock import MovableClock

pytestmark = pytest.mark.anyio


@pytest.mark.real_time
def test_it_is_the_clock_of_the_system() -> None:
    before, began = time.time(), time.monotonic()
    package_clock.sleep(0.05)
    assert 0.05 <= package_clock.monotonic() - began < 5
    assert before <= package_clock.time() <= time.time()
    assert before <= package_clock.now().timestamp() <= datetime.now(UTC).timestamp()
    assert package_clock.now().tzinfo is UTC


def test_a_test_may_bring_its_own_for_a_while() -> None:
    class Stopped(package_clock.Clock):
        def time(self) -> float:
            return 1.0

    with pytest.raises(ZeroDivisionError), package_clock.using(Stopped()):
        assert package_clock.time() == 1.0
        assert package_clock.now() == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
        raise ZeroDivisionError
    assert package_clock.time() > 1.0


def test_who_sleeps_moves_it(clock: MovableClock) -> None:
    began = time.monotonic()
    wall, monotonic = package_clock.time(), package_clock.monotonic()
    package_clock.sleep(3600)
    assert package_clock.time() - wall >= 3600
    assert package_clock.monotonic() - monotonic >= 3600
    assert time.monotonic() - began < 60


async def test_time_passes_from_timer_to_timer(clock: MovableClock) -> None:
    woken: list[str] = []
    began = clock.monotonic()

    async def tick(hours: int) -> None:
        while True:
            await asyncio.sleep(hours * 3600)
            woken.extend([f"{hours} h: {(clock.monotonic() - began) / 3600:.0f}"])

    tasks = [asyncio.create_task(tick(hours)) for hours in (10, 4)]
    await clock.advance(19 * 3600)
    assert woken == ["4 h: 4", "4 h: 8", "10 h: 10", "4 h: 12", "4 h: 16"]
    for task in tasks:
        task.cancel()


async def test_time_does_not_pass_by_itself(clock: MovableClock) -> None:
    waiting = asyncio.create_task(asyncio.sleep(3600))
    await clock.settle()
    assert clock.ahead == 0
    assert not waiting.done()
    await clock.finish(waiting, within=3601)
    assert 3590 < clock.ahead <= 3600


async def test_what_takes_too_long_is_not_waited_for(clock: MovableClock) -> None:
    with pytest.raises(TimeoutError):
        await clock.finish(asyncio.Event().wait(), within=30)
    assert 29 < clock.ahead < 31


async def test_a_thread_is_not_overtaken(clock: MovableClock) -> None:
    async with asyncio.timeout(60):
        await clock.finish(asyncio.to_thread(time.sleep, 0.05))
    assert clock.ahead == 0


@pytest.fixture
def client(sandbox: Sandbox) -> AsyncClient:
    return AsyncClient(
        read_settings(
            "useapi_default",
            host=sandbox.url,
            port=None,
            login=None,
            password=sandbox.token,
            extra={"timeout": 0.2},
        )
    )


async def test_a_request_is_not_overtaken(
    sandbox: Sandbox, clock: MovableClock, client: AsyncClient
) -> None:
    sandbox.script(ACCOUNT_PATH, Answer(delay=0.05))
    answered: list[float] = []

    async def ask_later() -> None:
        async with client:
            await asyncio.sleep(49)
            await client.ask(ACCOUNT_PATH, read_account)
            answered.extend([clock.time()])
            await asyncio.sleep(100)

    began = clock.time()
    asking = asyncio.create_task(ask_later())
    await clock.advance(50)
    (request,) = sandbox.requests
    assert 49 <= request.time - began < answered[0] - began < 50
    asking.cancel()


async def test_what_bounds_a_request_is_real_time(
    sandbox: Sandbox, clock: MovableClock, client: AsyncClient
) -> None:
    sandbox.script(ACCOUNT_PATH, Answer(delay=60))
    began = time.monotonic()
    async with client:
        with pytest.raises(UseApiUnavailableError, match=r"0\.2 s"):
            await clock.finish(client.get(ACCOUNT_PATH))
    assert time.monotonic() - began >= 0.2
    assert clock.ahead == 0


def test_airflow_takes_it_for_asyncio_run(clock: MovableClock) -> None:
    async def wait() -> str:
        await asyncio.sleep(3600)
        return "over"

    assert clock.run(wait()) == "over"
    assert 3590 < clock.ahead <= 3600
