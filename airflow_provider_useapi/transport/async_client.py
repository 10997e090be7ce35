"""Asking from an event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import TypeVar, cast

import httpcore

from airflow_provider_useapi.api.responses import MAX_BODY, Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.transport.async_stream import AsyncNetwork, AsyncStream
from airflow_provider_useapi.transport.conversation import DeadConnectionError, Trust
from airflow_provider_useapi.transport.deadline import until
from airflow_provider_useapi.transport.errors import FAILURES, received, unavailable
from airflow_provider_useapi.transport.request import (
    address,
    new_request,
    own_headers,
    pool_arguments,
)
from airflow_provider_useapi.transport.tls import tls_context

T = TypeVar("T")


class AsyncClient:
    """
    Sends requests and keeps its connections. Use it in ``async with``, on one event loop.

    :param settings: whom to ask and how.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._headers = own_headers(settings)
        self._trust = Trust()

    async def __aenter__(self) -> AsyncClient:
        self._tls = await _tls(self.settings)
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=AsyncNetwork(self._trust), **pool_arguments(self.settings, self._tls)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._pool.aclose()

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
        end = until(self.settings.timeout)
        request = new_request("GET", address(self.settings.url(path)), self._headers, end)
        try:
            response = await self._send(request)
        except FAILURES as e:
            raise unavailable(e, self.settings) from None
        body, failure = bytearray(), None
        try:
            async with aclosing(cast(AsyncGenerator[bytes], response.aiter_stream())) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > MAX_BODY:
                        break
        except FAILURES as e:
            failure = e
        finally:
            await response.aclose()
        return received(path, response, body, failure)

    async def _send(self, request: httpcore.Request) -> httpcore.Response:
        try:
            return await self._handle(request)
        except DeadConnectionError:
            self._trust.lose()
            return await self._handle(request)

    async def _handle(self, request: httpcore.Request) -> httpcore.Response:
        response = await self._pool.handle_async_request(request)
        stream: AsyncStream = response.extensions["network_stream"]
        stream.talk.expect(request.method, response)
        return response


async def _tls(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context, in a thread: building one would hold the event loop for 19 ms."""
    return await asyncio.to_thread(tls_context, settings) if settings.uses_tls else None
