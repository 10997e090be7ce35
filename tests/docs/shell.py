"""Commands of a page, run one after the other as a reader would, and their output."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from airflow_provider_useapi.sandbox import Sandbox

SANDBOX = "python -m airflow_provider_useapi.sandbox"
_PORTS = re.compile(r"\b87(87|88)\b")
_READY = "Ctrl-C ends it. Requests:\n"


class Shell:
    """
    A shell in a folder of its own, whose variables last from command to command.

    A sandbox runs in the background, on a free port in place of the one that the page says.

    :param folder: where the commands run.
    :param env: their environment.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._env = dict(env)
        self._port = _free_port()
        self._sandboxes: list[Sandbox] = []

    def here(self, text: str) -> str:
        """A command or an output with the port that is used here."""
        return _PORTS.sub(self._port, text)

    def run(self, command: str) -> str:
        """
        Run a command and return what it says.

        :param command: one or more lines.
        """
        if command.startswith(SANDBOX):
            return self._start(command)
        kept = self.folder / ".environment"
        script = f"{self.here(command)}\ncode=$?\nenv -0 > {kept}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )
        variables = kept.read_text().rstrip("\0").split("\0")
        self._env = dict(variable.split("=", 1) for variable in variables)
        expected = (0, 1) if " useapi check " in command else (0,)
        assert done.returncode in expected, f"{command}\n{done.stdout}"
        return done.stdout

    def _start(self, command: str) -> str:
        """What the sandbox says; afterwards one that waits for nobody listens on the same port."""
        with subprocess.Popen(
            [sys.executable, *self._on_port(command).split()[1:]],
            env=self._env,
            stdout=subprocess.PIPE,
            text=True,
        ) as started:
            assert started.stdout is not None
            said = "".join(takewhile(lambda line: line != _READY, started.stdout)) + _READY
            started.terminate()
        port = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        assert port is not None
        sandbox = Sandbox(port=int(port[1]))
        for service, accounts in list(sandbox.capacity.items()):
            sandbox.link(service, *accounts)
        if "--inactive-for" in command:
            # Not for seconds, which a busy machine may need for less: until it has been asked.
            inactive = {**sandbox.account, "subscriptionIsActive": False}
            sandbox.script("/v2/account", {"body": inactive})
        self._sandboxes.append(sandbox.start())
        return said

    def _on_port(self, command: str) -> str:
        if "--port" in command:
            return re.sub(r"--port \d+", f"--port {self._port}", command)
        return f"{command} --port {self._port}"

    def close(self) -> None:
        """End the sandboxes."""
        for each in self._sandboxes:
            each.stop()


@contextmanager
def shell(folder: Path, home: Path, connection: str) -> Iterator[Shell]:
    """
    A shell in which ``airflow`` is that of these tests, with nothing else set up.

    :param folder: where the commands run; also the home of the user.
    :param home: the Airflow home, until a command sets another one.
    :param connection: what ``useapi_default`` is.
    """
    plain = {name: text for name, text in os.environ.items() if not name.startswith("AIRFLOW")}
    running = Shell(
        folder,
        {
            **plain,
            "PATH": f"{Path(sys.executable).parent}:{plain['PATH']}",
            "HOME": str(folder),
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_CONN_USEAPI_DEFAULT": connection,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
    )
    try:
        yield running
    finally:
        running.close()


def steps(text: str) -> Iterator[tuple[str, list[str]]]:
    """
    The commands of a ``console`` block, each with the lines of its output that are shown.

    :param text: lines that begin with ``$``, and what is said to them.
    """
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield command, shown


def assert_shown(shown: list[str], output: str) -> None:
    """
    Check that a page shows what a command said.

    Every line that is shown is a part of one that was said, in the same order. ``...`` stands for
    lines that are left out, at the end of a line for its rest; without it nothing is left out.

    :param shown: the lines of the page.
    :param output: of the command.
    """
    said = [" ".join(line.split()) for line in output.splitlines()]
    at, gap = 0, False
    for line in shown:
        if line == "...":
            gap = True
            continue
        wanted = " ".join(line.removesuffix("...").split())
        there = range(at, len(said)) if gap else range(at, min(at + 1, len(said)))
        found = next((each for each in there if _is_part(wanted, said[each])), None)
        assert found is not None, f"not said after line {at}: {line!r}\n{output}"
        at, gap = found + 1, False
    assert gap or not any(said[at:]), f"not shown: {said[at:]}"


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def _is_part(wanted: str, said: str) -> bool:
    return wanted in said if wanted else not said
