"""docs/audit.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_useapi.audit import rules
from airflow_provider_useapi.audit.snapshot import VERSION, Snapshot
from airflow_provider_useapi.metrics import STATES

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "audit.md").read_text()
CODES = [f"UA{number:03}" for number in range(1, 15)]


def test_every_code_has_a_rule_a_line_in_the_table_and_a_paragraph() -> None:
    assert [(rule.__doc__ or "")[:5] for rule in rules.RULES] == CODES
    assert re.findall(r"^\| (UA\d+) \|", TEXT, re.MULTILINE) == CODES
    assert re.findall(r"^### (UA\d+): ", TEXT, re.MULTILINE) == CODES


def test_every_field_of_a_snapshot_is_named() -> None:
    told = Snapshot.of_refusal("refused", "conn", "2026-11-15T06:00:00+00:00").to_extra()
    for field in (*told, "baseline", "linked", "captchas", "unread", "held"):
        assert f"`{field}`" in TEXT
    assert f"of this form: {VERSION}." in TEXT


def test_every_state_of_a_gauge_is_named() -> None:
    assert all(f"`{state}`" in TEXT for state in STATES)
