"""The three ways over the wire behind one face that blocks, for tests of what all of them do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import requests

from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.transport.async_client import AsyncClient
from airflow_provider_useapi.transport.session import Session
from airflow_provider_useapi.transport.sync_client import SyncClient

Get = Callable[[str], Answer]


@contextmanager
def sync_client(settings: Settings) -> Iterator[Get]:
    """What workers ask with."""
    client = SyncClient(settings)
    try:
        yield client.get
    finally:
        client.close()


@contextmanager
def async_client(settings: Settings) -> Iterator[Get]:
    """What a triggerer asks with, on an event loop of its own."""
    with asyncio.Runner() as loop:

        async def opened() -> AsyncClient:
            return await AsyncClient(settings).__aenter__()

        client = loop.run(opened())
        try:
            yield lambda path: loop.run(client.get(path))
        finally:
            loop.run(client.__aexit__(None, None, None))


@contextmanager
def session(settings: Settings) -> Iterator[Get]:
    """What ``hook.get_conn()`` returns."""
    with new_session(settings) as opened:

        def get(path: str) -> Answer:
            try:
                response = opened.get(settings.url(path))
            except requests.RequestException as e:
                raise UseApiUnavailableError(str(e)) from e
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, response.content)

        yield get


def new_session(settings: Settings) -> Session:
    """A session whose copies have the same settings."""
    return Session(partial(_same, settings), SyncClient(settings))


def _same(settings: Settings) -> Settings:
    return settings


CLIENTS = {"sync": sync_client, "async": async_client, "session": session}
