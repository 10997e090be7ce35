"""What a DAG file pays for an import, and which floor may import which."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "airflow_provider_useapi"
HEAVY = ("requests", "httpx", "httpcore", "urllib3", "tenacity", "aiohttp", "pydantic", "fastapi")
IS_3 = metadata.version("apache-airflow").startswith("3.")

# Core: no I/O and no Airflow. Then connection and transports. Airflow's faces are all the rest.
CORE = {
    "account",
    "audit",
    "audit.rows",
    "audit.rules",
    "audit.snapshot",
    "audit.table",
    "answers",
    "asking",
    "arguments",
    "capacity",
    "dialects",
    "gate",
    "json_values",
    "services",
    "exceptions",
    "redaction",
    "retry_after",
    "waiting",
    "pacing",
    "endings",
    "edges",
}
MIDDLE = {
    "addresses", "connection", "form", "proxy", "tls", "deadline", "attempts",
    "transports", "transports.failures", "transports.blocking", "transports.asynchronous",
    "audit.report",
}  # fmt: skip
LIGHT_STANDARD = {
    "__future__", "collections", "dataclasses", "datetime", "difflib", "email", "functools",
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
        "operators operators.useapi operators.audit sensors sensors.useapi arguments compat"
        " exceptions form"
    )
    assert ours <= {"", *(f".{name}" for name in names.split())}


def test_the_provider_info_loads_nothing_of_airflow() -> None:
    added = loaded_by("import airflow_provider_useapi.provider_info", "pass")
    assert [m for m in added if m.startswith("airflow.") or m == "airflow"] == []
    assert {m for m in added if m.startswith("airflow_provider_useapi")} == {
        "airflow_provider_useapi",
        "airflow_provider_useapi.form",
        "airflow_provider_useapi.provider_info",
    }


def imports_of(module: str) -> set[str]:
    path = PACKAGE.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("module", sorted(CORE))
def test_the_core_imports_neither_airflow_nor_anything_that_does_io(module: str) -> None:
    for name in imports_of(module):
        if name.startswith("airflow_provider_useapi."):
            assert name.split(".")[1] in CORE, name
        else:
            assert name.split(".")[0] in LIGHT_STANDARD | {"pendulum"}, name


@pytest.mark.parametrize("module", sorted(MIDDLE))
def test_connection_and_transports_import_nothing_above_them(module: str) -> None:
    below = {name.split(".")[0] for name in CORE | MIDDLE} | {"__version__"}
    for name in imports_of(module):
        assert not name.startswith("airflow."), name
        if name.startswith("airflow_provider_useapi."):
            assert name.split(".")[1] in below, name
