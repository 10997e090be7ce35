"""Asking about one account again and again, on a kept client, with the connection as it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_useapi.answers import ACCOUNT_PATH, read_account
from airflow_provider_useapi.exceptions import UseApiAuthError, UseApiError
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.metrics import count_request
from airflow_provider_useapi.transports.asynchronous import AsyncClient

if TYPE_CHECKING:
    from airflow_provider_useapi.account import Account
    from airflow_provider_useapi.connection import Settings


class Asker:
    """
    Reads the connection before each look, and keeps its client for as long as it stays the same.

    :param conn_id: id of the connection.
    """

    def __init__(self, conn_id: str) -> None:
        self._hook = UseApiHook(conn_id)
        self._client: AsyncClient | None = None
        self._seen: Settings | str | None = None

    async def account(self) -> Account:
        """
        The account, asked for once.

        A refused token is asked about once more if the connection holds another one by then: a
        token that is being renewed must not end every gate that waits.

        :raises UseApiError: as :meth:`UseApiHook.get_account`.
        """
        client = await self._ready()
        try:
            return await self._ask(client)
        except UseApiAuthError:
            again = await self._ready()
            if again.settings.token == client.settings.token:
                raise
            self._hook.log.info(
                "The token was refused, but the connection has a new one: looking again."
            )
            return await self._ask(again)

    async def is_changed(self) -> bool:
        """Whether the connection is another one than at the last look."""
        before = self._seen
        with suppress(UseApiError):  # another error is a change, too
            await self._settings()
        return self._seen != before

    async def aclose(self) -> None:
        """Close the client."""
        client, self._client = self._client, None
        if client:
            await client.__aexit__(None, None, None)

    async def _ready(self) -> AsyncClient:
        settings = await self._settings()
        if self._client and not await self._client.fits(settings):
            await self.aclose()
        if self._client is None:
            self._client = await AsyncClient(settings).__aenter__()
        return self._client

    async def _settings(self) -> Settings:
        known = self._seen if not isinstance(self._seen, str) else None
        try:
            self._seen = settings = await self._hook.asettings(known)
        except UseApiError as e:
            self._seen = str(e)
            raise
        return settings

    async def _ask(self, client: AsyncClient) -> Account:
        settings, error = client.settings, None
        try:
            answer = await client.get(ACCOUNT_PATH)
            return read_account(answer, conn_id=settings.conn_id, secrets=settings.secrets)
        except UseApiError as e:
            error = e
            raise
        finally:
            count_request(settings.conn_id, error)
