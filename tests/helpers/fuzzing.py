"""
``make fuzz``: every property test, with many more examples than ``make test`` takes the time for.

A plugin of pytest, and a profile of hypothesis. Each property runs in rounds, until it has had its
examples, its time is up, or there are no others; a table at the end tells what really ran.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

EXAMPLES = 100_000
"""How many examples of a property are enough."""

ROUND = 500
"""Examples of a round: hypothesis remembers those of one, to give none twice."""

SECONDS = 60.0
"""How long a property may take; the round that is running then is finished."""

settings.register_profile(
    "fuzz",
    max_examples=ROUND,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long each property may take."""
    parser.addoption("--seconds", type=float, default=SECONDS, help="seconds of each property")


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """The profile of tests/conftest.py is that of ``make test``."""
    settings.load_profile("fuzz")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is no property."""
    chosen = [item for item in items if is_hypothesis_test(getattr(item, "obj", None))]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Run a property in rounds."""
    prop: Any = pyfuncitem.obj
    rounds = _Rounds(prop, pyfuncitem.config.getoption("--seconds"))
    pyfuncitem.obj = rounds.run
    try:
        return (yield)
    finally:
        pyfuncitem.obj = prop
        pyfuncitem.user_properties.append(("examples", rounds.told()))


class _Rounds:
    """
    The rounds of a property.

    :param prop: what ``@given`` has made.
    :param seconds: how long all of them may take.
    """

    def __init__(self, prop: Any, seconds: float) -> None:
        self._prop = prop
        self._began = time.monotonic()
        self._until = self._began + seconds
        self._ran = 0
        self._end = "time is up"

    def run(self, **arguments: Any) -> None:
        """All rounds, to the first failure."""
        handle = self._prop.hypothesis
        test, handle.inner_test = handle.inner_test, self._counted(handle.inner_test)
        try:
            while self._ran < EXAMPLES and time.monotonic() < self._until:
                before = self._ran
                self._prop(**arguments)
                if self._ran - before < ROUND:
                    self._end = "there are no more"
                    return
        finally:
            handle.inner_test = test
        self._end = "enough" if self._ran >= EXAMPLES else self._end

    def told(self) -> tuple[int, float, str]:
        """Examples, seconds, and why it ended."""
        return self._ran, time.monotonic() - self._began, self._end

    def _counted(self, test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        def counted(*args: Any, **kwargs: Any) -> Any:
            result = test(*args, **kwargs)
            self._ran += 1
            return result

        return counted


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table."""
    reports = [
        report
        for kind in ("passed", "failed")
        for report in terminalreporter.getreports(kind)
        if report.when == "call"
    ]
    lines = [
        (dict(report.user_properties)["examples"], report.nodeid, report.outcome)
        for report in reports
        if "examples" in dict(report.user_properties)
    ]
    terminalreporter.section("properties")
    for (ran, took, end), name, outcome in sorted(lines, key=lambda line: line[1]):
        terminalreporter.write_line(f"{ran:>8} {took:>7.1f} s  {outcome:<6}  {end:<17}  {name}")
    total, seconds = (sum(line[0][part] for line in lines) for part in (0, 1))
    terminalreporter.write_line(
        f"{len(lines)} properties, {total} examples, {seconds:.0f} s of their own"
    )
