"""Asking about one account again and again, on a kept client, with the connection as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.account_requests import Request
from airflow_provider_useapi.api.kept_credits import CreditRound, Kept, ask_round
from airflow_provider_useapi.api.live_answers import read_rows
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.questions import About, aask_all
from airflow_provider_useapi.hooks.connection import aread
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.metrics import counted_request
from airflow_provider_useapi.transport.async_client import AsyncClient
from airflow_provider_useapi.triggers.shared_credits import shelf_of

if TYPE_CHECKING:
    from airflow_provider_useapi.api.endpoints import Endpoint
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.gate.questions import Question
    from airflow_provider_useapi.hooks.connection import Reading

T = TypeVar("T")


class ConnectionClient:
    """
    Asks as the connection says, which it reads anew when it is told to; keeps its client.

    :param conn_id: id of the connection.
    """

    def __init__(self, conn_id: str) -> None:
        self._hook = UseApiHook(conn_id)
        self._client: AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._reading: Reading | None = None
        self._held: dict[tuple[Endpoint, str], tuple[float, UseApiError]] = {}

    @property
    def settings(self) -> Settings | None:
        """The connection as it was read last; ``None`` if it could not be."""
        return self._reading.settings if self._reading else None

    async def read(self) -> Settings:
        """
        The connection as it is now; what is asked from here on is asked with it.

        :raises UseApiError: if it cannot be read or used.
        """
        known, self._reading = self._reading, None
        self._reading = await aread(self._hook, known)
        return self._reading.settings

    async def answer(self, question: Question) -> Any:
        """
        One request, or a look at the connection.

        :param question: of a look.
        :raises UseApiError: as :func:`airflow_provider_useapi.hooks.questions.answer`.
        """
        if question is About.RENEWAL:
            return await self._has_new_token()
        if question is About.ACCOUNT:
            return await self._ask(ACCOUNT_PATH, read_account)
        if isinstance(question, Request):
            return await self._ask(question.path, question.read)
        if isinstance(question, CreditRound):
            return await self._credit_round(question)
        return await self._rows(question)

    async def aclose(self) -> None:
        """Close the client; the next request opens another one."""
        client, self._client = self._client, None
        if client:
            await client.__aexit__(None, None, None)

    async def _has_new_token(self) -> bool:
        refused = self.settings.token if self.settings else ""
        is_new = (await self.read()).token != refused
        if is_new:
            self._hook.log.info(messages.TOKEN_RENEWED)
        return is_new

    async def _credit_round(self, round_: CreditRound) -> dict[str, Kept]:
        """What accounts have left: asked for by one at a time, and kept for all of the loop."""
        settings = self.settings or await self.read()
        shelf = shelf_of(settings)
        async with shelf.asking(round_.slug):
            asking = ask_round(round_, shelf.kept, clock.now())
            found = await aask_all(asking, lambda each: self._ask(each.path, each.read))
            shelf.keep(found)
        return found

    async def _rows(self, endpoint: Endpoint) -> Any:
        """What a live endpoint tells; it is not asked before its ``Retry-After`` has passed."""
        key = (endpoint, self.settings.token if self.settings else "")
        until, error = self._held.get(key, (0.0, None))
        left = until - clock.monotonic()
        if error and left > 0:
            raise type(error)(str(error), status_code=error.status_code, retry_after=left)
        try:
            return await self._ask(endpoint.path, partial(read_rows, endpoint))
        except UseApiError as e:
            self._held = {key: (clock.monotonic() + (e.retry_after or 0.0), e)} | {
                other: held for other, held in self._held.items() if held[0] > clock.monotonic()
            }
            raise

    async def _ask(self, path: str, read: Callable[..., T]) -> T:
        client = await self._opened()
        with counted_request(client.settings.conn_id):
            return await client.ask(path, read)

    async def _opened(self) -> AsyncClient:
        async with self._opening:
            settings = self.settings or await self.read()
            if self._client and not await self._client.fits(settings):
                await self.aclose()
            if self._client is None:
                self._client = await AsyncClient(settings).__aenter__()
            return self._client
