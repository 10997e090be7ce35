"""
JSON as no server should write it, as text: what a parser takes, and what it does not.

A value of Python, dumped, is too tame: it has no key twice, no nesting of a thousand levels, and no
number of four thousand digits. Each text is written from a few random bytes by plain code, because
hypothesis draws piece by piece thirty times as slowly. So it cannot make a text shorter; it shows
which one it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

PERSON = "canary.person"
EMAIL = f"{PERSON}@example.org"
TOKEN = "user:98765-CanaryToken"
"""What must never be shown, wherever a body holds it."""

PIECES = [
    "", " ", "\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\u200e", "\u202e", "\u2028", "\ufeff",
    "\ud800", "\udfff", "\U0001f600", "İ", "ß", "ﬀ", "٣", "²", "%40", "%00", "\\u0040", "{{ x }}",
    "<script>", "../", "://", "@", ":", "-task:", "api", "ai api", "***", "#", "null", "true", "a",
    "0", "-1", "007", "1e3", "NaN", "Infinity", "9" * 15, "9" * 16, "9" * 400, "x" * 300,
    "2026-03-01T00:00:00Z", "2023-08-316T21:03:28.558Z", "0001-01-01T00:00:00+23:59", "2026-03-01",
    "9999-12-31T23:59:59-23:59", "2026-W10-7", "20260301T000000", "2026-02-30", "250405", "000000",
    "OK", "quarantine", "Endpoint not found", EMAIL, EMAIL.replace("@", "\uff20"), EMAIL.upper(),
    TOKEN, f"Bearer {TOKEN}", "user%3A98765-CanaryToken", "PAYGATE_TIER_NOT_PAID", "kling", "open",
    "Thu, 01 Jan 2026 00:00:00 GMT", "Thu", "Jan", "GMT", "+9999", "24:00", "00 ", "3" * 5000,
]  # fmt: skip
NUMBERS = [
    "0", "-0", "1", "-1", "0.0", "1.0", "1.5", "-0.0", "1e999", "-1e999", "1e-999", "1e15",
    "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "1e", "0x10", "1_000", "2", "3", "100",
    "9" * 15, "9" * 16, "9" * 309, "9" * 4300, "9" * 4301, "-" + "9" * 400, "1.79e308",
    "1700000000", "1700000000000", "253402300800", "-62135596801", "1e11", "4.9e-324",
]  # fmt: skip
WORDS = ["null", "true", "false", "true", "false", "True", "undefined", "", "[]", "{}", '""']
DEEP = ["[", '{"error":', '{"accounts":', '{"quarantine":', '[{"email":', '{"a":[']


class Writer:
    """
    Writes JSON that is odd.

    :param random: decides everything.
    :param keys: of its objects; each also comes in another case.
    """

    def __init__(self, random: Random, keys: Sequence[str]) -> None:
        self.random = random
        self._keys = keys

    def text(self) -> str:
        """Any text, surrogates included, and what has a meaning to somebody."""
        random = self.random
        parts = [
            random.choice(PIECES) if random.random() < 0.7 else chr(random.randrange(0x3000))
            for _ in range(random.choice((0, 1, 1, 1, 2, 3)))
        ]
        return "".join(parts)

    def value(self, depth: int = 3) -> str:
        """Any value, and a few that are none."""
        kind = self.random.randrange(100)
        if kind < 3:
            return self._deep()
        if kind < 40 and depth:
            return self._object(depth) if kind < 25 else self._list(depth)
        if kind < 60:
            return self.random.choice(NUMBERS)
        if kind < 75:
            return self.random.choice(WORDS)
        return json.dumps(self.text(), ensure_ascii=kind % 2 == 0)

    def garbled(self, body: Any) -> str:
        """
        A body with anything at all in some of its places.

        :param body: as it is documented; it is left alone.
        """
        body = json.loads(json.dumps(body))
        put: dict[str, str] = {}
        for number in range(self.random.choice((1, 1, 2, 4))):
            spots = list(_places(body))
            if not spots:
                break
            container, key = self.random.choice(spots)
            if isinstance(container, dict) and self.random.random() < 0.3:
                container[self._key()] = container.pop(key)
            else:
                mark = f"<<{number}>>"
                put[json.dumps(mark)] = self.value()
                container[key] = mark
        text = json.dumps(body)
        for mark, value in put.items():
            text = text.replace(mark, value)
        return text

    def body(self, *documented: Any) -> str:
        """One of the documented bodies, garbled or as it is, or anything."""
        kind = self.random.randrange(10)
        if kind == 0:
            return self.value(5)
        chosen = self.random.choice(documented)
        return json.dumps(chosen) if kind == 1 else self.garbled(chosen)

    def _key(self) -> str:
        key = self.random.choice(self._keys)
        return self.random.choice((key, key, key, key.upper(), key.title(), self.text()))

    def _list(self, depth: int) -> str:
        return f"[{','.join(self.value(depth - 1) for _ in range(self.random.randrange(4)))}]"

    def _object(self, depth: int) -> str:
        pairs = [
            f"{json.dumps(self._key())}:{self.value(depth - 1)}"
            for _ in range(self.random.randrange(5))
        ]
        pairs += pairs[: self.random.randrange(2)]  # a key twice
        return f"{{{','.join(pairs)}}}"

    def _deep(self) -> str:
        # Around a thousand levels the parser gives up; what it just takes is too much for others.
        levels = self.random.choice((self.random.randrange(40), self.random.randrange(600, 1000)))
        levels = self.random.choice((levels, levels, levels, 5000))
        opened = self.random.choice(DEEP)
        closed = "".join("]" if c == "[" else "}" for c in reversed(opened) if c in "[{")
        return opened * levels + self.random.choice(("0", '"x"', "[]")) + closed * levels


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value, as a container and a key."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def written(keys: Sequence[str], write: Callable[[Writer], T]) -> st.SearchStrategy[T]:
    """
    What is written from random bytes.

    :param keys: of the objects in it.
    :param write: writes it.
    """
    return st.binary(min_size=8, max_size=8).map(lambda seed: write(Writer(Random(seed), keys)))


TEXTS: st.SearchStrategy[str] = written((), Writer.text)


def as_bytes(text: str) -> bytes:
    """As a server would send it, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def decoded(text: str) -> Any:
    """What a database gives back; nothing, if that is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def assert_line(text: str, longest: int = 2500) -> None:
    """A text that somebody will read: one printable line, of nobody."""
    assert text.isprintable(), ascii(text)
    assert PERSON not in text.lower(), text
    assert len(text) <= longest


def assert_shown(text: str, longest: int = 1000) -> None:
    """The same, without a secret: not all of it is a line of a log, where Airflow masks them."""
    assert_line(text, longest)
    assert "canarytoken" not in text.lower(), text
