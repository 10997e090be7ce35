"""
What an audit remembers across Airflow's migration from 2.11 to 3.x.

tests/golden/migrated_asset_events.json holds the rows of a database in which the operator ran on
Airflow 2.11 and which Airflow 3.3 migrated since (PostgreSQL). Its asset is named after its URI;
audits on 3.x make a second one of the same URI.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_provider_useapi.assets import account_asset
from airflow_provider_useapi.compat import RELEASE
from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.dag_runs import load

GOLDEN = Path(__file__).parents[2] / "golden" / "migrated_asset_events.json"
CONN_ID = "useapi_migrated"

pytestmark = pytest.mark.skipif(
    not hasattr(Asset, "name"), reason="Airflow 2.11 is where the migration begins"
)


@pytest.fixture
def audit(
    airflow_db: None, useapi_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Audit the sandbox in a run of its own; what it returned."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", useapi_sandbox.connection_json())
    dag = load("tests/dags/audits.py")["audit_templated"]
    # Another account than that of the tests before: their events are no baseline.
    useapi_sandbox.account["id"] = abs(hash(str(tmp_path))) % 10**9

    def run() -> dict[str, Any]:
        instances = dag.test(run_conf={"conn_id": CONN_ID}).get_task_instances()
        (instance,) = [each for each in instances if each.task_id == "audit"]
        pulled: dict[str, Any] = instance.xcom_pull(task_ids="audit")
        return pulled

    return run


def leave_rows(account_id: int, at: datetime) -> dict[str, Any]:
    """
    Leave in the database what the migration leaves there, as if a certain audit had been the last.

    :return: the extra of its event, as it is stored.
    """
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    (row,) = json.loads(GOLDEN.read_text())
    text = json.dumps(row["extra"]).replace(row["extra"]["checked_at"], at.isoformat())
    extra: dict[str, Any] = json.loads(text) | {"account_id": account_id}
    key = {"name": row["name"], "uri": row["uri"]}
    assert key["name"] == key["uri"] == account_asset(CONN_ID).uri
    with create_session() as session:
        asset = session.scalar(select(AssetModel).filter_by(**key))
        if asset is None:
            asset = AssetModel(**key, group=row["group"])
            session.add(asset)
            session.flush()
        session.add(AssetEvent(asset_id=asset.id, extra=extra, timestamp=at))
    return extra


def test_an_audit_asks_for_the_newest_event_alone_from_3_2_on() -> None:
    from airflow.sdk.execution_time import context

    events = getattr(context, "InletEventsAccessor", None)
    assert hasattr(events, "limit") == (RELEASE >= (3, 2))


def since(audit: dict[str, Any], code: str, service: str) -> str:
    (found,) = [
        each["since"]
        for each in audit["findings"]
        if (each["code"], each["service"]) == (code, service)
    ]
    return str(found)


def test_the_first_audit_after_the_migration_goes_on_with_the_history(
    audit: Any, useapi_sandbox: Sandbox
) -> None:
    before = datetime.now(UTC) - timedelta(days=1)
    stored = leave_rows(useapi_sandbox.account["id"], before)
    assert isinstance(stored["services"], str), "Airflow 2.11 stores no nested extras"

    useapi_sandbox.account["accounts"]["MiniMax API"].update(active=1, error=2)
    first = audit()
    assert since(first, "UA002", "midjourney") == before.isoformat()
    assert since(first, "UA003", "minimax") == before.isoformat()
    assert since(first, "UA002", "minimax") == first["snapshot"]["checked_at"]
    (fall,) = [each for each in first["findings"] if each["code"] == "UA005"]
    assert (fall["service"], fall["message"]) == ("minimax", "active accounts fell from 3 to 1")

    # From now on the new asset has the newest one.
    second = audit()
    assert [each for each in second["findings"] if each["code"] == "UA005"] == []
    assert since(second, "UA002", "midjourney") == before.isoformat()
    assert since(second, "UA002", "minimax") == first["snapshot"]["checked_at"]


def test_the_newest_event_counts_whichever_asset_it_is_of(
    audit: Any, useapi_sandbox: Sandbox
) -> None:
    audit()
    newer = datetime.now(UTC)
    leave_rows(useapi_sandbox.account["id"], newer)
    useapi_sandbox.account["accounts"]["MiniMax API"].update(active=2)
    found = audit()
    assert since(found, "UA003", "minimax") == newer.isoformat()
    (fall,) = [each for each in found["findings"] if each["code"] == "UA005"]
    assert fall["message"] == "active accounts fell from 3 to 2"


def test_a_history_without_a_migration_is_read_as_ever(audit: Any) -> None:
    first, second = audit(), audit()
    assert {each["since"] for each in second["findings"]} == {first["snapshot"]["checked_at"]}
