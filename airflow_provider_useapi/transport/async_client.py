"""Asking with httpx, for event loops."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import TypeVar

import httpx

from airflow_provider_useapi.api.responses import MAX_BODY, Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.transport import HEADERS
from airflow_provider_useapi.transport.errors import received, unavailable
from airflow_provider_useapi.transport.tls import tls_context

_GRACE = 0.1
_IDLE = 60.0
"""Seconds after which an idle connection is not trusted any more: middle boxes forget it."""


T = TypeVar("T")


class AsyncClient:
    """
    One httpx transport on kept-alive connections. Use it in ``async with``.

    :param settings: whom to ask and how.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._headers = {**HEADERS, "Authorization": f"Bearer {settings.token}"}

    async def __aenter__(self) -> AsyncClient:
        settings = self.settings
        self._tls = tls = await _tls(settings)
        # The transport, not a client around it: a client prepares redirects, which fails on odd
        # ones, and writes each request into the log.
        self._transport = httpx.AsyncHTTPTransport(
            proxy=_proxy(settings.proxy, tls) if settings.proxy else None,
            verify=tls or False,
            trust_env=False,
            limits=httpx.Limits(keepalive_expiry=_IDLE),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.aclose()

    async def fits(self, settings: Settings) -> bool:
        """Whether this client is what one would open for ``settings`` now."""
        return self.settings == settings and self._tls is await _tls(settings)

    async def ask(self, path: str, read: Callable[..., T]) -> T:
        """
        Ask once, and read the answer.

        :param path: the endpoint, such as ``/v2/account``.
        :param read: what makes sense of an :class:`Answer`.
        :raises UseApiError: as :meth:`get` and ``read``.
        """
        answer = await self.get(path)
        return read(answer, conn_id=self.settings.conn_id, secrets=self.settings.secrets)

    async def get(self, path: str) -> Answer:
        """
        Ask once.

        :param path: the endpoint, such as ``/v2/account``.
        :raises UseApiUnavailableError: if no answer came in time.
        """
        left = _Left(self.settings.timeout)
        request = httpx.Request(
            "GET", self.settings.url(path), headers=self._headers, extensions={"timeout": left}
        )
        response: httpx.Response | None = None
        body, failure = bytearray(), None
        try:
            # Connecting has two steps with the same limit, so that the whole needs one as well. It
            # comes second: httpx leaves a socket open when it is cancelled in a TLS handshake.
            async with asyncio.timeout(self.settings.timeout + _GRACE):
                response = await self._transport.handle_async_request(request)
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BODY:
                        break
        except (httpx.HTTPError, OSError) as e:
            failure = e
        if response is None:
            raise unavailable(failure, self.settings) from None
        await response.aclose()
        return received(response.status_code, response.headers, body, failure)


async def _tls(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context, in a thread: building one would hold the event loop for 19 ms."""
    return await asyncio.to_thread(tls_context, settings) if settings.uses_tls else None


class _Left(dict[str, float]):
    """The limit of each step, which is what is left of the whole."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._end = monotonic() + seconds

    def get(self, key: object, default: object = None) -> float:
        return max(self._end - monotonic(), 0.0)


def _proxy(url: str, tls: ssl.SSLContext | None) -> httpx.Proxy:
    is_tls = url.lower().startswith("https:")
    return httpx.Proxy(url, ssl_context=tls if is_tls else None)
