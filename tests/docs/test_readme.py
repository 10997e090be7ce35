"""The README shows code that works."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.hooks.connection import settings_of
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Sandbox

TEXT = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_the_code_runs(useapi_sandbox: Sandbox, block: str) -> None:
    if "from airflow.sdk" in block and metadata.version("apache-airflow").startswith("2."):
        pytest.skip("assets have watchers from Airflow 3 on")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    for name, function in names.items():
        if name.startswith("test_") and callable(function):
            function(useapi_sandbox)
            assert "Kling API" in useapi_sandbox.account["accounts"]


@pytest.mark.parametrize(
    "line", re.findall(r"^ *export (AIRFLOW_CONN_\w+='.*')$", TEXT, re.MULTILINE)
)
def test_the_connections_can_be_read(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    name, _, value = line.partition("=")
    monkeypatch.setenv(name, value.strip("'"))
    settings = settings_of(UseApiHook())
    assert settings.token == "user:12345-..."
    assert settings.base_url == fields.DEFAULT_HOST


def test_the_log_line_is_one_that_a_gate_writes() -> None:
    from airflow_provider_useapi.account import Account
    from airflow_provider_useapi.gate import messages
    from airflow_provider_useapi.gate.condition import Condition
    from airflow_provider_useapi.gate.verdict import judge_account

    account = Account.from_json({"accounts": {"Kling API": {"total": 3, "active": 1}}})
    verdict = judge_account(account, Condition("kling", min_active_accounts=2), "kling")
    assert messages.closed(verdict.reasons) in TEXT


def test_every_extra_is_listed() -> None:
    for field in fields.EXTRA_FIELDS:
        assert f"`{field.name}`" in TEXT


def test_the_findings_are_such_as_an_audit_logs() -> None:
    from airflow_provider_useapi.audit.finding import Finding
    from airflow_provider_useapi.audit.table import line

    then, now = (f"2026-11-{day}T06:00:00+00:00" for day in (12, 15))
    broken = Finding("UA002", "critical", "kling", "2 of 2 linked accounts in error, none active")
    fell = Finding("UA005", "warning", "minimax", "active accounts fell from 3 to 2")
    for finding, since in ((broken, then), (fell, now)):
        assert line(replace(finding, since=since), now) in TEXT.splitlines()
