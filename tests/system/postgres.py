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


@contextmanager
def postgres() -> Iterator[str]:
    """
    Run a server while a ``with`` block does.

    :return: the URL of an empty database, for SQLAlchemy.
    :raises RuntimeError: if PostgreSQL is not installed; the message says what to install.
    """
    programs = binaries()
    if programs is None:
        raise RuntimeError(MISSING)
    # It refuses to run as root, and can then enter no folder of root's either.
    owner = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    data, log = folder / "data", folder / "log"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", data, *arguments],
            user=owner,
            group=owner,
            extra_groups=[] if owner else None,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        if owner:
            os.chown(folder, pwd.getpwnam(owner).pw_uid, -1)
        call("initdb", "-U", USER, "--auth=trust", "--no-sync", "--encoding=UTF8")
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
        options = f"-p {port} -h {HOST} -c unix_socket_directories= -c fsync=off"
        call("pg_ctl", "start", "-w", "-l", str(log), "-o", options)
        try:
            yield f"postgresql+psycopg2://{USER}@{HOST}:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
