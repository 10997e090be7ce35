"""
A PostgreSQL of its own for a test: in a temporary folder, on a free port, gone afterwards.

Airflow orders some things differently on it than on SQLite: runs without a logical date, for one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

HOST, USER = "127.0.0.1", "airflow"
MISSING = (
    "PostgreSQL's server is missing: install it (on Debian and Ubuntu: apt install postgresql)."
)


def binaries() -> Path | None:
    """The folder of the newest ``initdb`` and ``pg_ctl``; Debian keeps them off the path."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


class PostgresServer:
    """
    A server that runs while a ``with`` block does; it may be stopped and started meanwhile.

    :param connections: how many it takes at a time.
    :raises RuntimeError: if PostgreSQL is not installed; the message says what to install.
    """

    def __init__(self, connections: int = 100) -> None:
        found = binaries()
        if found is None:
            raise RuntimeError(MISSING)
        self._programs = found
        # It refuses to run as root, and can then enter no folder of root's either.
        self._owner = "postgres" if os.geteuid() == 0 else None
        with socket.create_server((HOST, 0)) as taken:
            self._port = taken.getsockname()[1]
        self._options = (
            f"-p {self._port} -h {HOST} -c unix_socket_directories= -c fsync=off"
            f" -c max_connections={connections}"
        )

    @property
    def url(self) -> str:
        """The URL of its database, which is empty at first, for SQLAlchemy."""
        return f"postgresql+psycopg2://{USER}@{HOST}:{self._port}/postgres"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        try:
            if self._owner:
                os.chown(self._folder, pwd.getpwnam(self._owner).pw_uid, -1)
            self._call("initdb", "-U", USER, "--auth=trust", "--no-sync", "--encoding=UTF8")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start, for the first time or again, with what was stored."""
        self._call("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", self._options)

    def stop(self) -> None:
        """Break off at once, as in a crash; harmless if it does not run."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._call("pg_ctl", "stop", "-w", "-m", "immediate")

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._folder / "data", *arguments],
            user=self._owner,
            group=self._owner,
            extra_groups=[] if self._owner else None,
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server while a ``with`` block does; the value is the URL of an empty database."""
    with PostgresServer() as server:
        yield server.url
