"""``airflow useapi ...``, called as a shell calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox

AIRFLOW = Path(sys.executable).with_name("airflow")
IS_3_2 = tuple(map(int, metadata.version("apache-airflow").split(".")[:2])) >= (3, 2)

Call = Callable[[str], int | str]

pytestmark = [
    pytest.mark.skipif(not IS_3_2, reason="Airflow takes commands of providers from 3.2 on"),
    pytest.mark.usefixtures("airflow_db"),
]


def shell(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which ``airflow`` is that of these tests."""
    path = f"{AIRFLOW.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", script],
        env={**os.environ, "PATH": path, "NO_COLOR": "1", **env},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def airflow() -> Call:
    """``airflow`` in this process."""
    from airflow.cli.cli_parser import get_parser

    parser = get_parser()

    def call(line: str) -> int | str:
        arguments = parser.parse_args(line.split())
        try:
            arguments.func(arguments)
        except SystemExit as e:
            return e.code or 0
        return 0

    return call


@pytest.fixture(scope="module")
def commands(airflow: Call) -> Call:
    """The commands in this process, which is what the tests of each outcome call."""
    return lambda line: airflow(f"useapi {line}")


def test_a_check_in_a_shell_if_with_the_connection_in_the_environment(
    sandbox: Sandbox,
) -> None:
    script = (
        "if airflow useapi check --service minimax --min-active-accounts {}; "
        "then echo go; else echo stay $?; fi"
    )
    done = shell(f"{script.format(2)}; {script.format(4)}")
    lines = [line.split(" | ") for line in done.stdout.splitlines() if line.strip()]
    assert [line[0].strip() for line in lines if "=" not in line[0]] == [
        "gate", "open", "go", "gate", "closed", "stay 1",
    ]  # fmt: skip
    assert done.stderr.splitlines() == [
        "The gate is open: minimax: 3 of 3 accounts active.",
        "The gate is closed: minimax: 3 of 3 accounts active, 4 needed.",
    ]


@pytest.fixture
def stored(airflow: Call, sandbox: Sandbox) -> Iterator[str]:
    """The id of a connection in the database."""
    fields = f"--conn-type useapi --conn-host {sandbox.url} --conn-password {sandbox.token}"
    assert airflow(f"connections add stored {fields}") == 0
    yield "stored"
    assert airflow("connections delete stored") == 0


def test_a_check_with_the_connection_in_the_database(stored: str) -> None:
    check = f"airflow useapi check --conn-id {stored} --service minimax -o json"
    done = shell(f"{check}; echo $?", AIRFLOW_CONN_USEAPI_DEFAULT="")
    shown, code = done.stdout.splitlines()
    assert code == "0", done.stderr
    (row,) = json.loads(shown)
    assert (row["gate"], row["slug"], row["active"], row["reasons"]) == ("open", "minimax", 3, [])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("check", 0),
        ("check --service MiniMax", 0),
        ("check --service midjourney --max-error-accounts 0", 1),
        ("check --service runwayml --min-allocations-left 2", 0),
        ("check --service runwayml --min-allocations-left 3", 1),
        ("check --service nothing", 1),
        ("check --service nothing --min-active-accounts 0", 0),
        ("check --min-active-accounts 1", 2),
        ("check --conn-id missing", 2),
        ("check --service minimax --min-active-accounts -1", 2),
        ("check --service minimax --min-active-accounts two", 2),
        ("account --conn-id missing", 2),
        ("check --service minimax --min-free-job-slots 5", 0),
        ("check --service minimax --min-free-job-slots 6", 1),
        ("check --service minimax --min-free-accounts 3", 1),
        ("check --service kling --min-active-accounts 0 --min-free-accounts 2", 0),
        ("check --service google-flow --min-active-accounts 0 --min-free-accounts 1", 2),
        ("check --service minimax --jobs-per-account 1", 2),
        ("capacity minimax", 0),
        ("capacity google-flow", 0),
        ("capacity midjourney", 2),
        ("capacity minimax --conn-id missing", 2),
    ],
)
def test_the_exit_codes(commands: Call, sandbox: Sandbox, line: str, code: int) -> None:
    try:
        assert commands(line) == code
    except SystemExit as e:  # the parser's own
        assert e.code == code


