"""
From the fields of an Airflow connection to settings that every client obeys.

Everything that can be wrong with a connection is said here, with its id and what to write
instead, and never with the token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.connection.base_url import base_url, names_scheme
from airflow_provider_useapi.connection.hosts import is_loopback
from airflow_provider_useapi.connection.proxy import environment_proxy, refuse_unusable
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import Secret, public_text

_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


@dataclass(frozen=True)
class Settings:
    """
    How to ask useapi.net, read from one connection.

    Its ``repr`` leaves out every field that someone may have put the token into by mistake.

    :param conn_id: id of the connection, for messages.
    :param token: the API token.
    :param base_url: scheme, host, port and path prefix, without a slash at the end.
    :param timeout: seconds for a whole request, from connecting to the last byte.
    :param max_attempts: tries of a one-shot call.
    :param proxy: URL of the proxy to use, ``None`` for none.
    :param verify: whether to check the server's certificate, or the path of a CA bundle.
    :param client_cert: path of a client certificate.
    :param client_key: path of its key, if apart.
    :param warnings: what the owner of the connection should mend.
    """

    conn_id: str
    token: str = field(repr=False)
    base_url: str = field(default=fields.DEFAULT_HOST, repr=False)
    timeout: float = 30.0
    max_attempts: int = 3
    proxy: str | None = field(default=None, repr=False)
    verify: bool | str = field(default=True, repr=False)
    client_cert: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be masked wherever it turns up: the token, the proxy's password."""
        password = urlsplit(self.proxy).password if self.proxy else None
        found = (self.token, unquote(password)) if password else (self.token,)
        return tuple(map(Secret, found))

    @property
    def uses_tls(self) -> bool:
        """Whether any hop of a request is encrypted."""
        return "https:" in (self.base_url[:6], (self.proxy or "")[:6].lower())

    def url(self, path: str) -> str:
        """The address of an endpoint, such as ``/v2/account``."""
        return self.base_url + path


def read_settings(
    conn_id: str,
    *,
    host: str | None,
    port: int | None,
    login: str | None,
    password: str | None,
    extra: Mapping[str, Any],
    schema: str | None = None,
) -> Settings:
    """
    Read the fields of a connection.

    :param schema: a path of the base URL, behind that of the host: where Airflow puts the path of a
        connection from a URI.
    :raises UseApiConfigError: if one of them cannot be used.
    """
    token, warnings = _token(conn_id, password, login)
    reader = _Reader(conn_id, extra, token)
    if unknown := sorted(set(map(str, extra)) - set(fields.DEFAULTS)):
        known = ", ".join(fields.DEFAULTS)
        shown = public_text(", ".join(unknown), (token,))
        warnings.append(f"extra contains {shown}, which is not used; the known extras are {known}.")
    allow_http = reader.boolean("allow_http")
    if names_scheme(host, schema, reader.error):
        schema = None
        warnings.append("the schema is 'https', which is no path; leave it empty.")
    base = base_url(host, port, schema, reader.error)
    proxy = reader.text("proxy")
    if proxy:
        refuse_unusable(proxy, f"Connection {conn_id!r}: extra 'proxy'")
    _refuse_plain_http(reader, base, proxy, allow_http)
    if not proxy:
        local_only = base.scheme == "http" and not allow_http
        proxy = environment_proxy(base.scheme, base.netloc, conn_id, local_only=local_only)
    client_cert, client_key = reader.text("client_cert"), reader.text("client_key")
    if client_key and not client_cert:
        raise reader.error("extra 'client_key' also needs 'client_cert'.")
    return Settings(
        conn_id=conn_id,
        token=token,
        base_url=urlunsplit(base),
        timeout=reader.seconds("timeout"),
        max_attempts=reader.whole("max_attempts"),
        proxy=proxy,
        verify=reader.verify(),
        client_cert=client_cert,
        client_key=client_key,
        warnings=tuple(f"Connection {conn_id!r}: {warning}" for warning in warnings),
    )


