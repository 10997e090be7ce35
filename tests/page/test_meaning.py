"""The part of the script that knows no page: what events mean. In the browser that runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_useapi.plugin.application import FOLDER
from tests.system.browser import Browser, Page

from .airflows import GuardedAirflow

DAY = 86_400_000
GOLDEN = json.loads((FOLDER.parents[2] / "tests" / "golden" / "snapshots.json").read_text())


@pytest.fixture(scope="module")
def modules(chromium: Browser, airflow: GuardedAirflow) -> Iterator[Page]:
    """A page that may import the modules."""
    page = chromium.open(f"{airflow.url}/useapi/icon.svg", {"_token": airflow.log_in()})
    yield page
    page.close()


def run(page: Page, module: str, expression: str, **values: Any) -> Any:
    """The value of an expression in which ``m`` is a module, and the values have their names."""
    names = ", ".join(values)
    given = ", ".join(map(json.dumps, values.values()))
    return page.evaluate(
        f"import('/useapi/{module}.js').then(m => (({names}) => {expression})({given}))"
    )


def audit(day: int, services: dict[str, tuple[int, int, int]] | None, *findings: str) -> Any:
    """An audit as the page keeps it: counts as active, error, total; a finding as code@since."""
    return {
        "at": day * DAY,
        "snapshot": {
            "refusal": "401" if services is None else None,
            "isActive": True,
            "services": [
                {"slug": slug, "name": slug, "active": active, "error": error, "total": total}
                for slug, (active, error, total) in (services or {}).items()
            ],
            "findings": [
                {"code": code, "service": "kling", "ref": None, "since": int(since) * DAY}
                for code, since in (finding.split("@") for finding in findings)
            ],
            "held": [],
        },
    }


def test_steps_join_what_is_equal_and_leave_out_what_is_not_told(modules: Page) -> None:
    audits = [
        audit(0, {"kling": (2, 0, 2)}),
        audit(1, {"kling": (2, 0, 2), "mureka": (1, 0, 1)}),
        audit(2, {"kling": (1, 1, 2)}),
        audit(3, None),
        audit(4, {"kling": (1, 1, 2)}),
    ]
    found = run(modules, "history", "m.stepsOf(audits, until)", audits=audits, until=5 * DAY)

    def told(step: dict[str, Any]) -> tuple[int, int, int | None]:
        counts = step["counts"]
        return step["from"] // DAY, step["to"] // DAY, counts and counts["active"]

    assert {each["slug"]: [told(step) for step in each["steps"]] for each in found} == {
        "kling": [(0, 2, 2), (2, 3, 1), (3, 4, None), (4, 5, 1)],
        "mureka": [(1, 2, 1)],
    }


def test_a_span_lasts_until_an_audit_does_not_find_it_any_more(modules: Page) -> None:
    audits = [
        audit(3, {}, "UA002@1"),
        audit(4, {}, "UA002@1", "UA005@4"),
        audit(5, {}),
        audit(6, {}, "UA002@6"),
    ]
    found = run(modules, "history", "m.spansOf(audits)", audits=audits)
    assert [
        (each["found"]["code"], each["from"] // DAY, each["to"] and each["to"] // DAY)
        for each in found
    ] == [("UA002", 6, None), ("UA005", 4, 5), ("UA002", 1, 5)]


def test_what_could_not_be_looked_after_is_not_gone(modules: Page) -> None:
    audits = [audit(3, {}, "UA010@3"), audit(4, {}), audit(5, {}, "UA010@3")]
    audits[1]["snapshot"]["held"] = audits[0]["snapshot"]["findings"]
    found = run(modules, "history", "m.spansOf(audits)", audits=audits)
    assert [(each["from"] // DAY, each["to"]) for each in found] == [(3, None)]


@pytest.mark.parametrize(
    ("moments", "now", "overdue"),
    [
        ([10, 9, 8, 7], 11, False),
        ([10, 9, 8, 7], 12, False),
        ([10, 9, 8, 7], 13, True),
        ([10, 9, 8, 1], 13, True),  # a long pause before is no usual interval
        ([10], 99, False),  # of one audit nobody knows
        ([], 99, False),
    ],
)
def test_an_audit_is_overdue_after_twice_the_usual_interval(
    modules: Page, moments: list[int], now: int, overdue: bool
) -> None:
    audits = [audit(moment, {}) for moment in moments]
    state = run(modules, "connections", "m.stateOf(audits, now)", audits=audits, now=now * DAY)
    assert state["isOverdue"] is overdue


def test_assets_with_one_uri_are_one_connection(modules: Page) -> None:
    assets = [
        {"id": 1, "name": "useapi://account/a%2Fb", "uri": "useapi://account/a%2Fb"},
        {"id": 2, "name": "useapi/a/b", "uri": "useapi://account/a%2Fb"},
        {"id": 3, "name": "else", "uri": "s3://useapi://account/x"},
        {"id": 4, "name": "broken", "uri": "useapi://account/%E0"},
    ]
    assert run(modules, "connections", "m.connectionsOf(assets)", assets=assets) == [
        {"id": "a/b", "assets": [1, 2]},
        {"id": "%E0", "assets": [4]},
    ]


def nested(value: Any) -> Any:
    """A nested value; some Airflows stored those as the text of their JSON."""
    return json.loads(value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", GOLDEN)
def test_every_snapshot_that_a_release_has_stored_is_read(modules: Page, name: str) -> None:
    stored = GOLDEN[name]
    read = run(modules, "snapshots", "m.readSnapshot(stored)", stored=stored)
    assert read["connId"] == stored["conn_id"]
    assert [each["code"] for each in read["findings"]] == [
        found["code"] for found in nested(stored["findings"])
    ]
    assert [each["slug"] for each in read["services"]] == list(nested(stored["services"]))
    assert (read["baseline"] is None) is (stored.get("baseline") is None)


def test_the_page_has_an_advice_for_every_code_of_an_audit(modules: Page) -> None:
    page = (FOLDER.parents[2] / "docs" / "audit.md").read_text()
    codes = sorted({line[4:9] for line in page.splitlines() if line.startswith("### UA")})
    assert run(modules, "advice", "Object.keys(m.ADVICE).sort()") == codes


def test_the_last_reason_of_a_log(modules: Page) -> None:
    lines = ["The gate is closed: a.", "The check failed: b", "other", "The gate is closed: c."]
    for content in (lines, [{"event": line} for line in lines]):
        told = run(modules, "gates", "m.lastReason(log)", log={"content": content})
        assert told == "The gate is closed: c."
    for nothing in (None, {}, {"content": "text"}, {"content": [None, {"event": 1}]}):
        assert run(modules, "gates", "m.lastReason(log)", log=nothing) is None
