"""
The one place that reads the proxy variables of the environment, for both transports.

requests and httpx have rules of their own that differ; both are told not to look.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import (  # type: ignore[attr-defined]  # documented, yet not in the stubs
    getproxies_environment,
    proxy_bypass_environment,
)

from airflow_provider_useapi.connection.hosts import is_loopback, split_netloc
from airflow_provider_useapi.exceptions import UseApiConfigError


def environment_proxy(scheme: str, netloc: str, conn_id: str, *, local_only: bool) -> str | None:
    """
    The proxy that ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` name.

    :param scheme: ``http`` or ``https``, of the base URL.
    :param netloc: host and port of the base URL.
    :param conn_id: id of the connection, for messages.
    :param local_only: pass over a proxy on another machine: the token is not encrypted, and only
        the way to this machine itself is allowed.
    :raises UseApiConfigError: if a variable names a proxy that cannot be used.
    """
    proxies = getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass_environment(netloc, proxies):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    variable = f"{scheme.upper()}_PROXY" if proxies.get(scheme) else "ALL_PROXY"
    if local_only and not is_loopback(_hostname(proxy)):
        return None
    refuse_unusable(proxy, f"Connection {conn_id!r}: environment variable {variable}")
    return proxy


def refuse_unusable(proxy: str, where: str) -> None:
    """
    Check that both transports can use a proxy.

    :param proxy: its URL.
    :param where: where it was written, to start the message with.
    :raises UseApiConfigError: for a SOCKS proxy and for what is no URL of a proxy.
    """
    try:
        parts = urlsplit(proxy)
        scheme, _ = parts.scheme, parts.port
        netloc = parts.netloc.rpartition("@")[2]
        host = "" if scheme.startswith("socks") else split_netloc(netloc)[0]
        # urlsplit() drops line feeds and tabs, on which httpx fails; it also has names of its own.
        if not proxy.isascii() or not proxy.isprintable() or " " in proxy:
            raise ValueError("not a plain URL")
    except ValueError:
        scheme, host = "", ""
    if scheme.startswith("socks"):
        raise UseApiConfigError(
            f"{where} names a SOCKS proxy, which is not supported; name an HTTP proxy,"
            " such as http://proxy.example.com:3128, or add the host to NO_PROXY."
        )
    if scheme not in ("http", "https") or not host:
        raise UseApiConfigError(
            f"{where} is no URL of a proxy; write for example http://proxy.example.com:3128,"
            " or http://name:password@proxy.example.com:3128, percent-encoded beyond ASCII."
        )


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
