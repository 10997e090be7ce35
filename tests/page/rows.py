"""
Histories that are written straight into Airflow's database: many at once, or hostile ones.

What Airflow's own tasks write is shown by the audits that really run; here are the numbers that no
test has the time for, and what no audit of ours would write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.orm import Session

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.assets import account_asset
from airflow_provider_useapi.audit.linked import Linked, LinkedAccounts, Reading
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot

Moment = tuple[datetime, Mapping[str, Any]]
"""When an event was recorded, and its extra."""


def record(
    database: str, conn_id: str, moments: Iterable[Moment], dag_id: str, name: str | None = None
) -> None:
    """
    Write events of the asset of a connection.

    :param database: of Airflow, as a URL for SQLAlchemy.
    :param conn_id: the connection.
    :param moments: what its events are to hold.
    :param dag_id: the DAG that is said to have recorded them.
    :param name: of the asset, where it is not the usual one.
    """
    from airflow.models.asset import AssetEvent, AssetModel

    uri = account_asset(conn_id).uri
    with Session(create_engine(database, poolclass=NullPool)) as session:
        _know(session, dag_id)
        name = name or f"useapi/{conn_id}"
        asset = session.scalar(select(AssetModel).where(AssetModel.name == name))
        if asset is None:
            asset = AssetModel(name=name, uri=uri)
            session.add(asset)
            session.flush()
        session.add_all(
            AssetEvent(
                asset_id=asset.id,
                extra=dict(extra),
                source_dag_id=dag_id,
                source_task_id="audit",
                source_run_id=f"manual__{moment.isoformat()}",
                source_map_index=-1,
                timestamp=moment,
            )
            for moment, extra in moments
        )
        session.commit()


def audits(
    conn_id: str, count: int, every: timedelta, accounts: int = 6, until: datetime | None = None
) -> list[Moment]:
    """
    As many audits, oldest first, the last one just now; each is about as large as a usual one.

    :param conn_id: the connection.
    :param count: how many.
    :param every: how far they are apart.
    :param accounts: linked accounts of each of the four services.
    :param until: when the last one was.
    """
    last = until or datetime.now(UTC)
    found: list[Moment] = []
    before: Snapshot | None = None
    for number in range(count):
        moment = last - (count - 1 - number) * every
        before = audited(_seen(conn_id, moment, number, accounts), before)
        found.append((moment, before.to_extra()))
    return found


def _seen(conn_id: str, moment: datetime, number: int, accounts: int) -> Snapshot:
    """An account of four services; of the first, one linked account is broken every third day."""
    broken = number // 3 % 3 == 1
    names = ("Kling API", "MiniMax API", "PixVerse API", "Runway AP")
    body = {
        "id": 12345,
        "subscriptionIsActive": True,
        "subscriptions": 2,
        "maxAccountsPerAPI": accounts + 2,
        "accounts": {
            name: {"total": accounts, "active": accounts - bad, "error": bad}
            for name, bad in zip(names, (int(broken), 0, 0, 0), strict=True)
        },
        "sub": f"{moment:%y%m%d}",
    }
    account = Account.from_json(body)
    linked = {
        slug: LinkedAccounts(
            tuple(
                Linked(
                    hint=f"st***{index:02}@example.com",
                    ref=f"{index:06x}",
                    healthy=not (slug == "kling" and broken and index == 0),
                    reason="Session expired" if slug == "kling" and broken and index == 0 else None,
                    max_jobs=5,
                    session_expires=(moment + timedelta(days=20)).isoformat(),
                    credits=1000 + index,
                    unit="credits",
                )
                for index in range(accounts)
            )
        )
        for slug in account.services
    }
    return Snapshot.of_account(account, conn_id, moment.isoformat(), Reading(linked))


def _know(session: Session, dag_id: str) -> None:
    """Let Airflow know a DAG: 3.3 hides the events of one that it does not know."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel

    if session.get(DagModel, dag_id):
        return
    bundle = session.scalars(select(DagBundleModel)).first()
    if bundle is None:
        bundle = DagBundleModel(name="rows")
        session.add(bundle)
        session.flush()
    session.add(
        DagModel(
            dag_id=dag_id,
            bundle_name=bundle.name,
            is_stale=False,
            is_paused=True,
            max_active_tasks=1,
            max_consecutive_failed_dag_runs=0,
            has_task_concurrency_limits=False,
        )
    )
    session.flush()
