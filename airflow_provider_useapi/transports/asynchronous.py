"""Asking with httpx, for event loops."""

from __future__ import annotations

import asyncio
from types import TracebackType

import httpx

from airflow_provider_useapi.answers import MAX_BODY, Answer
from airflow_provider_useapi.connection import Settings
from airflow_provider_useapi.tls import tls_context
from airflow_provider_useapi.transports import HEADERS
from airflow_provider_useapi.transports.failures import received, unavailable


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
        # Built in a thread: it would hold the event loop for 19 ms.
        tls = await asyncio.to_thread(tls_context, settings) if settings.uses_tls else None
        # The transport, not a client around it: a client prepares redirects, which fails on odd
        # ones, and writes each request into the log.
        self._transport = httpx.AsyncHTTPTransport(
            proxy=httpx.Proxy(settings.proxy, ssl_context=tls) if settings.proxy else None,
            verify=tls or False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.aclose()

    async def get(self, path: str) -> Answer:
        """
        Ask once.

        :param path: the endpoint, such as ``/v2/account``.
        :raises UseApiUnavailableError: if no answer came in time.
        """
        request = httpx.Request("GET", self.settings.url(path), headers=self._headers)
        response: httpx.Response | None = None
        body, failure = bytearray(), None
        try:
            async with asyncio.timeout(self.settings.timeout):
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
