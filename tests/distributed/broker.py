"""The Redis of a distributed Airflow: on a free port, gone afterwards."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Self

from tests.system.stack import HOST, free_ports


class Redis:
    """A broker that keeps what it is told on disk, while a ``with`` block runs."""

    MISSING = "Redis is missing: install it (on Debian and Ubuntu: apt install redis-server)."

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError(self.MISSING)
        self._folder = folder
        (self.port,) = free_ports(1)
        self._command = [program, "--bind", HOST, "--port", str(self.port), "--dir", str(folder)]
        self._command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, for the first time or again, with what was stored."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def stop(self) -> None:
        """Kill it; harmless if it does not run."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