@dataclass(frozen=True)
class _Reader:
    """Reads ``extra``. A connection from a URI has strings only, one from JSON has real types."""

    conn_id: str
    extra: Mapping[str, Any]
    token: str = field(repr=False)

    def error(self, problem: str) -> UseApiConfigError:
        return UseApiConfigError(f"Connection {self.conn_id!r}: {problem}")

    def bad(self, name: str, wanted: str) -> UseApiConfigError:
        value = public_text(repr(self.extra[name]), (self.token,), limit=60)
        return self.error(f"extra {name!r} must be {wanted}; it is {value}.")

    def get(self, name: str) -> Any:
        value = self.extra.get(name)
        value = value.strip() if isinstance(value, str) else value
        return None if value == "" else value

    def text(self, name: str) -> str | None:
        value = self.get(name)
        if value is not None and not isinstance(value, str):
            raise self.bad(name, "a string")
        return value

    def boolean(self, name: str) -> bool:
        value = self.get(name)
        if value is None:
            return bool(fields.DEFAULTS[name])
        word = str(value).casefold()
        if word not in (*_TRUE, *_FALSE):
            raise self.bad(name, "true or false")
        return word in _TRUE

    def number(self, name: str) -> float | None:
        value = self.get(name)
        if value is None:
            return None
        try:
            number = None if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = None
        return number if number is not None and isfinite(number) else -1.0

    def seconds(self, name: str) -> float:
        number = self.number(name)
        if number is None:
            return float(fields.DEFAULTS[name])
        # A day: longer than any request lasts, shorter than what overflows a socket's timer.
        if not 0 < number <= 86400:
            raise self.bad(name, "a number of seconds above 0 and at most 86400, such as 30")
        return number

    def whole(self, name: str) -> int:
        number = self.number(name)
        if number is None:
            return int(fields.DEFAULTS[name])
        if number < 1 or not number.is_integer():
            raise self.bad(name, "a whole number of at least 1, such as 3")
        return int(number)

    def verify(self) -> bool | str:
        value = self.get("verify")
        word = str(value).casefold()
        if value is None or word in _TRUE:
            return True
        if word in _FALSE:
            return False
        if not isinstance(value, str):
            raise self.bad("verify", "true, false or the path of a CA bundle")
        return value


def _token(conn_id: str, password: str | None, login: str | None) -> tuple[str, list[str]]:
    def error(problem: str) -> UseApiConfigError:
        return UseApiConfigError(f"Connection {conn_id!r}: {problem}")

    token = (password or "").strip()
    warnings = []
    if match := _BEARER.match(token):
        token = token[match.end() :].strip()
        warnings.append("the password starts with 'Bearer '; keep only the token itself.")
    if not token or token.casefold() == "bearer":
        raise error("the password is empty; put the API token of useapi.net there.")
    if login == "user" and not token.startswith("user:"):
        raise error(
            "the token was split at its colon, its first part became the login. In a URI write the"
            " colon as %3A (useapi://:user%3A12345-...@), or write the connection as JSON."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise error(
            "the password contains spaces, control or other characters that no API token has;"
            " paste the token again."
        )
    return token, warnings


def _refuse_plain_http(
    reader: _Reader, base: SplitResult, proxy: str | None, allow_http: bool
) -> None:
    """Refuse settings with which the token would leave this machine unencrypted."""
    if base.scheme == "https" or allow_http:
        return
    if not is_loopback(base.hostname):
        raise reader.error(
            "the host starts with http://, which would send the token unencrypted; write https://,"
            " or set extra 'allow_http' to true if you trust this network."
        )
    if proxy and not is_loopback(urlsplit(proxy).hostname):
        raise reader.error(
            "plain http through a proxy would send the token unencrypted; remove extra 'proxy', or"
            " set extra 'allow_http' to true if you trust this network."
        )
