"""What is sent, and by which way: the same for every client."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpcore

from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.transport import HEADERS

Headers = list[tuple[bytes, bytes]]

_PORTS = {"http": 80, "https": 443}
_HARMLESS = ("GET", "HEAD", "OPTIONS")
_IN_PATHS = "!$%&'()*+,/:;=@~"
"""What a path may hold besides letters and digits; what is quoted already stays so."""


def own_headers(settings: Settings) -> Headers:
    """The headers of our own requests, for the connection's own server."""
    return [*encoded(HEADERS), token_header(settings)]


def token_header(settings: Settings) -> tuple[bytes, bytes]:
    """The header with the token, for the connection's own server."""
    return b"Authorization", f"Bearer {settings.token}".encode()


def encoded(headers: Mapping[str, str | bytes]) -> Headers:
    """Headers as they are sent."""
    return [
        (name.encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
        for name, value in headers.items()
    ]


def new_request(
    method: str, url: httpcore.URL, headers: Headers, end: float, content: Any = None
) -> httpcore.Request:
    """
    A request that must be answered until a moment.

    :param url: an :func:`address`.
    :param headers: what the server is told; ``Host`` is added where it is not there.
    :param content: bytes or parts of them, if it has any.
    """
    host = url.host if url.port is None else b"%b:%d" % (url.host, url.port)
    named = {name.lower() for name, _ in headers}
    return httpcore.Request(
        method,
        url,
        headers=headers if b"host" in named else [(b"Host", host), *headers],
        content=content,
        extensions={"timeout": {"connect": end, "read": end, "write": end}},
    )


def is_repeatable(method: str, content: object) -> bool:
    """Whether a request does no harm if it arrives twice."""
    return content is None and method in _HARMLESS


def pool_arguments(settings: Settings, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """What httpcore's pools are told of certificates and proxies."""
    proxy = None
    if settings.proxy:
        parts = urlsplit(settings.proxy)
        pair = [unquote(part or "").encode() for part in (parts.username, parts.password)]
        proxy = httpcore.Proxy(
            address(settings.proxy),
            # Also of a name or a password alone: some proxies ask for a key.
            auth=(pair[0], pair[1]) if any(pair) else None,
            ssl_context=tls if parts.scheme == "https" else None,
        )
    return {"ssl_context": tls, "proxy": proxy, "max_connections": None}


def address(url: str) -> httpcore.URL:
    """
    A URL as httpcore takes it, without what may stand before its host, and fit for the wire.

    :raises ValueError: if it has no host, or an odd port.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if not host or parts.scheme not in _PORTS:
        raise ValueError("not the URL of a web server")
    return httpcore.URL(
        scheme=parts.scheme,
        host=(f"[{host}]" if ":" in host else host).encode("ascii"),
        port=None if port == _PORTS[parts.scheme] else port,
        target=quote(parts.path or "/", _IN_PATHS) + (parts.query and f"?{parts.query}"),
    )
