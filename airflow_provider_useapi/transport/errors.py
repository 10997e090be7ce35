"""What came over the wire or did not, said the same way for every client."""

from __future__ import annotations

import logging
import socket
import ssl
import zlib
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import httpcore

from airflow_provider_useapi.api.responses import MAX_BODY, Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.exceptions import UseApiUnavailableError
from airflow_provider_useapi.redaction import mask_emails
from airflow_provider_useapi.transport.content import unpacked

_log = logging.getLogger(__name__)

FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    OSError,
)
"""What httpcore and our streams raise when a request comes to nothing."""


def received(
    path: str, response: httpcore.Response, body: bytearray, failure: BaseException | None
) -> Answer:
    """
    The answer that came, at least its head.

    :param path: the endpoint.
    :param response: the head.
    :param body: what came of the body, past the limit if it is too long.
    :param failure: what was raised before the body was whole.
    """
    status = response.status
    # It may name a linked account, by its address.
    _log.debug("GET %s: %d", mask_emails(unquote(path.partition("?")[0])), status)
    named: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        named[name] = f"{named[name]}, {value}" if name in named else value
    if failure is not None:
        timed_out = is_timeout(failure)
        flaw = "late" if timed_out else "cut off"
        return Answer(status, named, bytes(body[:MAX_BODY]), flaw, timed_out)
    try:
        content = unpacked(bytes(body), named.get("content-encoding", ""), MAX_BODY + 1)
    except zlib.error:
        return Answer(status, named, b"", "garbled")
    flaw = "larger than 1 MiB" if max(len(body), len(content)) > MAX_BODY else ""
    return Answer(status, named, content[:MAX_BODY], flaw)


def unavailable(failure: BaseException, settings: Settings) -> UseApiUnavailableError:
    """
    The error for a request that got no answer.

    :param failure: what was raised.
    :param settings: the settings of the request.
    """
    reason = no_answer(failure, settings.base_url, settings.proxy, settings.timeout)
    return UseApiUnavailableError(f"Connection {settings.conn_id!r}: {reason}.")


def no_answer(failure: BaseException, url: str, proxy: str | None, seconds: float) -> str:
    """
    Why there was no answer.

    No text of the failure is passed on, because a library may put addresses and credentials into
    it: only what kind of failure it was.

    :param failure: what was raised.
    :param url: where the answer should have come from.
    :param proxy: the proxy on the way.
    :param seconds: how long the request might take.
    """
    server, between = urlsplit(url), urlsplit(proxy or "")
    via = f" through the proxy {between.hostname}:{between.port or ''}" if between.hostname else ""
    uses_tls = "https" in (server.scheme, between.scheme)
    where = server.netloc.rpartition("@")[2]
    return f"no answer from {where}{via}: {_reason(failure, seconds, uses_tls=uses_tls)}"


def is_timeout(failure: BaseException) -> bool:
    """Whether the time was up."""
    return any(isinstance(cause, TimeoutError) for cause in causes(failure))


def causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure and all that led to it."""
    waiting: list[BaseException | None] = [failure]
    seen = set()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]


def _reason(failure: BaseException, seconds: float, *, uses_tls: bool) -> str:
    chain = list(causes(failure))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate cannot be verified ({cause.verify_message})"
    for kind, reason in (
        (TimeoutError, f"no complete response within {seconds:g} s"),
        (socket.gaierror, "the host name cannot be resolved"),
        (ConnectionRefusedError, "connection refused"),
    ):
        if any(isinstance(cause, kind) for cause in chain):
            return reason
    tls = "the connection or its TLS handshake" if uses_tls else "the connection"
    return f"{tls} was closed early, or the server does not speak HTTP"
