"""One whole Airflow for all tests of the page, with a fortnight of audits and gates that wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.system import fortnight
from tests.system.browser import Browser, browser
from tests.system.history import environment

from .airflows import GuardedAirflow, guarded


@dataclass(frozen=True)
class Lived:
    """An Airflow after a fortnight, and the run whose gates wait."""

    airflow: GuardedAirflow
    run_id: str


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; where there is none the message says what to install."""
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The Airflow after the fortnight."""
    home = tmp_path_factory.mktemp("home")
    with fortnight.sandboxes() as found:
        env = {**environment(home), **guarded(home), **fortnight.connections(found)}
        with GuardedAirflow(home, fortnight.dags_in(home), env, fortnight.COMPONENTS) as airflow:
            for _ in fortnight.live_it(airflow, found):
                pass
            yield Lived(airflow, fortnight.let_gates_wait(airflow))


@pytest.fixture(scope="session")
def airflow(lived: Lived) -> GuardedAirflow:
    """The Airflow after the fortnight."""
    return lived.airflow
