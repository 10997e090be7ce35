"""
The asset of an account: what audits record their history on, and other DAGs are scheduled by.

On Airflow 2.11 an asset is a dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import Asset

ALIAS = "useapi"
"""Audits emit through this alias, so that they need not know their connection in the DAG file."""


def account_asset(useapi_conn_id: str = DEFAULT_CONN_ID) -> Asset:
    """
    The asset of the account behind a connection.

    ``DAG(schedule=[account_asset("useapi_default")])`` runs after every audit of it.

    :param useapi_conn_id: id of the connection.
    """
    from airflow_provider_useapi.compat.assets import make_asset

    return make_asset(f"useapi/{useapi_conn_id}", f"useapi://account/{quote(useapi_conn_id, '')}")


def new_findings(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    What is new in the audits that started this run, for a task that tells people of it.

    :param context: of a task in a DAG that is scheduled on :func:`account_asset`.
    :return: ``{"conn_id", "code", "severity", "service", "message", "since"}`` for each finding
        that the audit before did not have; with ``ref`` where it is about a linked account.
    """
    from airflow_provider_useapi.audit.snapshot import read_snapshot
    from airflow_provider_useapi.compat.assets import triggering_extras

    return [
        {"conn_id": audit.conn_id, **finding.to_dict()}
        for extra in triggering_extras(context)
        if (audit := read_snapshot(extra))
        for finding in audit.new_findings
    ]
