"""Where the report of an audit is written to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_useapi.audit.report import report

if TYPE_CHECKING:
    from airflow_provider_useapi.audit.snapshot import Snapshot


def write_report(snapshot: Snapshot, to: str) -> str:
    """
    Write the report of an audit as one HTML file.

    :param snapshot: what the audit saw.
    :param to: a local path or the URL of an object; with a slash at its end it is a folder, and the
        file is named after the connection.
    :return: where it was written.
    """
    if to.endswith("/"):
        to += f"{quote(snapshot.conn_id, '')}.html"
    to = _at_home(to)
    path = ObjectStoragePath(to)
    if path.protocol in ("", "file"):  # object storage has no folders to make
        Path(path.path).parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report(snapshot), encoding="utf-8")
    return to


def _at_home(path: str) -> str:
    """
    A local path whose first part is ``~`` or ``~user``, with the home that this worker knows.

    In the URL of a local file (``file://~/reports/``) the file system does the same by itself.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        raise FileNotFoundError(
            f"report_path is {path!r}, and this worker knows no such home."
        ) from None
