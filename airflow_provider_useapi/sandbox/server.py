"""The sandbox: a server in a thread of its own, and the record of what it was asked for."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.api import body_of, normal_answer
from airflow_provider_useapi.sandbox.http.connection import HttpProtocol
from airflow_provider_useapi.sandbox.http.playback import Step, steps
from airflow_provider_useapi.sandbox.http.request import Incoming, Request
from airflow_provider_useapi.sandbox.http.thread import ServerThread
from airflow_provider_useapi.sandbox.state import DEFAULT_TOKEN, State

if TYPE_CHECKING:
    import ssl

HOST = "127.0.0.1"

log = logging.getLogger(__name__)


class Sandbox(State):
    """
    A stand-in for useapi.net that listens on loopback while a ``with`` block runs.

    It serves its state, which may be changed at any time: ``account`` is the answer to
    ``GET /v2/account``, ``capacity`` holds the linked accounts of each service by its slug, with
    the jobs they run, their health, logins and credits, ``jobs`` those that were submitted, and
    ``token`` is the one that it takes.
    ``requests`` lists what came in, ``connections`` is the number of TCP connections so far. Each
    request is also logged at level DEBUG.

    :param port: the port to listen on; 0 takes a free one.
    :param token: the API token to ask for.
    :param inactive_for: how many seconds after the start the subscription becomes active.
    :param busy_for: how many seconds after the start the first job slot becomes free.
    :param job_seconds: how long a submitted job runs.
    :param ssl_context: speak https with it.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        inactive_for: float = 0.0,
        busy_for: float = 0.0,
        job_seconds: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            token=token, inactive_for=inactive_for, busy_for=busy_for, job_seconds=job_seconds
        )
        self.port = port
        self.requests: list[Request] = []
        self.connections = 0
        self._ssl_context = ssl_context
        # The seconds between two requests count, whatever is done to the clock meanwhile.
        self._epoch = time.time() - time.monotonic()
        self._thread: ServerThread | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """
        Listen. After a ``stop()`` it is the same port again, as after an outage.

        :raises OSError: the port is taken.
        """
        if self._thread:
            raise RuntimeError("this sandbox is running already")
        listener = socket.create_server((HOST, self.port))
        self.port = listener.getsockname()[1]
        self.started = time.monotonic()
        self._thread = ServerThread(listener, self._accept)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and end the server; it keeps its state and what it recorded."""
        if self._thread:
            self._thread.stop()
            self._thread = None

    @property
    def url(self) -> str:
        """The base URL, such as ``http://127.0.0.1:8787``."""
        return f"{self._origin}:{self.port}"

    def connection_uri(self, **extra: object) -> str:
        """
        An Airflow connection to this sandbox, as a URI.

        :param extra: extras of the connection, such as ``timeout=5``.
        """
        # Airflow unquotes the host, so that it can hold the scheme; the port has its own place.
        uri = f"useapi://:{quote(self.token, safe='')}@{quote(self._origin, safe='')}:{self.port}"
        texts = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in extra.items()
        }
        return f"{uri}/?{urlencode(texts)}" if texts else uri

    def connection_json(self, **extra: object) -> str:
        """
        An Airflow connection to this sandbox, as JSON.

        :param extra: extras of the connection, such as ``timeout=5``.
        """
        return json.dumps(
            {"conn_type": "useapi", "host": self.url, "password": self.token, "extra": extra}
        )

    @property
    def _origin(self) -> str:
        return f"{'https' if self._ssl_context else 'http'}://{HOST}"

    def _accept(self, opened: set[HttpProtocol]) -> HttpProtocol:
        self.connections += 1
        return HttpProtocol(self.connections, self._respond, opened, self._ssl_context)

    def _respond(self, incoming: Incoming, connection: int) -> Iterator[Step]:
        """Choose the answer to a request, and record both."""
        authorized = incoming.headers.get("authorization") == f"Bearer {self.token}"
        answer = self.take_scripted(incoming.path)
        head_only = incoming.method == "HEAD"
        try:
            answer = answer or normal_answer(
                incoming.method, incoming.path, self, authorized=authorized, query=incoming.query
            )
            body = body_of(answer, incoming.path, self, incoming.query)
            played = steps(answer, body, last=incoming.last, head_only=head_only)
        except (TypeError, ValueError) as error:  # what it serves is the test's: it may be anything
            answer = Answer(status=500, body={"error": f"Not JSON: {error}", "code": 500})
            played = steps(answer, answer.body, last=incoming.last, head_only=head_only)
        status = None if answer.reset or answer.nothing_after else answer.status
        now = self._epoch + time.monotonic()
        about = (incoming.method, incoming.path, status, now, connection, authorized)
        self.requests.append(Request(*about, query=incoming.query))
        log.debug("%s %s %s", incoming.method, incoming.path, status or "no answer")
        return played
