"""
Where a connection leads: the base URL, from its fields ``host``, ``port`` and ``schema``.

A slip in a URL must not send the token to another host: what is not plainly a server is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, quote, urlsplit

from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.connection.hosts import SCHEMES, is_like_a_scheme, split_netloc
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import public_text

Complaint = Callable[[str], UseApiConfigError]

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def names_scheme(host: str | None, schema: str | None, error: Complaint) -> bool:
    """
    Whether the schema is ``https``, as connections of Airflow's HTTP hook have it.

    :param error: makes an error of what is wrong with the connection.
    :raises UseApiConfigError: if it is ``http``.
    """
    word = (schema or "").strip().rstrip(":/").lower()
    if "://" in (host or "") or word not in SCHEMES:
        return False
    if word == "http":
        raise error(
            f"the schema is 'http'; leave it empty and write the scheme into the host, for example"
            f" {fields.DEFAULT_HOST}."
        )
    return True


def base_url(
    host: str | None, port: int | None, schema: str | None, error: Complaint
) -> SplitResult:
    """
    The base URL: scheme, host, port and a path without a slash at its end.

    :param host: a URL or a host name; useapi.net's own when empty.
    :param port: counts where the host names none.
    :param schema: the path of a connection that was written as a URI: Airflow puts it there.
    :param error: makes an error of what is wrong with the connection.
    :raises UseApiConfigError: if they lead to no server, or would lead to another one than meant.
    """
    text = (host or "").strip() or fields.DEFAULT_HOST
    has_scheme = "://" in text
    text = text if has_scheme else f"https://{text}"
    below = (schema or "").strip().strip("/")
    example = f"write for example {fields.DEFAULT_HOST}"
    try:
        parts = urlsplit(text)
        name, own_port = split_netloc(parts.netloc.rpartition("@")[2])
    except ValueError:
        raise error(f"the host is not a valid URL; {example}.") from None
    if parts.scheme not in SCHEMES:
        scheme = public_text(parts.scheme, limit=20)
        raise error(f"the host has the unsupported scheme {scheme!r}; {example}.")
    if any(c.isspace() or not c.isprintable() for c in text + below):
        raise error(f"the host contains spaces or control characters; {example}.")
    if "@" in parts.netloc or {"?", "#"} & set(text + below):
        raise error(
            f"the host may contain only scheme, name, port and path; {example}"
            " and put the token into the password."
        )
    port = int(own_port) if own_port else port
    if port is not None and not 0 < port < 65536:
        shown = public_text(port, limit=20)
        raise error(f"the port is {shown}; it must be from 1 to 65535.")
    path = parts.path.rstrip("/") + (f"/{below}" if below else "")
    # The real host is in the path then, and the token would go to another one.
    is_slip = own_port == "" or (not has_scheme and is_like_a_scheme(name))
    if path.startswith("//") or (path and is_slip):
        raise error(f"the host begins with a slip in https://; {example}.")
    name = f"[{name}]" if ":" in name else name
    netloc = f"{name}:{port}" if port else name
    return SplitResult(parts.scheme, netloc, _ascii_path(path), "", "")


def _ascii_path(path: str) -> str:
    """A path as it goes over the wire. What is percent-encoded stays so."""
    return _STRAY_PERCENT.sub("%25", quote(path, safe="/%:@!$&'()*+,;=~"))
