"""What may be shown: text from outside without secrets, e-mail addresses or control characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"
PERSONAL = ("email", "name", "replyUrl")
"""The documented fields of an account that tell of a person."""

LIMIT = 200
"""How many characters of an answer a message may hold."""

# A run without delimiters, an at sign in any of its spellings, another run. The look-behind and
# the possessive quantifiers keep it linear: a megabyte without an at sign is read once.
_DELIMITERS = r"\s@\uff20\"'<>()\[\]{},;:|\\/=&?%"
_EMAIL = re.compile(
    rf"(?:(?<![^{_DELIMITERS}])[^{_DELIMITERS}]++)?(?:@|\uff20|%40|\\u0040)[^{_DELIMITERS}]*+",
    re.IGNORECASE,
)


class Secret(str):
    """A text that does not tell itself: tools show the locals of a traceback by their ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


def mask_emails(text: str) -> str:
    """Replace everything in ``text`` that looks like an e-mail address."""
    return _EMAIL.sub(MASK, text)


def secret_forms(secret: str) -> tuple[str, ...]:
    """Every form in which ``secret`` could turn up in a text, longest first."""
    secret = str(secret)  # a plain one: not every encoder of JSON takes another
    plain = {secret, secret.removeprefix("user:")}
    forms = plain | {quote(form, safe="") for form in plain} | {quote_plus(form) for form in plain}
    return tuple(sorted((form for form in forms if form), key=len, reverse=True))


@lru_cache(maxsize=64)
def _spellings(secret: str) -> re.Pattern[str]:
    """The secret, each of its characters plain, percent-encoded or escaped for JSON or HTML."""

    def spell(text: str) -> str:
        return "".join(
            rf"(?:\\?{re.escape(c)}|%{ord(c):02x}|\\u{ord(c):04x}|&#(?:x0*{ord(c):x}|0*{ord(c)});)"
            for c in text
        )

    prefix, rest = "user:" * secret.startswith("user:"), secret.removeprefix("user:")
    return re.compile(
        f"(?:{spell(prefix)})?{spell(rest)}" if prefix else spell(rest), re.IGNORECASE
    )


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """Replace the secrets in ``text``, however they are spelled."""
    for secret in secrets:
        text = _spellings(secret).sub(MASK, text)
    return text


def public_text(text: object, secrets: Iterable[str] = (), limit: int = LIMIT) -> str:
    """
    Turn any text from outside into one line that may stand in a log, an exception or a page.

    Secrets and e-mail addresses go first and the cut comes last, so that no cut leaves half a
    secret behind.

    :param text: what to show.
    :param secrets: strings that must not appear, in all their forms.
    :param limit: the greatest length of the result, in characters.
    """
    shown = mask_secrets(str(text), secrets)
    shown = " ".join(mask_emails(shown).split())
    # Control characters, marks that turn the direction of text, lone surrogates: category C.
    shown = "".join("�" if unicodedata.category(c)[0] == "C" else c for c in shown[: 2 * limit])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
