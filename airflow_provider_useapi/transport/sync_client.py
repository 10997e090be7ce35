"""Asking from a worker, which waits for the answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import httpcore

from airflow_provider_useapi.api.responses import MAX_BODY, Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.transport.conversation import DeadConnectionError, Trust
from airflow_provider_useapi.transport.deadline import until
from airflow_provider_useapi.transport.errors import FAILURES, received, unavailable
from airflow_provider_useapi.transport.request import (
    Headers,
    address,
    is_repeatable,
    new_request,
    own_headers,
    pool_arguments,
)
from airflow_provider_useapi.transport.sync_stream import Network, Stream
from airflow_provider_useapi.transport.tls import tls_context

T = TypeVar("T")


class SyncClient:
    """
    Sends requests, from any thread and any process, and keeps its connections.

    :param settings: whom to ask and how.
    :raises UseApiConfigError: if a certificate that they name cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.origin = address(settings.base_url).origin
        self._headers = own_headers(settings)
        self._trust = Trust()
        self._tls = tls_context(settings) if settings.uses_tls else None
        self._pool = self._new_pool()
        self._process = os.getpid()

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
        end = until(self.settings.timeout)
        try:
            response = self.send("GET", address(self.settings.url(path)), self._headers, end)
        except FAILURES as e:
            raise unavailable(e, self.settings) from None
        body, failure = bytearray(), None
        try:
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > MAX_BODY:
                    break
        except FAILURES as e:
            failure = e
        finally:
            response.close()
        return received(path, response, body, failure)

    def send(
        self, method: str, url: httpcore.URL, headers: Headers, end: float, content: Any = None
    ) -> httpcore.Response:
        """
        Send a request, and wait for the head of its answer.

        :param url: of any server.
        :param end: when all of the answer must be there.
        :return: the answer; close it in the end.
        :raises: one of :data:`FAILURES`.
        """
        request = new_request(method, url, headers, end, content)
        if not is_repeatable(method, content):
            self._trust.lose()
        try:
            return self._handle(request)
        except DeadConnectionError:
            self._trust.lose()
            return self._handle(request)

    def close(self) -> None:
        """Close the connections; the next request opens another one."""
        self._pool.close()

    def _handle(self, request: httpcore.Request) -> httpcore.Response:
        if request.url.scheme == b"https" and self._tls is None:
            # To another server: hook.get_conn() may ask any.
            self._tls = tls_context(self.settings)
            self._pool = self._new_pool()
        if self._process != os.getpid():
            # They are the parent's, who talks over them, and may have been in the pool's lock.
            for connection in self._pool.connections:
                connection.close()
            self._pool, self._process = self._new_pool(), os.getpid()
        response = self._pool.handle_request(request)
        stream = response.extensions["network_stream"]
        if not isinstance(stream, Stream):
            response.close()
            raise httpcore.RemoteProtocolError("another protocol from here on")
        stream.talk.expect(request.method, response)
        return response

    def _new_pool(self) -> httpcore.ConnectionPool:
        arguments = pool_arguments(self.settings, self._tls)
        return httpcore.ConnectionPool(network_backend=Network(self._trust), **arguments)
