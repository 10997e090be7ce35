"""The links that a task has in Airflow's UI."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_useapi.compat import SHOWS_PAGES
from airflow_provider_useapi.operators.links import ConnectionPageLink, ReportLink, address_of
from airflow_provider_useapi.operators.useapi import UseApiAccountOperator, UseApiAuditOperator
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor


def links(operator: Any) -> dict[str, str]:
    return {
        link.name: link.get_link(operator, ti_key=None) for link in operator.operator_extra_links
    }


@pytest.mark.skipif(not SHOWS_PAGES, reason="Airflow shows pages of plugins from 3.1 on")
@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("", "/plugin/useapi#/connections/a%2Fb%20c"),
        (
            "https://airflow.example/team/",
            "https://airflow.example/team/plugin/useapi#/connections/a%2Fb%20c",
        ),
    ],
)
def test_an_operator_leads_to_the_page_of_its_connection(
    monkeypatch: pytest.MonkeyPatch, base: str, expected: str
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    account = UseApiAccountOperator(task_id="account", useapi_conn_id="a/b c")
    assert links(account) == {"useapi.net": expected}
    audit = UseApiAuditOperator(task_id="audit", useapi_conn_id="a/b c")
    assert links(audit) == {"useapi.net": expected, "Report": ""}


@pytest.mark.skipif(SHOWS_PAGES, reason="Airflow shows pages of plugins from 3.1 on")
def test_there_are_no_links_where_there_is_no_page() -> None:
    for operator in (UseApiAccountOperator(task_id="a"), UseApiAuditOperator(task_id="b")):
        assert links(operator) == {}


def test_a_gate_has_none_for_each_would_need_a_worker() -> None:
    names = {link.name for link in UseApiAccountSensor(task_id="gate").operator_extra_links}
    assert not names & {ConnectionPageLink.name, ReportLink.name}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://reports/a b/c.html", "https://s3.console.aws.amazon.com/s3/object/reports?prefix=a%20b/c.html"),
        ("gs://reports/c.html", "https://console.cloud.google.com/storage/browser/_details/reports/c.html"),
        ("/var/reports/c.html", "/var/reports/c.html"),
        ("file:///c.html", "file:///c.html"),
        ("abfs://box/c.html", "abfs://box/c.html"),
    ],
)  # fmt: skip
def test_a_report_is_where_a_browser_finds_it(path: str, expected: str) -> None:
    assert address_of(path) == expected


def test_a_report_that_was_written_has_a_link() -> None:
    audit = UseApiAuditOperator(task_id="audit", report_path="gs://reports/")
    assert ReportLink().get_link(audit, ti_key=None) == ""
    audit.written_to = "gs://reports/useapi_default.html"
    assert ReportLink().get_link(audit, ti_key=None).endswith("/reports/useapi_default.html")
