"""Histories that no audit of ours writes: their texts stay texts, their shapes break nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.system.browser import Browser

from .airflows import GuardedAirflow, shown
from .rows import audits, record

EVIL = "<img src=x onerror=\"document.title='hacked'\">"
NAMES = [
    EVIL,
    "</script><script>parent.document.title='hacked'</script>",
    "javascript:alert(1)",
    "__proto__",
    "constructor",
    "\u202egnilk\u2066",
    "x" * 10_000,
    "🎬🔥",
]


def hostile(conn_id: str) -> dict[str, Any]:
    (_, extra) = audits(conn_id, 1, timedelta(days=1))[0]
    now = extra["checked_at"]
    finding = {"severity": "critical", "since": now}
    return {
        **extra,
        "conn_id": EVIL,
        "error": EVIL,
        "renewed_on": EVIL,
        "unread": NAMES,
        "services": {name: {"name": name, "total": 3, "active": 1, "error": 1} for name in NAMES},
        "linked": {
            name: {"accounts": [{"hint": name, "ref": name, "reason": name}], "left_out": EVIL}
            for name in NAMES
        },
        "findings": [
            {**finding, "code": name, "service": name, "message": name, "ref": name}
            for name in NAMES
        ],
    }


def test_texts_from_outside_are_texts(chromium: Browser, airflow: GuardedAirflow) -> None:
    conn_id = f"{EVIL}/../?#%"
    before = [(m, e) for m, e in audits(conn_id, 3, timedelta(days=1))][:2]
    record(
        airflow.database, conn_id, [*before, (datetime.now(UTC), hostile(conn_id))], "evil_audit"
    )
    with shown(chromium, airflow) as view:
        view.settled()
        assert view.ask("$.querySelectorAll('img, main script, main style').length") == 0
        view.click(f"a[href='#/connections/{js_quoted(conn_id)}']")
        view.wait(f"$.querySelector('h2').textContent === {json.dumps(conn_id)}")
        view.settled()
        assert view.ask("$.querySelectorAll('img, iframe, main script, main style').length") == 0
        messages = view.ask("[...$.querySelectorAll('.message bdi')].map(e => e.textContent)")
        assert messages[:2] == [EVIL, EVIL]
        assert "�gnilk�" in messages
        assert max(map(len, messages)) == 400
        assert view.ask("[...$.querySelectorAll('a')].every(a => a.protocol === 'http:')")
        assert "hacked" not in view.page.evaluate("document.title")
        services = view.ask(
            "[...$.querySelectorAll('.services .name bdi')].map(e => e.textContent)"
        )
        assert "__proto__" in services


def js_quoted(text: str) -> str:
    """As ``encodeURIComponent`` does it."""
    return quote(text, safe="!~*'()").replace("'", "\\'")


ODD: list[Any] = [
    {},
    {"version": 1},
    {"version": 2, "checked_at": "2026-11-12T06:00:00+00:00", "services": {}},
    {"version": 1, "checked_at": "yesterday"},
    {"version": 1, "checked_at": "2026-11-12T06:00:00+00:00"},
    {
        "version": 1,
        "checked_at": "2026-11-12T07:00:00+00:00",
        "services": [1],
        "findings": {"a": 1},
    },
    {
        "version": 1,
        "checked_at": "2026-11-12T08:00:00+00:00",
        "services": {"kling": None, "minimax": {"total": -1, "active": "9", "error": 1e99}},
        "findings": [None, 1, {"severity": "loud"}, {"severity": "critical"}],
        "linked": {"kling": 7},
        "baseline": "text",
        "held": [[]],
    },
]


def test_an_extra_of_another_shape_breaks_nothing(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    names = [f"odd_{number}" for number in range(len(ODD))]
    for conn_id, extra in zip(names, ODD, strict=True):
        record(airflow.database, conn_id, [(datetime.now(UTC), extra)], "evil_audit")
    with shown(chromium, airflow) as view:
        view.settled()
        for conn_id in names:
            view.ask(f"$.defaultView.location.hash = '#/connections/{conn_id}'")
            view.wait(f"$.querySelector('h2').innerText === '{conn_id}'")
            view.settled()
            assert "History" in view.text


def test_what_older_airflows_stored_as_text_is_read(
    chromium: Browser, airflow: GuardedAirflow
) -> None:

    (moment, extra) = audits("migrated", 1, timedelta(days=1), accounts=2)[0]
    texts = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in extra.items()}
    # Since the migration from Airflow 2 the old asset is named after its URI.
    record(
        airflow.database,
        "migrated",
        [(moment - timedelta(days=1), texts)],
        "evil_audit",
        name="useapi://account/migrated",
    )
    with shown(chromium, airflow) as view:
        assert "migrated no findings active 8 of 8 just now" in view.settled().text.replace(
            "audit overdue ", ""
        )
    record(airflow.database, "migrated", [(moment, extra)], "evil_audit")
    with shown(chromium, airflow, place="#/connections/migrated") as view:
        view.settled()
        assert view.ask("$.querySelectorAll('[data-key=audits] tbody tr').length") == 2
