"""The page's application, asked as an API server asks it. With sessions: ``make page``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from airflow_provider_useapi.compat import SHOWS_PAGES

pytestmark = pytest.mark.skipif(not SHOWS_PAGES, reason="pages of plugins are of Airflow 3.1+")


def asked(application: Any, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """The answer to a request of a stranger, its status and its body."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/useapi/{path}",
        "root_path": "/useapi",
        "query_string": b"",
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    status = next(m["status"] for m in sent if m["type"] == "http.response.start")
    return status, b"".join(m.get("body", b"") for m in sent).decode()


def test_it_is_made_at_the_first_request_and_kept() -> None:
    from airflow_provider_useapi.plugin.airflow_plugin import LazyApplication

    application = LazyApplication()
    assert application._made is None
    asked(application, "")
    made = application._made
    assert made is not None
    asked(application, "main.js")
    assert application._made is made
    assert "airflow_provider_useapi.plugin.application" in sys.modules


@pytest.mark.parametrize("path", ["", "main.js", "docs", "openapi.json", "nothing"])
def test_a_stranger_gets_nothing(path: str) -> None:
    from airflow_provider_useapi.plugin.airflow_plugin import LazyApplication

    for headers in ({}, {"if-none-match": "*"}):
        status, body = asked(LazyApplication(), path, headers)
        assert status == 401
        assert "You are not logged in" in body


def test_every_file_can_be_answered_with() -> None:
    from starlette.requests import Request

    from airflow_provider_useapi.plugin.application import HEADERS, _answer, read_files

    files = read_files()
    for name, content in files.items():
        answer = _answer(files, name, Request({"type": "http", "headers": []}))
        assert answer.body == content
        assert HEADERS.items() <= {key: answer.headers[key] for key in HEADERS}.items()
        tag = answer.headers["etag"].encode()
        again = _answer(
            files, name, Request({"type": "http", "headers": [(b"if-none-match", tag)]})
        )
        assert (again.status_code, again.body) == (304, b"")


def test_the_files_are_small_and_load_nothing_from_elsewhere() -> None:
    from airflow_provider_useapi.plugin.application import read_files

    for name, content in read_files().items():
        text = content.decode()
        assert len(text.splitlines()) <= 250, name
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text
        assert "eval(" not in text
        addresses = text.replace("http://www.w3.org/2000/svg", "").replace(
            '"https://useapi.net"', ""
        )
        assert "http" not in addresses.replace("https://useapi.net", ""), name
