"""Every line of a log that a page shows is one that the package writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from airflow_provider_useapi.account import Account
from airflow_provider_useapi.api.capacity import Trouble
from airflow_provider_useapi.audit.finding import Finding
from airflow_provider_useapi.audit.table import line
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.gate.verdict import judge_account

from .pages import Block, blocks, pages

TEXTS = [block for page in pages() for block in blocks(page) if block.language == "text"]


def gate_lines() -> Iterator[str]:
    """What a gate logs."""
    for active, condition in (
        (0, Condition("kling")),
        (1, Condition("kling", min_active_accounts=2)),
    ):
        account = Account.from_json({"accounts": {"Kling API": {"total": 3, "active": active}}})
        yield messages.closed(judge_account(account, condition, "kling").reasons)
    signed_out = Trouble("st***o1@gmail.com", "Session expired")
    too_few = messages.too_few("kling", "free job slots", 0, 4)
    yield messages.closed([messages.just_taken("kling", "free job slots", 4, 4, 1)])
    yield messages.closed([too_few, *messages.unusable("kling", [signed_out])])


def audit_lines() -> Iterator[str]:
    """What an audit logs."""
    then, now = (f"2026-11-{day}T06:00:00+00:00" for day in (12, 15))
    broken = Finding("UA002", "critical", "kling", "2 of 2 linked accounts in error, none active")
    fell = Finding("UA005", "warning", "minimax", "active accounts fell from 3 to 2")
    for finding, since in ((broken, then), (fell, now)):
        yield line(replace(finding, since=since), now)


@pytest.mark.parametrize("block", TEXTS, ids=lambda block: f"{block.page}:{block.line}")
def test_the_package_writes_it(block: Block) -> None:
    assert set(block.text.splitlines()) <= {*gate_lines(), *audit_lines()}
