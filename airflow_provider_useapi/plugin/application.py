"""
The small application that serves the page: one document, its script, its style and its icons.

It is closed by default: every path is for those who are logged in and may read assets, whose events
the page shows. It serves files that came with this package, and holds no data.
"""

from __future__ import annotations

from hashlib import blake2b
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.api_fastapi.core_api.security import requires_access_asset
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from starlette.exceptions import HTTPException as AnyHTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("static")
DOCUMENT = "page.html"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src"
        " 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
"""Of every answer. A browser may keep a file, and asks each time whether it is still the same."""

REFUSALS = {
    401: "You are not logged in. Log in to Airflow and open this page again.",
    403: "This page shows what audits recorded as events of assets, and you may not read assets.",
    404: "There is no such page.",
}


def make_application() -> FastAPI:
    """The application, with every file of the page in memory."""
    application = FastAPI(
        title="useapi.net",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_access_asset(method="GET"))],
    )
    files = read_files()

    # The name may be anything, so that a stranger is refused whatever the path.
    @application.get("/{name:path}")
    def file(name: str, request: Request) -> Response:
        return _answer(files, name or DOCUMENT, request)

    @application.exception_handler(AnyHTTPException)
    def refusal(_: Request, error: AnyHTTPException) -> Response:
        return _refusal(error)

    return application


def read_files() -> dict[str, bytes]:
    """Every file of the page, by name."""
    return {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}


def _answer(files: Mapping[str, bytes], name: str, request: Request) -> Response:
    if name not in files:
        raise HTTPException(404)
    tag = f'"{blake2b(files[name], digest_size=12).hexdigest()}"'
    headers = {**HEADERS, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(files[name], media_type=TYPES[Path(name).suffix], headers=headers)


def _refusal(error: AnyHTTPException) -> Response:
    sentence = REFUSALS.get(error.status_code, str(error.detail))
    document = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>useapi.net</title>'
        f'<meta name="color-scheme" content="light dark"><p>{escape(sentence)}</p></html>'
    )
    headers = {**HEADERS, **(error.headers or {})}
    return Response(document, error.status_code, headers, media_type=TYPES[".html"])
