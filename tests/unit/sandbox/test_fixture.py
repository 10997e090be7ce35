"""The pytest fixture of the sandbox, and what importing the package costs and offers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]


def test_the_fixture(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # -p, whether installed or not
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("AIRFLOW_CONN_USEAPI_DEFAULT", raising=False)
    pytester.makepyfile(
        """
        import os, sys, threading, urllib.request

        def test_it_runs(useapi_sandbox):
            assert os.environ["AIRFLOW_CONN_USEAPI_DEFAULT"] == useapi_sandbox.connection_uri()
            request = urllib.request.Request(useapi_sandbox.url + "/v2/account")
            request.add_header("Authorization", "Bearer " + useapi_sandbox.token)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request) as response:
                assert response.status == 200
            assert len(useapi_sandbox.requests) == 1

        def test_it_is_gone():
            assert "AIRFLOW_CONN_USEAPI_DEFAULT" not in os.environ
            assert "airflow" not in sys.modules
            assert len(threading.enumerate()) == 1
        """
    )
    result = pytester.runpytest_subprocess(
        "-p", "airflow_provider_useapi.sandbox.fixture", "-W", "error"
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import airflow_provider_useapi.sandbox.fixture", ["asyncio", "ssl", "json"]),
        ("from airflow_provider_useapi.sandbox import Sandbox; Sandbox()", []),
        ("import airflow_provider_useapi.sandbox.__main__", []),
    ],
)
def test_importing_it_is_light(statement: str, unwanted: list[str]) -> None:
    # pytest is imported first and what it brings along is not counted.
    unwanted = [*unwanted, "airflow", "requests", "httpx", "http.client", "urllib.request"]
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        f"{statement}\n"
        f"print(*((set(sys.modules) - before) & set({unwanted!r})))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", code]
    result = subprocess.run(run, capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.split() == []


def test_the_package_offers_its_names_and_no_others() -> None:
    from airflow_provider_useapi import sandbox as package

    assert {"Answer", "Request", "Sandbox"} <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'Sandbocks'"):
        package.Sandbocks  # noqa: B018
