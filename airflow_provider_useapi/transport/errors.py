"""What went wrong on the wire, said the same way for both transports."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from airflow_provider_useapi.api.responses import MAX_BODY, Answer
from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.exceptions import UseApiUnavailableError


def received(
    status: int, headers: Mapping[str, str], body: bytearray, failure: BaseException | None
) -> Answer:
    """
    The answer that came, at least its head.

    :param body: what came of the body, past the limit if it is too long.
    :param failure: what the HTTP library raised before the body was whole.
    """
    flaw, timed_out = "", False
    if failure is not None:
        timed_out = any(isinstance(cause, TimeoutError) for cause in _causes(failure))
        garbled = "Decoding" in type(failure).__name__
        flaw = "late" if timed_out else "garbled" if garbled else "cut off"
    elif len(body) > MAX_BODY:
        flaw = "larger than 1 MiB"
    named = {name.lower(): value for name, value in headers.items()}
    return Answer(status, named, bytes(body[:MAX_BODY]), flaw, timed_out)


def unavailable(failure: BaseException | None, settings: Settings) -> UseApiUnavailableError:
    """
    The error for a request that got no answer.

    No text of the failure is passed on, because a library may put addresses and credentials into
    it: only what kind of failure it was.

    :param failure: what the HTTP library raised.
    :param settings: the settings of the request.
    """
    base, proxy = urlsplit(settings.base_url), urlsplit(settings.proxy or "")
    via = f" through the proxy {proxy.hostname}:{proxy.port or ''}" if proxy.hostname else ""
    return UseApiUnavailableError(
        f"Connection {settings.conn_id!r}: no answer from {base.netloc}{via}:"
        f" {_reason(failure, settings)}."
    )


def _reason(failure: BaseException | None, settings: Settings) -> str:
    causes = list(_causes(failure)) if failure else []
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate cannot be verified ({cause.verify_message})"
    for kind, reason in (
        (TimeoutError, f"no complete response within {settings.timeout:g} s"),
        (socket.gaierror, "the host name cannot be resolved"),
        (ConnectionRefusedError, "connection refused"),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return reason
    # A reset, an end in the middle, garbage: the two libraries tell them apart differently.
    tls = "the connection or its TLS handshake" if settings.uses_tls else "the connection"
    return f"{tls} was closed early, or the server does not speak HTTP"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure and all that led to it, wherever a library keeps it."""
    waiting, seen = [failure], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        held = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        held += getattr(cause, "exceptions", ())
        waiting += [other for other in held if isinstance(other, BaseException)]
