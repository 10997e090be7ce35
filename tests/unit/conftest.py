"""The pure part and the sandbox know no Airflow: where only their tests run, there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Let every import of Airflow fail, unless other tests run as well."""
    asked = [Path(config.invocation_params.dir, each.partition("::")[0]) for each in config.args]
    if all(path.resolve().is_relative_to(HERE) for path in asked):
        sys.modules["airflow"] = None  # type: ignore[assignment]
