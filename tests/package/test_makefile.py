"""What `make help` says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_help_tells_every_target_in_a_line() -> None:
    run = ["make", "--no-print-directory", "help"]
    lines = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    told = re.findall(r"^make ([\w-]+) +\S.*$", lines, re.MULTILINE)
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    assert len(told) == len(lines.splitlines())
    assert sorted(told) == sorted(targets[1].split())
