"""What the sandbox can answer: :class:`Answer` and the rules for its fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    One answer to play; the defaults are those of a healthy server.

    :param status: any status, also one that HTTP does not know, such as 596.
    :param headers: headers to add; one that the server would set itself is replaced.
    :param body: ``bytes`` and ``str`` are sent as they are (``text/html``), anything else as JSON.
        ``None`` is what the service would say itself: for a 200 the normal answer of that path,
        else ``{"error": ..., "code": status}``. Statuses 204 and 304 never have a body.
    :param delay: seconds to wait before anything is sent; with ``math.inf`` nothing ever is.
    :param informational: 1xx statuses to send before the answer.
    :param nothing_after: close the connection after those, without an answer.
    :param cut_off: declare the whole Content-Length, send half of the body, close.
    :param reset: reset the connection (TCP RST) instead of answering.
    :param reset_in_body: send the head and half of the body, then reset the connection. Of a half
        larger than some 64 kB less may arrive: a reset also drops what is still on its way.
    :param drip: the part of the answer to send byte by byte: ``"headers"`` or ``"body"``.
    :param drip_interval: seconds before each of these bytes.
    :param oversized: pad the body to at least this many bytes, with blanks that JSON allows.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    delay: float = 0.0
    informational: tuple[int, ...] = ()
    nothing_after: bool = False
    cut_off: bool = False
    reset: bool = False
    reset_in_body: bool = False
    drip: Literal["", "headers", "body"] = ""
    drip_interval: float = 0.2
    oversized: int = 0

    def __post_init__(self) -> None:
        """Refuse at once, in the test that wrote it, what the server could not send later."""
        for name, rule in _RULES.items():
            rule.check(name, getattr(self, name))
        if sum(getattr(self, name) for name in _ENDINGS) > 1:
            raise ValueError(f"an answer ends in one way: set only one of {', '.join(_ENDINGS)}")
        try:
            encode(self.body)
        except (TypeError, ValueError) as error:
            raise TypeError(f"write body as bytes, str or what JSON can hold: {error}") from error


def as_answer(value: Answer | Mapping[str, Any] | int) -> Answer:
    """
    The answer that ``value`` stands for.

    :param value: an answer, a mapping of its fields, or just its status.
    """
    if isinstance(value, Answer):
        return value
    if isinstance(value, int):
        return Answer(status=value)
    if not isinstance(value, Mapping):
        raise TypeError(
            "write each answer as an Answer, a mapping of its fields or a status such as 503, "
            f"not {value!r}"
        )
    known = [each.name for each in fields(Answer)]
    if unknown := [str(name) for name in value if name not in known]:
        raise TypeError(f"unknown: {', '.join(unknown)}; an Answer has {', '.join(known)}")
    return Answer(**value)


def encode(body: object) -> tuple[str, bytes]:
    """The content type and the bytes in which ``body`` is sent."""
    if isinstance(body, bytes):
        return "text/html", body
    if isinstance(body, str):
        return "text/html", body.encode()
    return "application/json", json.dumps(body, separators=(",", ":")).encode()


class _Rule(NamedTuple):
    """What a field must be, and how to tell the one who wrote something else."""

    kinds: type | tuple[type, ...]
    wanted: str
    holds: Callable[[Any], bool] = lambda _: True

    def check(self, name: str, value: object) -> None:
        message = f"write {name} as {self.wanted}, not {value!r}"
        # A bool is an int to isinstance, but status=True is a slip.
        if not isinstance(value, self.kinds) or (
            isinstance(value, bool) and self.kinds is not bool
        ):
            raise TypeError(message)
        if not self.holds(value):
            raise ValueError(message)


_ENDINGS = ("nothing_after", "cut_off", "reset", "reset_in_body")
_SECONDS = _Rule((int, float), "seconds, 0 or more", lambda seconds: seconds >= 0)
_RULES = {
    "status": _Rule(int, "a whole number such as 503"),
    "headers": _Rule(
        Mapping,
        'str to str, such as {"Retry-After": "5"}',
        lambda headers: all(isinstance(text, str) for item in headers.items() for text in item),
    ),
    "delay": _SECONDS,
    "informational": _Rule(
        tuple,
        "a tuple of 1xx statuses such as (103,)",
        lambda statuses: all(isinstance(each, int) and 100 <= each <= 199 for each in statuses),
    ),
    **dict.fromkeys(_ENDINGS, _Rule(bool, "True or False")),
    "drip": _Rule(str, '"", "headers" or "body"', lambda part: part in ("", "headers", "body")),
    "drip_interval": _SECONDS,
    "oversized": _Rule(int, "a number of bytes, 0 or more", lambda size: size >= 0),
}
