"""The ``requests.Session`` of ``hook.get_conn()``: the face of requests, our own wire behind it."""

from __future__ import annotations

import copy
import io
import ssl
from collections.abc import Callable
from http.client import HTTPMessage
from typing import Any, cast

import httpcore
import requests
from requests.adapters import BaseAdapter
from requests.cookies import MockRequest, MockResponse
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse

from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.transport import HEADERS
from airflow_provider_useapi.transport.deadline import until
from airflow_provider_useapi.transport.errors import FAILURES, causes, is_timeout, no_answer
from airflow_provider_useapi.transport.request import address, encoded, token_header
from airflow_provider_useapi.transport.sync_client import SyncClient


class Session(requests.Session):
    """
    A session that follows no redirect, and gives the token to the connection's own server alone.

    ``timeout`` of a call bounds the whole of it, down to the last byte; the connection alone says
    which proxy and which certificates count. A copy has neither the token nor a connection: it
    reads the Airflow connection at its first request.

    :param reread: reads the Airflow connection.
    :param client: what sends the requests of this session, but of no copy of it.
    """

    def __init__(self, reread: Callable[[], Settings], client: SyncClient) -> None:
        super().__init__()
        self.trust_env = False  # else a .netrc entry is sent
        self.headers.clear()
        self.headers.update(HEADERS)
        adapter = _Adapter(reread, client)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request that was prepared, and keep the cookies of its answer."""
        response = super().send(request, **kwargs)
        self.cookies.update(response.cookies)
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: not even what the answer says of it is read."""
        return None

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**state, "adapters": copy.deepcopy(self.adapters)}


class _Adapter(BaseAdapter):
    def __init__(self, reread: Callable[[], Settings], client: SyncClient | None) -> None:
        super().__init__()
        self._reread = reread
        self._client = client

    def __getstate__(self) -> dict[str, Any]:
        return {"_reread": self._reread, "_client": None}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        if self._client is None:
            self._client = SyncClient(self._reread())
        client, body = self._client, request.body
        seconds = _seconds(timeout, client.settings.timeout)
        try:
            url = address(request.url or "")
        except ValueError as e:
            raise requests.exceptions.InvalidURL(str(e), request=request) from None
        headers = encoded(request.headers)
        if url.origin == client.origin and "Authorization" not in request.headers:
            # On the wire alone: an answer, which is copied and stored, holds its request.
            headers.append(token_header(client.settings))
        content = body.encode() if isinstance(body, str) else body
        try:
            answer = client.send(request.method or "", url, headers, until(seconds), content)
        except FAILURES as e:
            words = no_answer(e, request.url or "", client.settings.proxy, seconds)
            raise _kind(e)(words, request=request) from e
        return _response(request, answer, self)

    def close(self) -> None:
        if self._client:
            self._client.close()


def _seconds(timeout: Any, default: float) -> float:
    """How long a call may last; of a pair, both together."""
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    given = [part for part in parts if isinstance(part, (int, float))]
    return sum(given) if given else default


def _kind(failure: BaseException) -> type[requests.RequestException]:
    if any(isinstance(cause, ssl.SSLError) for cause in causes(failure)):
        return requests.exceptions.SSLError
    if is_timeout(failure):
        late = isinstance(failure, httpcore.ConnectTimeout)
        return requests.ConnectTimeout if late else requests.ReadTimeout
    if isinstance(failure, httpcore.ProxyError):
        return requests.exceptions.ProxyError
    return requests.ConnectionError


def _response(
    request: requests.PreparedRequest, head: httpcore.Response, adapter: BaseAdapter
) -> requests.Response:
    headers = HTTPHeaderDict()
    for name, value in head.headers:
        headers.add(name.decode("latin-1"), value.decode("latin-1"))
    # The types of requests know only its own adapter, and http.cookiejar's only urllib's requests.
    response: Any = requests.Response()
    response.raw = HTTPResponse(
        _Body(head),
        headers,
        head.status,
        reason=head.extensions["reason_phrase"].decode("latin-1"),
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    response.status_code, response.reason = head.status, response.raw.reason
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url, response.request, response.connection = request.url, request, adapter
    if cookies := headers.getlist("Set-Cookie"):
        message = HTTPMessage()
        for cookie in cookies:
            message["Set-Cookie"] = cookie
        response.cookies.extract_cookies(MockResponse(message), MockRequest(request))
    return cast(requests.Response, response)


class _Body(io.RawIOBase):
    """The body of an answer as a file, which gives the connection back at its end."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer
        self._chunks = answer.iter_stream()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            while not self._rest and (chunk := next(self._chunks, None)) is not None:
                self._rest = chunk
        except FAILURES as e:
            self.close()
            # What urllib3 takes for a failure of its own.
            raise (TimeoutError if is_timeout(e) else ConnectionError)(type(e).__name__) from e
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            self._answer.close()
        super().close()
