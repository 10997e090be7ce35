"""Asking about one account again and again, on a kept client, with the connection as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.capacity import read_rows
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.hooks.connection import asettings_of
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.metrics import counted_request
from airflow_provider_useapi.transport.async_client import AsyncClient

if TYPE_CHECKING:
    from airflow_provider_useapi.api.account import Account
    from airflow_provider_useapi.api.live_readers import Rows
    from airflow_provider_useapi.api.services import Endpoint
    from airflow_provider_useapi.connection.settings import Settings

T = TypeVar("T")


class Asker:
    """
    Reads the connection before each request, and keeps its client while that stays the same.

    :param conn_id: id of the connection.
    """

    def __init__(self, conn_id: str) -> None:
        self._hook = UseApiHook(conn_id)
        self._client: AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._seen: Settings | str | None = None
        self._held: dict[Endpoint, tuple[float, UseApiError]] = {}

    async def account(self) -> Account:
        """
        The account, asked for once.

        :raises UseApiError: as :meth:`UseApiHook.get_account`.
        """
        return await self._ask(ACCOUNT_PATH, read_account)

    async def rows(self, endpoint: Endpoint) -> Rows:
        """
        What a live endpoint tells, asked for once, and not before it wants to be asked again.

        :raises UseApiError: as :meth:`UseApiHook.get_capacity`.
        """
        until, error = self._held.get(endpoint, (0.0, None))
        left = until - clock.monotonic()
        if error and left > 0:
            raise type(error)(str(error), status_code=error.status_code, retry_after=left)
        try:
            return await self._ask(endpoint.path, partial(read_rows, endpoint))
        except UseApiError as e:
            self._held[endpoint] = (clock.monotonic() + (e.retry_after or 0.0), e)
            raise

    async def is_changed(self) -> bool:
        """Whether the connection is another one than at the last request."""
        before = self._seen
        with suppress(UseApiError):  # another error is a change, too
            await self._settings()
        return self._seen != before

    async def aclose(self) -> None:
        """Close the client."""
        client, self._client = self._client, None
        if client:
            await client.__aexit__(None, None, None)

    async def _ask(self, path: str, read: Callable[..., T]) -> T:
        """
        One request; or two, if the token is refused and the connection has a new one by then.

        A token that is being renewed must not end every gate that waits.
        """
        client = await self._ready()
        try:
            with counted_request(client.settings.conn_id):
                return await client.ask(path, read)
        except UseApiAuthError:
            again = await self._ready()
            if again.settings.token == client.settings.token:
                raise
            self._hook.log.info(
                "The token was refused, but the connection has a new one: looking again."
            )
            with counted_request(again.settings.conn_id):
                return await again.ask(path, read)

    async def _ready(self) -> AsyncClient:
        async with self._opening:
            settings = await self._settings()
            if self._client and not await self._client.fits(settings):
                await self.aclose()
            if self._client is None:
                self._client = await AsyncClient(settings).__aenter__()
            return self._client

    async def _settings(self) -> Settings:
        known = self._seen if not isinstance(self._seen, str) else None
        try:
            self._seen = settings = await asettings_of(self._hook, known)
        except UseApiError as e:
            self._seen = str(e)
            raise
        return settings
