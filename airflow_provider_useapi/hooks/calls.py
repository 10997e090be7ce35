"""
One-shot calls of a hook: requests one after the other, each tried again on transient errors.

On a worker they share the hook's own client; in an event loop they have one of their own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import AsyncRetrying, Retrying

from airflow_provider_useapi import clock
from airflow_provider_useapi.gate.questions import aask_all, ask_all
from airflow_provider_useapi.hooks.connection import Asker, asettings_of
from airflow_provider_useapi.metrics import counted_request
from airflow_provider_useapi.transport.attempts import retrying

if TYPE_CHECKING:
    from airflow_provider_useapi.api.account_requests import Request, Requests

T = TypeVar("T")


def attempts(hook: Asker) -> Retrying:
    """
    The retries of a hook's calls, on transient errors, as its connection says.

    :raises UseApiConfigError: if the connection cannot be used.
    """
    return Retrying(sleep=clock.sleep, **retrying(hook.client.settings.max_attempts))


def request_all(hook: Asker, requests: Requests[T]) -> T:
    """
    Make one request after the other, each with its own ``max_attempts``.

    :param requests: of :mod:`airflow_provider_useapi.api.account_requests`.
    :raises UseApiError: as ``UseApiHook.get_account``, unless the requests know what to ask next.
    """
    again = attempts(hook)
    return ask_all(requests, lambda each: again(hook.ask, each.path, each.read))


async def arequest_all(hook: Asker, requests: Requests[T]) -> T:
    """:func:`request_all` for an event loop, with the same settings and the same outcomes."""
    from airflow_provider_useapi.transport.async_client import AsyncClient

    settings = await asettings_of(hook)

    async def ask(each: Request) -> Any:
        with counted_request(settings.conn_id):
            return await client.ask(each.path, each.read)

    async with AsyncClient(settings) as client:
        again = AsyncRetrying(**retrying(settings.max_attempts))
        return await aask_all(requests, partial(again, ask))
