"""Names of hosts: which can be asked for, and which are this machine."""

from __future__ import annotations

import ipaddress
import re
from difflib import get_close_matches

import idna

SCHEMES = ("http", "https")

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.ASCII | re.IGNORECASE)
_NETLOC = re.compile(r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[0-9]*))?")


def ascii_host(host: str | None) -> str:
    """
    A host name as it goes over the wire: an address, or a name whose labels are plain ASCII.

    HTTP libraries and resolvers disagree on anything else, so it is refused. So is the name
    ``https``, which is what a slip such as ``https//host`` makes of a URL.

    :param host: the host of a URL, without brackets.
    :raises ValueError: if it cannot be the name of a host.
    """
    name = host or ""
    if ":" in name:
        if "%" in name:  # a zone means something to one machine only, and libraries spell it apart
            raise ValueError(f"{name!r} has a zone")
        return _ipv6(ipaddress.IPv6Address(name))
    if not name.isascii() or "xn--" in name.lower():
        # As browsers read it; Python's own codec, of 2003, makes another name of some.
        name = idna.encode(name, uts46=True).decode()
        idna.decode(name)
    if not _NAME.fullmatch(name) or any(len(label) > 63 for label in name.split(".")):
        raise ValueError(f"{name!r} is not a host name")
    if name.rstrip(".").lower() in SCHEMES:
        raise ValueError(f"{name!r} is a scheme")
    return name


def _ipv6(address: ipaddress.IPv6Address) -> str:
    """
    The shortest form, the same on every Python: what is stored of a URL is compared with others.

    Python 3.13 and later write an IPv4 address that is mapped into IPv6 with dots.
    """
    if inside := address.ipv4_mapped:
        high, low = divmod(int(inside), 1 << 16)
        return f"::ffff:{high:x}:{low:x}"
    return str(address)


def split_netloc(netloc: str) -> tuple[str, str | None]:
    """
    The host and the port of a URL; the port as it was written, ``None`` without a colon.

    ``urlsplit()`` is not strict enough: it finds the host ``::1`` in ``x[::1]``, and a name in
    ``[v1.a]``. And it takes no IPv6 address without brackets, which is how Airflow's URI parser
    hands one over; no port can follow such a one.

    :param netloc: what stands between ``//`` and the path.
    :raises ValueError: if it is no host that can be asked.
    """
    netloc = netloc.lower()
    if "[" not in netloc and netloc.count(":") > 1:
        return ascii_host(netloc), None
    parts = _NETLOC.fullmatch(netloc)
    if not parts or (parts["ipv6"] is not None and ":" not in parts["ipv6"]):
        raise ValueError(f"{netloc!r} is no host with a port")
    if parts["port"] and not 0 < int(parts["port"]) < 65536:
        raise ValueError(f"{netloc!r} has a port that does not exist")
    return ascii_host(parts["ipv6"] or parts["name"]), parts["port"]


def is_like_a_scheme(name: str) -> bool:
    """Whether a host name is ``http`` or ``https`` but for a slip, such as ``htps``."""
    return name.isalpha() and bool(get_close_matches(name, SCHEMES, cutoff=0.75))


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return plain_address(host or "").is_loopback
    except ValueError:
        return False


def plain_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """
    An IP address; of one that is mapped into IPv6 (``::ffff:10.0.0.1``) the one inside.

    :raises ValueError: if it is none.
    """
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
