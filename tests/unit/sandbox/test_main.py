"""The command line of the sandbox."""

from __future__ import annotations

import json
import re
import signal
import subprocess

import pytest

from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.sandbox_client import LIMIT, get, served
from tests.helpers.sandbox_process import start_cli

KLING = "/v1/kling/scheduler/available"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line(ending: signal.Signals) -> None:
    with start_cli("--port", "0", "--token", "user:1-it's", "--inactive-for", "3600") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        greeting = list(iter(process.stdout.readline, "Ctrl-C ends it. Requests:\n"))
        url = greeting[0].split()[-1]
        s = Sandbox(port=int(url.rpartition(":")[2]), token="user:1-it's")

        assert greeting[1] == "Token: user:1-it's\n"
        pasted = "".join(line + "echo $AIRFLOW_CONN_USEAPI_DEFAULT\n" for line in greeting[-3:])
        echoed = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, check=True)
        assert echoed.stdout.splitlines()[:2] == [s.connection_uri(), s.connection_json()]

        assert json.loads(get(s)[2])["subscriptionIsActive"] is False
        assert re.fullmatch(r"\d\d:\d\d:\d\d GET /v2/account 200\n", process.stdout.readline())
        get(s, "/nope")
        assert process.stdout.readline().endswith(" GET /nope 404\n")

        process.send_signal(ending)
        assert process.wait(LIMIT) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_the_command_line_on_a_taken_port(sandbox: Sandbox) -> None:
    process = start_cli("--port", str(sandbox.port))
    out, error = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (1, "")
    assert error == (
        f"Cannot listen on 127.0.0.1:{sandbox.port}: Address already in use. Try another --port.\n"
    )


def test_the_command_line_refuses_what_is_no_port() -> None:
    process = start_cli("--port", "65536")
    _, error = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert "a port is a number from 0 to 65535" in error


def test_the_command_line_links_what_can_be_rehearsed() -> None:
    with start_cli("--port", "0", "--busy-for", "3600") as process:
        assert process.stdout is not None
        greeting = list(iter(process.stdout.readline, "Ctrl-C ends it. Requests:\n"))
        s = Sandbox(port=int(greeting[0].rpartition(":")[2]))
        listed = served(s, "/v2/account")["accounts"]
        for service in CATALOGUE:
            if service.live:
                assert listed[service.key] == {"total": 2, "active": 2, "error": 0}
        assert served(s, KLING)["available"] == []
        process.terminate()


def test_the_command_line_shows_a_bad_day() -> None:
    with start_cli("--port", "0", "--broken", "1") as process:
        assert process.stdout is not None
        greeting = list(iter(process.stdout.readline, "Ctrl-C ends it. Requests:\n"))
        s = Sandbox(port=int(greeting[0].rpartition(":")[2]))
        assert served(s, "/v2/account")["accounts"]["Kling API"]["error"] == 1
        first, second = served(s, "/v1/kling/accounts").values()
        assert ("error" in first, "error" in second) == (True, False)
        process.terminate()