@pytest.mark.parametrize("command", ["check", "account"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=401), "the API token was refused"),
        (Answer(status=404), "the request was refused"),
        (Answer(body="<html>"), "but the body is not JSON"),
    ],
)
def test_an_error_is_said_in_a_line_and_is_not_a_closed_gate(
    commands: Call,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    command: str,
    answer: Answer,
    said: str,
) -> None:
    sandbox.script("/v2/account", answer)
    assert commands(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert said in line


def test_a_crash_is_not_a_closed_gate(
    commands: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", "{no JSON")
    assert commands("check") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_account_in_every_format(
    commands: Call, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in ("table", "plain"):
        assert commands(f"account -o {output}") == 0
        captured = capsys.readouterr()
        row = next(line for line in captured.out.splitlines() if "midjourney" in line)
        assert row.replace("|", " ").split() == ["midjourney", "Midjourney", "API", *"3210"]
        assert captured.err == (
            "Account 12345: the subscription is active, renewed on 2025-04-05.\n"
        )
    assert commands("account -o json") == 0
    captured = capsys.readouterr()
    (account,) = json.loads(captured.out)
    assert (account["id"], account["email"], account["name"]) == (12345, "***", "***")
    assert account["services"]["runwayml"]["allocations_left"] == 2
    assert captured.err == ""
    assert commands("account -o yaml") == 0
    assert "user@example.com" not in capsys.readouterr().out


def test_the_capacity_of_a_service_with_masked_ids(
    commands: Call, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.capacity["muse"][1].health = "Signed out: muse-2@example.com"
    assert commands("capacity muse -o json") == 0
    captured = capsys.readouterr()
    first, second = json.loads(captured.out)
    assert first == {
        "number": 1,
        "account": "***",
        "max_jobs": 3,
        "running": 0,
        "free": 3,
        "healthy": True,
        "reason": "",
    }
    assert (second["number"], second["free"], second["healthy"]) == (2, 0, False)
    assert second["reason"] == "Signed out: ***"
    assert captured.err == "muse: free accounts 1, free job slots 3.\n"


def test_which_accounts_are_in_trouble(
    commands: Call, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    why = "Signed out: write to studio2@mail.example.com"
    one, two = "studio1@mail.example.com", "studio2@mail.example.com"
    sandbox.account["accounts"] = {"Riffusion API": {"total": 1}}
    sandbox.link("kling", LinkedAccount(one, expires=None), LinkedAccount(two, health=why))
    sandbox.link("muse", LinkedAccount(one))
    assert commands("accounts -o json") == 0
    first, second, third = json.loads(capsys.readouterr().out)
    assert first == {
        "service": "kling",
        "account": "st***o1@mail.example.com",
        "healthy": True,
        "reason": None,
        "max_jobs": 3,
        "session_expires": None,
    }
    assert (second["healthy"], second["reason"]) == (False, "Signed out: write to ***")
    assert (third["service"], third["account"]) == ("muse", "st***o1@mail.example.com")
    for output in ("table", "plain", "yaml"):
        assert commands(f"accounts kling -o {output}") == 0
        shown = capsys.readouterr().out
        assert "st***o2@mail.example.com" in shown and "studio" not in shown
        assert "muse" not in shown


def test_credits_are_asked_for_only_when_they_are_wanted(
    commands: Call, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.account["accounts"] = {}
    for slug in ("kling", "dreamina", "muse"):
        sandbox.link(slug, *sandbox.capacity[slug])
    assert commands("accounts -o json") == 0
    assert len(sandbox.requests) == 4
    capsys.readouterr()
    assert commands("accounts --credits -o json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["credits"] for row in rows] == [1000, 1000, None, None, None, None]
    assert (rows[0]["unit"], rows[4]["plan"]) == ("credits", "HATCH_FREE")
    assert not any(account.has_claimed for account in sandbox.capacity["dreamina"])


def test_a_list_of_accounts_that_cannot_be_read_is_an_error(
    commands: Call, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.account["accounts"] = {}
    sandbox.link("kling", LinkedAccount("studio1@mail.example.com"))
    sandbox.link("muse", LinkedAccount("studio1@mail.example.com"))
    sandbox.script("/v1/kling/accounts", Answer(status=404, body={"error": "Endpoint not found"}))
    assert commands("accounts -o json") == 2
    captured = capsys.readouterr()
    assert [row["service"] for row in json.loads(captured.out)] == ["muse"]
    assert captured.err.startswith("Not read: kling: Connection 'useapi_default': GET /v1/kling/")
    assert commands("accounts luma") == 2
    assert "cannot be listed" in capsys.readouterr().err
    assert commands("accounts pixverse -o json") == 0, "it has two, though the account has none"
    assert len(json.loads(capsys.readouterr().out)) == 2


def kinds(value: Any) -> Any:
    """The types in a value of JSON."""
    if isinstance(value, dict):
        return {key: kinds(each) for key, each in value.items()}
    return [*map(kinds, value)] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "check --service minimax --min-free-job-slots 1",
            {
                "gate": "str", "service": "str", "slug": "str", "subscription_is_active": "bool",
                "total": "int", "active": "int", "error": "int", "allocations_left": "int",
                "free_accounts": "int", "free_job_slots": "int", "in_trouble": [],
                "checked_at": "str", "reasons": [],
            },
        ),
        (
            "check",
            {
                "gate": "str", "service": "NoneType", "slug": "NoneType", "total": "NoneType",
                "subscription_is_active": "bool", "active": "NoneType", "error": "NoneType",
                "allocations_left": "NoneType", "free_accounts": "NoneType",
                "free_job_slots": "NoneType", "in_trouble": "NoneType", "checked_at": "str",
                "reasons": [],
            },
        ),
        (
            "capacity minimax",
            {
                "number": "int", "account": "str", "max_jobs": "int", "running": "int",
                "free": "int", "healthy": "bool", "reason": "str",
            },
        ),
        (
            "capacity google-flow",
            {
                "number": "int", "account": "str", "max_jobs": "NoneType", "running": "int",
                "free": "NoneType", "healthy": "bool", "reason": "str",
            },
        ),
    ],
)  # fmt: skip
def test_json_and_yaml_have_the_types_of_json(
    commands: Any,
    useapi_sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    line: str,
    expected: Any,
) -> None:
    shown = {}
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        assert commands(f"{line} -o {output}") == 0
        shown[output] = read(capsys.readouterr().out)
        assert kinds(shown[output][0]) == expected
        for row in shown[output]:
            row.pop("checked_at", None)
    assert shown["json"] == shown["yaml"]


def test_the_account_has_the_types_of_json(
    commands: Any, useapi_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a string of the API looks like does not matter: it stays one."""
    useapi_sandbox.account.update(error="true", created="12", subscriptions=None)
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        assert commands(f"account -o {output}") == 0
        (account,) = read(capsys.readouterr().out)
        assert account["subscriptionIsActive"] is True
        assert (account["error"], account["created"]) == ("true", "12")
        assert account["subscriptions"] is None
        assert account["services"]["minimax"] == {
            "name": "MiniMax API", "total": 3, "active": 3, "error": 0, "allocations_left": 0,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("pipe", "code"),
    [
        ("airflow useapi check -o json | true", 0),
        ("airflow useapi check --conn-id missing -o json 2>&1 | true", 2),
        ("airflow useapi check --conn-id warned -v 2>&1 | true", 0),
    ],
)
def test_a_reader_that_closes_early_in_a_shell(
    useapi_sandbox: Sandbox, tmp_path: Path, pipe: str, code: int
) -> None:
    command, _, reader = pipe.partition("|")
    warned = json.loads(useapi_sandbox.connection_json())
    warned["password"] = f"Bearer {warned['password']}"
    done = shell(
        f"{{ {command}; echo $? > {tmp_path}/code; }} | {reader}",
        AIRFLOW_CONN_WARNED=json.dumps(warned),
        PYTHONUNBUFFERED="",  # then Python flushes at its end, as it does for users
    )
    assert (tmp_path / "code").read_text() == f"{code}\n"
    assert "roken" not in done.stderr and "Traceback" not in done.stderr


FORKS = """
import contextlib, itertools, os, sys
from airflow.cli.cli_parser import get_parser

parser = get_parser()
with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
    arguments = parser.parse_args(["useapi", "check"])
    arguments.func(arguments)  # loads once what each of them needs
lines = ["account", "check", "check --service nothing", "capacity minimax", "check --conn-id no"]
for line, output, broken in itertools.product(lines, ["table", "plain", "json", "yaml"], "123"):
    child = os.fork()
    if not child:
        for fd in (1, 2):
            if int(broken) & fd:
                reader, writer = os.pipe()
                os.close(reader)
                os.dup2(writer, fd)
        code = 0
        try:
            arguments = parser.parse_args(["useapi", *line.split(), "-o", output])
            arguments.func(arguments)
        except SystemExit as e:
            code = e.code
        try:
            sys.stdout.flush()
        except OSError:
            code = 120
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("CODE", line, output, broken, code, sep="|", flush=True)
"""


def test_a_reader_that_closes_early_in_every_format(useapi_sandbox: Sandbox) -> None:
    """Each process ends as Python does, but faster: 120 is the code if its last flush fails."""
    done = subprocess.run(
        [sys.executable, "-c", FORKS],
        env={**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    codes = {"check --service nothing": 1, "check --conn-id no": 2}
    found = [line.split("|")[1:] for line in done.stdout.splitlines() if line.startswith("CODE|")]
    assert len(found) == 5 * 4 * 3
    assert [case for case in found if int(case[-1]) != codes.get(case[0], 0)] == []
    assert "roken" not in done.stderr and "Traceback" not in done.stderr


def test_what_is_said_beside_the_output_does_not_get_into_it(useapi_sandbox: Sandbox) -> None:
    """Python prints what goes to a closed standard error to the standard output."""
    done = shell("airflow useapi check -o json 2>&-")
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["gate"] == "open"


@pytest.mark.parametrize("output", ["table", "plain", "yaml", "json"])
def test_names_of_the_api_are_harmless_to_a_terminal(
    commands: Call, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    hostile = "[red]x[/blue]\x1b[31m\u202e"
    sandbox.account.update(accounts={hostile: {"total": 1}}, error=f"{hostile} a@b.c")
    assert commands(f"account -o {output}") == 0
    assert commands(f"check --service {hostile} -o {output}") == 1
    captured = capsys.readouterr()
    shown = captured.out + captured.err
    assert "[red]x[/blue]" in shown
    assert "a@b.c" not in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_the_definition_costs_other_commands_next_to_nothing() -> None:
    code = (
        "import sys, airflow.cli.cli_config, airflow_provider_useapi; before = set(sys.modules);"
        "import airflow_provider_useapi.cli.definition as d; d.get_useapi_commands();"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1].split() == [
        "airflow_provider_useapi.cli",
        "airflow_provider_useapi.cli.definition",
        "airflow_provider_useapi.exceptions",
        "airflow_provider_useapi.gate",
        "airflow_provider_useapi.gate.condition",
        "airflow_provider_useapi.validation",
    ]
