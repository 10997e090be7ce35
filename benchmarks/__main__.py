"""
The benchmarks: ``python -m benchmarks [PART ...]``, all parts without one.

Each prints its table and writes it into docs/performance.md.
"""

from __future__ import annotations

import argparse
import compileall
import os
import time
from collections.abc import Callable

from benchmarks.imports import imports
from benchmarks.looks import looks
from benchmarks.objects import objects
from benchmarks.release import release
from benchmarks.report import Table, publish
from benchmarks.statements import statements
from benchmarks.triggerer import ROOT
from benchmarks.waiting import waiting
from benchmarks.workers import workers

PARTS: dict[str, Callable[[], Table]] = {
    "waiting": waiting,
    "objects": objects,
    "statements": statements,
    "release": release,
    "workers": workers,
    "import": imports,
    "look": looks,
}


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: the parts are {', '.join(PARTS)}")
    # An installed package is compiled; so is this one, whatever the caller's environment says.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for folder in ("airflow_provider_useapi", "benchmarks", "tests/system"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    for part in parts:
        print(f"== {part}", flush=True)
        began = time.monotonic()
        publish(part, PARTS[part]())
        print(f"{part} took {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
