"""What comes in: reading a request from bytes, and the record of it that a test can look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REQUEST_LINE = re.compile(rb"([A-Za-z-]+) ([!-~]+) HTTP/1\.([01])\r")
_LARGEST_HEAD = 64 * 1024
_LENGTH = re.compile("[0-9]{1,6}")


@dataclass(frozen=True)
class Request:
    """
    A request that the sandbox has read.

    :param method: such as ``GET``.
    :param path: the path, without a query.
    :param status: the status answered; ``None`` if the connection ended before one was sent.
    :param time: when, in seconds since the epoch.
    :param connection: the number of its TCP connection, counted from 1.
    :param authorized: whether it carried the token of that moment.
    :param query: the query of the path, without the question mark.
    """

    method: str
    path: str
    status: int | None
    time: float
    connection: int
    authorized: bool
    query: str = ""


class MalformedRequestError(Exception):
    """The bytes received are not a request of HTTP/1.0 or 1.1."""


@dataclass(frozen=True)
class Incoming:
    """The parts of a request that matter for its answer; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    last: bool
    query: str = ""


def take_request(received: bytearray) -> Incoming | None:
    """
    Take the first request out of the bytes received; ``None`` while it is incomplete.

    :param received: the bytes that are not taken yet; those of the request are removed.
    :raises MalformedRequestError: if no request can come of them.
    """
    if not received:
        return None
    line, newline, _ = bytes(received[:_LARGEST_HEAD]).partition(b"\n")
    request_line = _REQUEST_LINE.fullmatch(line)
    # Judged before the head is complete: a TLS greeting, say, would never complete it.
    if (newline and not request_line) or not line[:1].isalpha():
        raise MalformedRequestError("this is not an HTTP/1.1 request")
    head_end = received.find(b"\r\n\r\n", 0, _LARGEST_HEAD)
    if not request_line or head_end < 0:
        if len(received) >= _LARGEST_HEAD:
            raise MalformedRequestError(f"the head is larger than {_LARGEST_HEAD} bytes")
        return None
    headers = _headers(received[len(line) + 1 : head_end])
    end = head_end + len(b"\r\n\r\n") + _body_length(headers)
    if len(received) < end:
        return None
    del received[:end]
    method, target, minor_version = (part.decode() for part in request_line.groups())
    last = minor_version == "0" or "close" in headers.get("connection", "").lower()
    return Incoming(method, _path(target), headers, last, target.partition("?")[2])


def _headers(lines: bytearray) -> dict[str, str]:
    headers = {}
    for line in filter(None, lines.decode("latin-1").split("\r\n")):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise MalformedRequestError("a header has no name or no colon")
        headers[name.lower()] = value.strip()
    return headers


def _body_length(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not _LENGTH.fullmatch(length):
        raise MalformedRequestError("a body needs a Content-Length, of less than 1 MB")
    return int(length)


def _path(target: str) -> str:
    """The path of a request target, also of the whole URL that a proxy is asked for."""
    path = target.partition("?")[0]
    if path.startswith(("http://", "https://")):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path
