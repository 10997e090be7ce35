"""
Links that a task has in Airflow's UI: to the page of its connection, and to the report it wrote.

Only operators have them: each link is an XCom that a worker pushes, and a gate may need no worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.providers.common.compat.sdk import BaseOperatorLink

from airflow_provider_useapi.compat import SHOWS_PAGES

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator


class ConnectionPageLink(BaseOperatorLink):
    """To the page of the connection, inside Airflow's UI."""

    name = "useapi.net"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The address, below that of Airflow's UI where this worker knows it."""
        from airflow.providers.common.compat.sdk import conf

        base = conf.get("api", "base_url", fallback="") or "/"
        conn_id: Any = getattr(operator, "useapi_conn_id", "")
        return f"{base.rstrip('/')}/plugin/useapi#/connections/{quote(str(conn_id), safe='')}"


class ReportLink(BaseOperatorLink):
    """To the report of an audit, where one was written."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Where a browser finds the report; empty if none was written, which leaves no button."""
        written_to: str | None = getattr(operator, "written_to", None)
        return address_of(written_to) if written_to else ""


def address_of(path: str) -> str:
    """
    Where a browser finds an object: on the console of its storage, where we know one.

    Anything else stays as it is. Airflow shows a button for what a browser may open, and keeps the
    rest, such as a local path, in the XCom of the link.

    :param path: the path or URL that a report was written to.
    """
    url = urlsplit(path)
    console = _CONSOLES.get(url.scheme)
    return console.format(bucket=url.netloc, key=quote(url.path[1:])) if console else path


_CONSOLES = {
    "s3": "https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={key}",
    "gs": "https://console.cloud.google.com/storage/browser/_details/{bucket}/{key}",
}

PAGE_LINKS: tuple[BaseOperatorLink, ...] = (ConnectionPageLink(),) if SHOWS_PAGES else ()
AUDIT_LINKS: tuple[BaseOperatorLink, ...] = (*PAGE_LINKS, ReportLink()) if SHOWS_PAGES else ()
"""Before Airflow 3.1 there is no page, and so there are no links."""
