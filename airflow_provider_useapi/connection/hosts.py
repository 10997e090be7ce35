"""Names of hosts: which can be asked for, and which are this machine."""

from __future__ import annotations

import ipaddress
import re

import idna

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.ASCII | re.IGNORECASE)


def ascii_host(host: str | None) -> str:
    """
    A host name as it goes over the wire: an address, or a name whose labels are plain ASCII.

    The HTTP libraries disagree on what else they take, so it is refused for both.

    :param host: the host of a URL, without brackets.
    :raises ValueError: if it cannot be the name of a host.
    """
    name = host or ""
    if ":" in name:
        return str(ipaddress.IPv6Address(name))
    if not name.isascii() or "xn--" in name.lower():
        # As httpx reads it; Python's own codec, of 2003, makes another name of some.
        name = idna.encode(name, uts46=True).decode()
        idna.decode(name)
    if not _NAME.fullmatch(name) or any(len(label) > 63 for label in name.split(".")):
        raise ValueError(f"{name!r} is not a host name")
    return name


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
