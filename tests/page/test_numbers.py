"""What the page shows is what Airflow's database holds."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_useapi import compat
from airflow_provider_useapi.audit.snapshot import Snapshot, read_snapshot
from tests.system import fortnight
from tests.system.browser import Browser

from .airflows import GuardedAirflow, shown
from .conftest import Lived

ROWS = (
    "[...$.querySelectorAll('.list:not(.gates) tbody tr')].map(row => [...row.children].map("
    "cell => cell.innerText.replace(/\\s+/g, ' ').trim()))"
)


def recorded(airflow: GuardedAirflow, conn_id: str) -> list[Snapshot]:
    """Every snapshot of a connection in the database, newest first."""
    rows = airflow.query(
        "SELECT e.extra FROM asset_event e JOIN asset a ON a.id = e.asset_id"
        f" WHERE a.name = 'useapi/{conn_id}' ORDER BY e.timestamp DESC"
    )
    extras = (json.loads(extra) if isinstance(extra, str) else extra for (extra,) in rows)
    return [snapshot for snapshot in map(read_snapshot, extras) if snapshot]


def pills(snapshot: Snapshot) -> str:
    critical = sum(each.severity == "critical" for each in snapshot.findings)
    warnings = len(snapshot.findings) - critical
    words = [f"{critical} critical"] if critical else []
    words += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    return " ".join(words) or "no findings"


def test_the_list_is_that_of_the_database_worst_first(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    with shown(chromium, airflow) as view:
        rows = {row[0]: row[1:] for row in view.settled().ask(ROWS)}
    ours = [conn_id for conn_id in rows if conn_id in fortnight.CONNECTIONS]
    assert ours == ["useapi_default", "useapi_studio", "useapi_team"]
    for conn_id in ours:
        newest = recorded(airflow, conn_id)[0]
        counts = newest.services.values()
        active, total = sum(s.active for s in counts), sum(s.total for s in counts)
        state, subscription, accounts, _ = rows[conn_id]
        assert state == pills(newest)
        assert subscription == "active"
        assert accounts == f"{active} of {total}"


def test_one_connection_is_shown_as_it_was_recorded(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    history = recorded(airflow, "useapi_default")
    newest = history[0]
    with shown(chromium, airflow, place="#/connections/useapi_default") as view:
        view.settled()
        found = view.ask(
            "[...$.querySelectorAll('.findings > li')].map(li => ["
            "li.querySelector('.code').innerText, li.querySelector('.message').innerText])"
        )
        assert found == [
            [f"{each.code} {each.severity}", " ".join(filter(None, (each.service, each.message)))]
            for each in newest.findings
        ]
        numbers = view.ask(
            "[...$.querySelectorAll('.services > li')].map(li => [li.querySelector('.name .soft')"
            ".innerText, li.querySelector('.numbers').innerText.replace(/\\s+/g, ' ')])"
        )
        assert numbers == [[slug, words(each)] for slug, each in newest.services.items()]
        accounts = view.ask("[...$.querySelectorAll('.accounts li .who')].map(e => e.innerText)")
        assert accounts == [name for each in newest.linked.values() for name, _ in each.named()]

        view.click("[data-value='30']")
        view.settled().wait("$.querySelector('[data-value=\"30\"]').ariaPressed === 'true'")
        view.wait(f"$.querySelectorAll('[data-key=audits] tbody tr').length === {len(history)}")
        told = view.ask(
            "[...$.querySelectorAll('[data-key=audits] tbody tr')]"
            ".map(row => row.cells[1].textContent)"
        )
        assert told == [
            ", ".join(f"{s.slug} {s.active}/{s.error}/{s.total}" for s in each.services.values())
            for each in history
        ]


def words(service: Any) -> str:
    error = f" · {service.error} in error" if service.error else ""
    return f"{service.active} active{error} · {service.allocations_left} left"


def test_the_picture_has_the_steps_and_spans_of_the_fortnight(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    with shown(chromium, airflow, place="#/connections/useapi_default") as view:
        view.settled().click("[data-value='30']")
        view.wait("$.querySelectorAll('.span').length >= 8")
        spans = view.settled().ask(
            "[...$.querySelectorAll('[data-key=spans] tbody tr')].map(row =>"
            " [...row.cells].map(c => c.textContent))"
        )
        days = {f"{row[0]} {row[1]}": row[4] == "still there" for row in spans}
        assert days["UA010 kling"]
        assert not days["UA010 minimax"], "mended on day 8"
        # From day 4 to day 14 are 10 of 30 days, from day 6 to day 8 two.
        widths = view.ask(
            "Object.fromEntries([...$.querySelectorAll('.span')].map(row => [row.querySelector("
            "'.row-name').innerText.trim(), +row.querySelector('.lasts').getAttribute('width')"
            ".slice(0, -1)]))"
        )
        assert abs(widths["UA010 kling"] - 100 * 10 / 30) < 0.5
        assert abs(widths["UA010 minimax"] - 100 * 2 / 30) < 0.5
        steps = view.ask("$.querySelectorAll('[data-key=\"h-kling\"] .error').length")
        assert steps == 1, "one account in error from day 4 to the end is one piece"


def test_waiting_gates(chromium: Browser, lived: Lived) -> None:
    with shown(chromium, lived.airflow) as view:
        rows = view.settled().ask(
            "Object.fromEntries([...$.querySelectorAll('.gates tbody tr')].map(row =>"
            " [row.cells[0].innerText.split('\\n')[0].split(' · ')[1],"
            " [...row.cells].map(c => c.innerText.replace(/\\s+/g, ' '))]))"
        )
        told = {name: row[1] for name, row in rows.items()}
        if compat.SHARES_STREAMS:
            assert told == {
                "wait_for_kling": "useapi_default kling",
                "wait_for_studio": "useapi_studio mureka",
                "wait_for_slots": "started in the triggerer",
            }
        else:  # those Airflows start it on a worker, and 3.1 has no rendered fields in its lists
            assert set(told) == set(fortnight.GATES)
            assert "started in the triggerer" not in told.values()
        for name, row in rows.items():
            assert lived.run_id in row[0]
            where = "in the triggerer" if name != "wait_for_studio" else ""
            assert where in row[2]

        view.click("[aria-label='Read the log of wait_for_kling for the reason']")
        reason = view.wait("$.querySelector('.reason')?.innerText")
        assert "kling: 2 of 3 accounts active, 3 needed" in reason
        # The same in Airflow's own log of the gate.
        log = lived.airflow.log(fortnight.PIPELINE, lived.run_id, "wait_for_kling", 1)
        assert reason in log


def test_a_link_into_airflow_moves_the_window_around_the_page(
    chromium: Browser, lived: Lived
) -> None:
    with shown(chromium, lived.airflow) as view:
        view.settled().click(".gates a[data-airflow]")
        view.page.wait_for("location.pathname.startsWith('/dags/video_pipeline/runs/')")
        view.page.wait_for("document.body.innerText.includes('wait_for_')")
        view.page.complaints.clear()  # those are Airflow's own


def test_the_address_of_airflows_window_leads_back_to_what_was_shown(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    with shown(chromium, airflow) as view:
        view.settled().click("a[href='#/connections/useapi_studio']")
        view.wait("$.querySelector('h2').innerText === 'useapi_studio'")
        assert view.page.evaluate("location.hash") == "#/connections/useapi_studio"
        view.page.call("Page.reload")
        shows = "document.querySelector('iframe')?.contentDocument?.querySelector('h2')?.innerText"
        view.page.wait_for(f"{shows} === 'useapi_studio'")


def test_an_audit_leads_to_the_page_of_its_connection(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    runs = airflow.request("GET", f"/api/v2/dags/{fortnight.AUDIT}/dagRuns?limit=1")["dag_runs"]
    task = f"/api/v2/dags/{fortnight.AUDIT}/dagRuns/{runs[0]['dag_run_id']}/taskInstances/audit"
    links = airflow.request("GET", f"{task}/links?map_index=2")["extra_links"]
    assert links == {
        "useapi.net": f"{airflow.url}/plugin/useapi#/connections/useapi_team",
        "Report": None,  # none was written: no button
    }
    page = chromium.open(links["useapi.net"], {"_token": airflow.log_in()})
    shows = "document.querySelector('iframe')?.contentDocument?.querySelector('h2')?.innerText"
    page.wait_for(f"{shows} === 'useapi_team'")
    page.close()
