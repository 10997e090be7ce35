"""What a DAG file pays for an import, and what the pure rooms may import."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "airflow_provider_useapi"
HEAVY = ("requests", "httpx", "httpcore", "urllib3", "tenacity", "aiohttp", "pydantic", "fastapi")
IS_3 = metadata.version("apache-airflow").startswith("3.")

PLUGIN_PROCESSES = ["import airflow.plugins_manager"]
"""What a process that loads plugins has loaded; workers have a manager of their own."""
if metadata.version("apache-airflow").startswith(("3.2", "3.3")):
    PLUGIN_PROCESSES.append("import airflow.sdk.plugins_manager")

PURE = sorted(
    path
    for room in ("api", "gate", "audit")
    for path in (PACKAGE / room).rglob("*.py")
    if path != PACKAGE / "audit" / "report.py"  # it renders a template
)
LIGHT_STANDARD = {
    "__future__", "collections", "dataclasses", "datetime", "difflib", "email", "enum", "functools",
    "hashlib", "itertools", "json", "math", "re", "typing", "unicodedata", "urllib",
}  # fmt: skip


def loaded_by(code: str, after: str) -> set[str]:
    script = (
        f"import sys, json; {after}; before = set(sys.modules); {code};"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import airflow_provider_useapi.operators.useapi, airflow_provider_useapi.sensors.useapi",
        "import airflow_provider_useapi.provider_info as p; p.get_provider_info()",
        "import airflow_provider_useapi",
    ],
)
def test_a_dag_file_loads_no_http_client(code: str) -> None:
    base = "from airflow.sdk import DAG, BaseOperator" if IS_3 else "from airflow import DAG"
    added = loaded_by(code, base)
    assert [m for m in added if m.split(".")[0] in HEAVY or "plugin" in m] == []


@pytest.mark.skipif(not IS_3, reason="Airflow 2 loads the providers' hooks with its own modules")
def test_a_dag_file_loads_what_checks_arguments_and_no_more() -> None:
    code = "import airflow_provider_useapi.operators.useapi, airflow_provider_useapi.sensors.useapi"
    added = loaded_by(code, "from airflow.sdk import DAG, BaseOperator")
    ours = {m.removeprefix("airflow_provider_useapi") for m in added if "useapi" in m}
    names = (
        "operators operators.useapi operators.audit operators.audit_check operators.links sensors"
        " sensors.useapi sensors.pace sensors.when_stored"
        " clock compat exceptions connection connection.fields gate gate.condition redaction"
        " validation"
    )
    assert ours <= {"", *(f".{name}" for name in names.split())}


def test_the_provider_info_loads_nothing_of_airflow() -> None:
    added = loaded_by("import airflow_provider_useapi.provider_info", "pass")
    assert [m for m in added if m.startswith("airflow.") or m == "airflow"] == []
    assert {m for m in added if m.startswith("airflow_provider_useapi")} == {
        "airflow_provider_useapi",
        "airflow_provider_useapi.connection",
        "airflow_provider_useapi.connection.fields",
        "airflow_provider_useapi.provider_info",
    }


@pytest.mark.parametrize("process", PLUGIN_PROCESSES)
def test_the_plugin_loads_names_and_no_web_framework(process: str) -> None:
    added = loaded_by("import airflow_provider_useapi.plugin.airflow_plugin", process)
    ours = {m.removeprefix("airflow_provider_useapi") for m in added if "useapi" in m}
    assert ours - {""} == {".compat", ".plugin", ".plugin.airflow_plugin"}
    assert [m for m in added if m.split(".")[0] in {*HEAVY, "starlette", "jinja2"}] == []
    assert [m for m in added if m.startswith("airflow.api_fastapi")] == []


def test_the_plugin_costs_a_process_less_than_two_milliseconds(tmp_path: Path) -> None:
    code = (
        "import time, airflow.plugins_manager; began = time.process_time();"
        "import airflow_provider_useapi.plugin.airflow_plugin;"
        "print(1000 * (time.process_time() - began))"
    )
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: the first run compiles
    run = [sys.executable, "-W", "ignore", "-c", code]
    took = [
        float(
            subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout.split()[
                -1
            ]
        )
        for _ in range(4)
    ]
    assert min(took[1:]) < 2.0


def imports_of(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("source", PURE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_pure_rooms_import_little_from_outside(source: Path) -> None:
    # `make lint` says which of our own rooms they may import, and what never; it has no allowlist.
    foreign = {name.split(".")[0] for name in imports_of(source)} - {"airflow_provider_useapi"}
    assert foreign <= LIGHT_STANDARD | {"pendulum"}
