"""
The one place that reads the proxy variables of the environment, for workers and event loops.

requests has rules of its own, which are switched off; httpcore has none.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from airflow_provider_useapi.connection.hosts import (
    ascii_host,
    is_loopback,
    plain_address,
    split_netloc,
)
from airflow_provider_useapi.exceptions import UseApiConfigError

# The brackets of an IPv6 address may stand around the length of its subnet, too.
_WITH_PORT = re.compile(r"(?P<named>[^:]*|.*\]|.*/[^/:]*):(?P<port>[0-9]+)")


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
    if not proxy or is_exempt(scheme, netloc, proxies.get("no", "")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    variable = f"{scheme.upper()}_PROXY" if proxies.get(scheme) else "ALL_PROXY"
    if local_only and not is_loopback(_hostname(proxy)):
        return None
    refuse_unusable(proxy, f"Connection {conn_id!r}: environment variable {variable}")
    return proxy


def is_exempt(scheme: str, netloc: str, no_proxy: str) -> bool:
    """
    Whether a base URL is asked directly, whatever proxy there is.

    :param scheme: ``http`` or ``https``, of the base URL.
    :param netloc: its host and port.
    :param no_proxy: comma-separated names (that also stand for what is below them), addresses and
        subnets, each with or without a port; ``*`` for all. Names are not resolved.
    """
    host, port = split_netloc(netloc)
    port = port or ("443" if scheme == "https" else "80")
    return any(_covers(entry.strip().lower(), host, port) for entry in no_proxy.split(","))


def _covers(entry: str, host: str, port: str) -> bool:
    if entry == "*":
        return True
    named, named_port = entry, port
    if parts := _WITH_PORT.fullmatch(entry):
        named, named_port = parts.groups()
    if named_port != port:
        return False
    try:
        forms = {ipaddress.ip_address(host), plain_address(host)}
    except ValueError:
        return _is_below(host, named)
    try:
        network = _network(named.replace("[", "").replace("]", ""))
    except ValueError:
        return False
    return any(form in network for form in forms)


def _is_below(host: str, name: str) -> bool:
    name = name.strip(".")
    with suppress(ValueError):  # what is no host name covers none
        name = ascii_host(name)
    return bool(name) and f".{host.rstrip('.')}".endswith(f".{name}")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A subnet, or an address as one; of one that is mapped into IPv6 the one inside."""
    network = ipaddress.ip_network(text, strict=False)
    inside = getattr(network.network_address, "ipv4_mapped", None)
    if inside and network.prefixlen >= 96:
        return ipaddress.IPv4Network((inside, network.prefixlen - 96))
    return network


def refuse_unusable(proxy: str, where: str) -> None:
    """
    Check that a proxy can be used.

    :param proxy: its URL.
    :param where: where it was written, to start the message with.
    :raises UseApiConfigError: for a SOCKS proxy and for what is not a valid proxy URL.
    """
    try:
        parts = urlsplit(proxy)
        scheme, _ = parts.scheme, parts.port
        netloc = parts.netloc.rpartition("@")[2]
        host = "" if scheme.startswith("socks") else split_netloc(netloc)[0]
        # urlsplit() drops line feeds and tabs without a word, and requests go to what is left.
        if not proxy.isascii() or not proxy.isprintable() or " " in proxy:
            raise ValueError("not a plain URL")
    except ValueError:
        scheme, host = "", ""
    if scheme.startswith("socks"):
        raise UseApiConfigError(
            f"{where} names a SOCKS proxy, which is not supported; use an HTTP proxy,"
            " such as http://proxy.example.com:3128, or add the host to NO_PROXY."
        )
    if scheme not in ("http", "https") or not host:
        raise UseApiConfigError(
            f"{where} is not a valid proxy URL; write for example http://proxy.example.com:3128,"
            " or http://name:password@proxy.example.com:3128, percent-encoded beyond ASCII."
        )


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
