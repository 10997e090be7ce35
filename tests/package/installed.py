"""
What an installed wheel does by itself: ``python -I tests/package/installed.py``, in ``make dist``.

It runs where nothing is installed but the wheel, Airflow, and what the two ask for, and it knows
nothing of the repository: an import that nobody asked for fails here, and so does a file that the
wheel has not got.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import airflow_provider_useapi
from airflow_provider_useapi.compat import SHOWS_PAGES
from airflow_provider_useapi.hooks.useapi import UseApiHook

CONNECTION = "AIRFLOW_CONN_USEAPI_DEFAULT"


def main() -> None:
    """Import all of it, start the sandbox, and ask that as Airflow's test button does."""
    assert Path(airflow_provider_useapi.__file__).is_relative_to(sys.prefix)
    names = list(modules())
    for name in names:
        importlib.import_module(name)
    command = [sys.executable, "-I", "-m", "airflow_provider_useapi.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            assert sandbox.stdout is not None
            os.environ[CONNECTION] = exported(sandbox.stdout)
            connected, words = UseApiHook().test_connection()
        finally:
            sandbox.terminate()
    assert connected, words
    assert sandbox.returncode == 0
    print(f"{len(names)} modules imported. The sandbox was asked: {words}")


def modules() -> Iterator[str]:
    """The modules that load without pytest and, before Airflow 3.1, without what draws pages."""
    elsewhere = {"airflow_provider_useapi.sandbox.fixture"}
    if not SHOWS_PAGES:
        elsewhere.add("airflow_provider_useapi.plugin.application")
    path = airflow_provider_useapi.__path__
    for module in pkgutil.walk_packages(path, "airflow_provider_useapi."):
        if module.name not in elsewhere:
            yield module.name


def exported(greeting: IO[str]) -> str:
    """
    The connection that the sandbox says a reader should export.

    :param greeting: what it says when it has started.
    """
    for line in greeting:
        if f"export {CONNECTION}=" in line:
            return shlex.split(line)[1].removeprefix(f"{CONNECTION}=")
    raise AssertionError("the sandbox did not start")


if __name__ == "__main__":
    main()
