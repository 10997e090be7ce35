"""What the modules cost each time a DAG file is read."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from benchmarks.report import Table
from benchmarks.triggerer import ROOT

INTERPRETERS, PARSINGS = 9, 15
IMPORTS = {
    "EmptyOperator (the floor)": ["airflow.providers.standard.operators.empty"],
    "UseApiAccountOperator and UseApiAccountSensor": [
        "airflow_provider_useapi.operators.useapi",
        "airflow_provider_useapi.sensors.useapi",
    ],
    "UseApiHook": ["airflow_provider_useapi.hooks.useapi"],
    "the plugin of the page": ["airflow_provider_useapi.plugin.airflow_plugin"],
    "HttpSensor": ["airflow.providers.http.sensors.http"],
}
_IMPORT = """
import sys, time
from importlib import import_module
import airflow.plugins_manager
from airflow.sdk import DAG, BaseOperator
before, began = len(sys.modules), time.process_time()
for name in sys.argv[1:]:
    import_module(name)
print((time.process_time() - began) * 1000, len(sys.modules) - before)
"""
_DAG = """
from datetime import datetime
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
{line}
with DAG("parsed_{name}", schedule=None, start_date=datetime(2026, 1, 1)):
    for number in range({gates}):
        {call}
    for number in range({others}):
        EmptyOperator(task_id=f"task_{{number}}")
"""
_EMPTY = ("", 'EmptyOperator(task_id=f"gate_{number}")')
_BARE = (
    """from airflow.sdk import BaseSensorOperator
class Bare(BaseSensorOperator):
    def poke(self, context):
        return True
""",
    'Bare(task_id=f"gate_{number}")',
)
_TEMPLATED = (
    """from airflow.sdk import BaseSensorOperator
class Templated(BaseSensorOperator):
    template_fields = ("first", "second")
    def __init__(self, *, first, second, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = first, second
    def poke(self, context):
        return True
""",
    'Templated(task_id=f"gate_{number}", first="a", second="b")',
)
_OURS = (
    "from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor",
    'UseApiAccountSensor(task_id=f"gate_{number}", service="kling")',
)
_HTTP = (
    "from airflow.providers.http.sensors.http import HttpSensor",
    'HttpSensor(task_id=f"gate_{number}", endpoint="v2/account")',
)
GATES = {
    "EmptyOperator (the floor)": _EMPTY,
    "BaseSensorOperator (the floor of any sensor)": _BARE,
    "BaseSensorOperator with two template fields": _TEMPLATED,
    "UseApiAccountSensor": _OURS,
    "HttpSensor": _HTTP,
}
SIZES = ((1, 9), (100, 0))
"""Gates in a DAG, and other tasks."""
# As the DAG processor does it: it imports modules of Airflow itself beforehand, once, and reads
# each file in a fork.
_PARSE = """
import os, sys, time, structlog
from airflow.dag_processing import processor
log = structlog.get_logger()
for _ in range(int(sys.argv[1])):
    for file in sys.argv[2:]:
        processor._pre_import_airflow_modules(file, log)
        if pid := os.fork():
            os.waitpid(pid, 0)
            continue
        began = time.process_time()
        found = processor._parse_file(
            processor.DagFileParseRequest(
                file=file, bundle_path=os.path.dirname(file), bundle_name="dags-folder"
            ),
            log,
        )
        took = time.process_time() - began
        assert len(found.serialized_dags) == 1, found.import_errors
        print(file, took * 1000, flush=True)
        os._exit(0)
"""


def imports() -> Table:
    """Imports and parsing: CPU time, medians."""
    table = Table(("what", "CPU ms", "against the floor", "modules"))
    with tempfile.TemporaryDirectory() as folder:
        env = _environment(Path(folder))
        for name, samples in _import_costs(env).items():
            times, modules = zip(*samples, strict=True)
            table.add(f"import {name}", median(times), "", int(modules[0]))
        for gates, others in SIZES:
            parsed = _parsing_costs(env, Path(folder), gates, others)
            floor = next(iter(parsed.values()))
            for name, cost in parsed.items():
                what = f"parse a DAG of {gates} {name}"
                what += f" and {others} EmptyOperator" if others else ""
                table.add(what, cost, f"{cost / floor:.2f}", "")
    table.notes.append(
        "Imports: beyond `from airflow.sdk import DAG, BaseOperator` and Airflow's own manager of"
        f" plugins, {INTERPRETERS} fresh interpreters each. Parsing: reading and serializing the"
        f" file in {PARSINGS} forks of a process that has loaded what the DAG processor has, which"
        " includes modules of Airflow and its own providers that the file imports, but not ours."
        " Medians."
    )
    return table


def _import_costs(env: dict[str, str]) -> dict[str, list[tuple[float, int]]]:
    found: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for turn in range(INTERPRETERS + 1):
        for name, modules in IMPORTS.items():
            milliseconds, count = _python(_IMPORT, modules, env).split()
            if turn:  # the first one compiles
                found[name].append((float(milliseconds), int(count)))
    return found


def _parsing_costs(env: dict[str, str], folder: Path, gates: int, others: int) -> dict[str, float]:
    names = {}
    for number, (name, (line, call)) in enumerate(GATES.items()):
        file = folder / f"dag_{number}.py"
        file.write_text(_DAG.format(line=line, call=call, name=number, gates=gates, others=others))
        names[str(file)] = name
    found = defaultdict(list)
    for line in _python(_PARSE, [str(PARSINGS + 1), *names], env).splitlines():
        path, _, milliseconds = line.partition(" ")
        if path in names:
            found[names[path]].append(float(milliseconds))
    return {name: median(found[name][1:]) for name in GATES}


def _python(script: str, arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return done.stdout


def _environment(home: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
