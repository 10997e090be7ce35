"""Which hosts ``NO_PROXY`` keeps from the proxy of the environment."""

from __future__ import annotations

import ipaddress
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_useapi.connection.settings import read_settings

PROXY = "http://proxy.example.org:3128"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Pair = tuple[Address, Network]


def is_exempt(host: str, no_proxy: str, port: int | None = None) -> bool:
    """Whether a base URL is asked without the proxy."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("http", "https", "all", "no"):
            environment.delenv(f"{name}_proxy", raising=False)
            environment.delenv(f"{name.upper()}_PROXY", raising=False)
        environment.setenv("HTTPS_PROXY", PROXY)
        environment.setenv("NO_PROXY", no_proxy)
        found = read_settings(
            "my_conn", host=host, port=port, login=None, password="user:1", extra={}
        )
    assert found.proxy in (None, PROXY)
    return found.proxy is None


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "localhost, 10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3", "10.0.0.0/255.0.0.0"),
        ("10.1.2.3", "0.0.0.0/0"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", "[10.1.2.3]"),
        ("10.1.2.3:8443", "10.0.0.0/8"),
        ("10.1.2.3:8443", "10.0.0.0/8:8443"),
        ("10.1.2.3:8443", "10.1.2.3:8443"),
        ("10.1.2.3", "10.0.0.0/8:443"),
        ("10.1.2.3", "::ffff:10.0.0.0/104"),
        ("10.1.2.3", "::ffff:10.1.2.3"),
        ("[::ffff:10.1.2.3]", "10.0.0.0/8"),
        ("[::ffff:10.1.2.3]", "10.1.2.3"),
        ("[::ffff:10.1.2.3]", "::ffff:10.0.0.0/104"),
        ("[::ffff:10.1.2.3]", "::/0"),
        ("[fd00::1]", "fd00::/8"),
        ("[fd00::1]", "FD00::/8"),
        ("[fd00::1]", "[fd00::]/8"),
        ("[fd00::1]", "[fd00::/8]"),
        ("[fd00::1]:8443", "fd00::/8"),
        ("[fd00::1]:8443", "fd00::/8:8443"),
        ("[fd00::1]:8443", "[fd00::]/8:8443"),
        ("[fd00::1]:8443", "[fd00::/8]:8443"),
        ("[fd00::1]", "[fd00::1]:443"),
        ("[fd00::1]", "fd00::1"),
        ("[fd00::1]", "fd00:0:0:0::0001"),
        ("[fd00::1]", "[fd00::1]"),
        ("fd00::1", "fd00::/8"),
        ("https://[fd00::1]/pre", "fd00::/8"),
        ("api.example.org", "*"),
        ("api.example.org", "localhost,*"),
        ("10.1.2.3", "*"),
        ("api.example.org", "api.example.org"),
        ("api.example.org", "example.org"),
        ("api.example.org", ".example.org"),
        ("api.example.org", " Example.ORG "),
        ("example.org", ".example.org"),
        ("api.example.org", "example.org."),
        ("api.example.org.", "example.org"),
        ("api.example.org", "api.example.org:443"),
        ("api.example.org:8443", "example.org:8443"),
        ("api.example.org:8443", "example.org"),
        ("bücher.example", "bücher.example"),
        ("a.bücher.example", ".xn--bcher-kva.example"),
    ],
)
def test_hosts_that_are_exempt(host: str, no_proxy: str) -> None:
    assert is_exempt(host, no_proxy)


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [
        ("11.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.0.0.0/16"),
        ("10.1.2.3", "10.0.0.0/33"),
        ("10.1.2.3", "10.0.0.0/-1"),
        ("10.1.2.3", "10.0.0.0/8/8"),
        ("10.1.2.3", "10.0.0.0/"),
        ("10.1.2.3", "/8"),
        ("10.1.2.3", "10."),
        ("10.1.2.3", "2.3"),
        ("10.1.2.3", "1.2.3"),
        ("10.1.2.3", "010.1.2.3"),
        ("10.1.2.3:8443", "10.0.0.0/8:443"),
        ("10.1.2.3", "10.0.0.0/8:8443"),
        ("10.1.2.3", "::/0"),
        ("10.1.2.3", "fd00::/8"),
        ("[fd00::1]", "0.0.0.0/0"),
        ("[fd00::1]", "fe00::/8"),
        ("[fd00::1]:8443", "[fd00::/8]:443"),
        ("[fd00::1]:8443", "[fd00::1]:443"),
        ("[fd00::1]", "fd00::/129"),
        ("[::ffff:10.1.2.3]", "11.0.0.0/8"),
        ("localhost", "127.0.0.0/8"),
        ("localhost", "127.0.0.1"),
        ("10.example.org", "10.0.0.0/8"),
        ("api.example.org", "10.0.0.0/8,fd00::/8"),
        ("api.example.org", ""),
        ("api.example.org", " , ,"),
        ("api.example.org", "."),
        ("api.example.org", ":443"),
        ("api.example.org", "notexample.org"),
        ("notexample.org", "example.org"),
        ("api.example.org", "api.example.org:8443"),
        ("api.example.org:8443", "api.example.org:443"),
        ("api.example.org", "[api.example.org"),
        ("api.example.org", "xn--a,ü..x,%"),
    ],
)
def test_hosts_that_are_not_exempt(host: str, no_proxy: str) -> None:
    assert not is_exempt(host, no_proxy)


def address_and_network(address: Address, other: Address | None, length: int) -> Pair:
    packed = (address if other is None else other).packed
    return address, ipaddress.ip_network((packed, length), strict=False)


def addresses_and_networks(version: Literal[4, 6], bits: int) -> st.SearchStrategy[Pair]:
    """An address, and a network that holds it in about half of the cases."""
    addresses = st.ip_addresses(v=version)
    return st.builds(address_and_network, addresses, st.none() | addresses, st.integers(0, bits))


# Made once: to make a strategy costs more than to draw from it.
PAIRS_4, PAIRS_6 = addresses_and_networks(4, 32), addresses_and_networks(6, 128)


@given(
    PAIRS_4 | PAIRS_6,
    st.booleans(),
    st.none() | st.sampled_from([443, 8443]),
    st.none() | st.sampled_from([443, 8443]),
    st.sampled_from(["{}", "example.org,{}", "{},*.x", " {} "]),
)
def test_subnets_are_those_of_ipaddress(
    pair: Pair,
    bracketed: bool,
    port: int | None,
    named_port: int | None,
    listed: str,
) -> None:
    address, network = pair
    host = f"[{address}]" if address.version == 6 else str(address)
    entry = f"[{network}]" if bracketed else str(network)
    entry += f":{named_port}" if named_port else ""
    expected = address in network and named_port in (None, port or 443)
    assert is_exempt(host, listed.format(entry), port) is expected


@given(PAIRS_4, st.booleans(), st.booleans())
def test_an_address_inside_ipv6_is_the_same_address(
    pair: Pair, maps_address: bool, maps_network: bool
) -> None:
    address, network = pair
    host = f"[::ffff:{address}]" if maps_address else str(address)
    entry = (
        f"::ffff:{network.network_address}/{96 + network.prefixlen}"
        if maps_network
        else str(network)
    )
    assert is_exempt(host, entry) is (address in network)


@given(
    st.lists(
        st.sampled_from(
            ["10.0.0.0", "/8", "/", ":", "::", "fd00::", "[", "]", ".", "%", "é", "443"]
        )
        | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=2),
        max_size=6,
    ).map("".join),
    st.sampled_from(["api.example.org", "10.1.2.3", "[fd00::1]"]),
)
@example("10.0.0.0/" + "9" * 5000, "10.1.2.3")
def test_any_entry_is_read_or_passed_over(no_proxy: str, host: str) -> None:
    is_exempt(host, no_proxy)
