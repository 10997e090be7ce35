"""Asking with requests, for workers."""

from __future__ import annotations

import http.client
import socket
from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from airflow_provider_useapi.api.responses import MAX_BODY, Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.transport import HEADERS
from airflow_provider_useapi.transport.deadline import connect, deadline
from airflow_provider_useapi.transport.errors import received, unavailable
from airflow_provider_useapi.transport.tls import tls_context

# urllib3 lets a ValueError of http.client through, for a chunk of negative size.
_FAILURES = (requests.RequestException, HTTPError, OSError, ValueError)


T = TypeVar("T")


class BlockingClient:
    """
    One requests session on one kept-alive connection.

    :param settings: whom to ask and how.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.session = _session(settings)

    def ask(self, path: str, read: Callable[..., T]) -> T:
        """
        Ask once, and read the answer.

        :param path: the endpoint, such as ``/v2/account``.
        :param read: what makes sense of an :class:`Answer`.
        :raises UseApiError: as :meth:`get` and ``read``.
        """
        answer = self.get(path)
        return read(answer, conn_id=self.settings.conn_id, secrets=self.settings.secrets)

    def get(self, path: str) -> Answer:
        """
        Ask once.

        :param path: the endpoint, such as ``/v2/account``.
        :raises UseApiUnavailableError: if no answer came in time.
        """
        with deadline(self.settings.timeout):
            try:
                response = self.session.get(self.settings.url(path), stream=True)
            except _FAILURES as e:
                raise unavailable(e, self.settings) from None
            with response:
                return _read(response)

    def close(self) -> None:
        """Close the connection."""
        self.session.close()


def _read(response: requests.Response) -> Answer:
    body, failure = bytearray(), None
    try:
        for chunk in response.iter_content(65536):
            body += chunk
            if len(body) > MAX_BODY:
                break
    except _FAILURES as e:
        failure = e
    return received(response.status_code, response.headers, body, failure)


class _Session(requests.Session):
    """A session that follows no redirect, and does not even read where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def _session(settings: Settings) -> requests.Session:
    session = _Session()
    # Else a .netrc entry replaces our token, and REQUESTS_CA_BUNDLE our certificates.
    session.trust_env = False
    session.headers.clear()
    session.headers.update(HEADERS)
    session.auth = _Token(settings)
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    adapter = _Adapter(settings)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Token(AuthBase):
    """Adds the token to requests to the connection's own host, and to no other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._origin = _origin(settings.base_url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if _origin(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._settings.token}"
        return request


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)


class _Adapter(HTTPAdapter):
    """Opens deadline-keeping connections with the connection's TLS context."""

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.timeout
        self._tls = tls_context(settings) if settings.uses_tls else None
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._tls
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        # requests sends no credentials at all when there is a name or a password alone.
        parts = urlsplit(proxy)
        if not (parts.username or parts.password):
            return {}
        credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        return {"Proxy-Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        # requests would add its own idea of the certificates; the context says it all.
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._tls} if self._tls else {}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Leave the connection as the context made it."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        # For callers of hook.get_conn(), who set no deadline of their own.
        timeout = kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        with deadline(timeout if isinstance(timeout, (int, float)) else self._timeout):
            return super().send(request, *args, **kwargs)


class _Head:
    """A stream whose end is an error, as it is in the middle of a head."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def close(self) -> None:
        self.stream.close()

    def readline(self, limit: int) -> bytes:
        if not (line := self.stream.readline(limit)):
            raise http.client.RemoteDisconnected("the answer ended in its head")
        return bytes(line)


class _Response(http.client.HTTPResponse):
    """
    Reads the head of an answer as strictly as httpx does.

    http.client knows of all 1xx answers only 100, and takes a head that ends or goes wrong in the
    middle for a whole one.
    """

    def begin(self) -> None:
        stream, self.fp = self.fp, _Head(self.fp)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            if self.fp is not None:  # it is, where there can be no body
                self.fp = stream
        if self.headers.defects or self.headers.get_payload():
            raise http.client.BadStatusLine("a broken header")

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == 101:
                raise http.client.BadStatusLine("101 without an Upgrade")
            if not 100 <= status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)


class _DeadlineConnection:
    """How both kinds of connection are opened."""

    response_class: Any = _Response
    host: str
    port: int
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        return connect(self.host, self.port, self.socket_options or ())


class _HTTPConnection(_DeadlineConnection, HTTPConnection):
    pass


class _HTTPSConnection(_DeadlineConnection, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        # Else urllib3 warns at every request of what the connection was told to do.
        self.is_verified = self.proxy_is_verified = True


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}
