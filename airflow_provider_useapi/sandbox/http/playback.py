"""
How an answer reaches the client: bytes to send, seconds to pause, an end to the connection.

The bytes are put together by hand, so that a fault on the wire is exactly the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from http import HTTPStatus

from airflow_provider_useapi.sandbox.answers import Answer, encode


class End(Enum):
    """How a connection ends that is not kept for the next request."""

    CLOSE = "close"
    RESET = "reset"


Step = bytes | float | End


def reason(status: int) -> str:
    """The reason phrase of a status, also of one that HTTP does not know."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def steps(
    answer: Answer, body: object, *, last: bool = False, head_only: bool = False
) -> Iterator[Step]:
    """
    The steps that play an answer.

    :param answer: what to play.
    :param body: its body, the service's own if the answer has none.
    :param last: close the connection afterwards, and say so.
    :param head_only: declare the body but do not send it: the answer to a HEAD request.
    """
    given = {name.lower(): value for name, value in answer.headers.items()}
    last = last or given.get("connection", "").lower() == "close"
    own, content = _own_headers(answer, body)
    if last:
        own["Connection"] = "close"
    if "transfer-encoding" in given:  # HTTP allows only one way to tell where a body ends
        own.pop("Content-Length", None)
    headers = {name: value for name, value in own.items() if name.lower() not in given}
    head = _head(answer.status, headers | dict(answer.headers))
    if head_only:
        content = b""
    if answer.cut_off or answer.reset_in_body:
        content = content[: len(content) // 2]
    return _play(answer, head, content, last=last)


def _play(answer: Answer, head: bytes, content: bytes, *, last: bool) -> Iterator[Step]:
    if answer.delay:
        yield float(answer.delay)
    if answer.reset:
        yield End.RESET
        return
    for status in answer.informational:
        yield _head(status, {})
    if answer.nothing_after:
        yield End.CLOSE
        return
    if answer.drip == "headers":
        yield from _drip(head, answer.drip_interval)
        yield content
    elif answer.drip == "body":
        yield head
        yield from _drip(content, answer.drip_interval)
    else:
        yield head + content
    if answer.reset_in_body:
        yield End.RESET
    elif answer.cut_off or last:
        yield End.CLOSE


def _drip(data: bytes, interval: float) -> Iterator[Step]:
    for index in range(len(data)):
        yield float(interval)
        yield data[index : index + 1]


def _own_headers(answer: Answer, body: object) -> tuple[dict[str, str], bytes]:
    """The headers that go with the body, and the body in bytes."""
    if answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return {}, b""
    content_type, content = encode(body)
    content = _pad(content, answer.oversized)
    return {"Content-Type": content_type, "Content-Length": str(len(content))}, content


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason(status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _pad(content: bytes, size: int) -> bytes:
    """The content with blanks up to ``size``, inside its last bracket if it is JSON."""
    at = len(content) - content.endswith((b"}", b"]"))
    return content[:at] + b" " * (size - len(content)) + content[at:]
