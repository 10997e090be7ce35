"""Addresses of servers: how they are called on the way, and how long each of several is tried."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.clients import CLIENTS
from tests.helpers.servers import Proxy
from tests.helpers.settings import read

PATH = "/v2/account"
every_way = pytest.mark.parametrize("way", CLIENTS)


@every_way
def test_an_ipv6_address_behind_a_proxy(way: str, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("::1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    with Sandbox(ssl_context=context) as sandbox, Proxy(route=sandbox.port) as proxy:
        settings = read("https://[::1]:8443", proxy=proxy.url, verify=str(tmp_path / "bundle.pem"))
        with CLIENTS[way](settings) as get:
            assert get(PATH).status == 200
        (request,) = proxy.requests
        assert request.line == "CONNECT [::1]:8443 HTTP/1.1"
        assert request.headers["host"] == "[::1]:8443"


@every_way
def test_an_address_that_swallows_packets_has_a_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """One whose queue of connections is full does not answer either."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as full, Sandbox() as sandbox:
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(4)]
        for each in queued:
            each.setblocking(False)
            each.connect_ex(("127.0.0.2", port))
        real = socket.getaddrinfo

        def resolve(host: Any, *args: Any, **named: Any) -> Any:
            if host not in ("two.example.org", b"two.example.org"):
                return real(host, *args, **named)
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.1", sandbox.port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        settings = read("http://two.example.org", allow_http=True, timeout=1)
        began = time.monotonic()
        with CLIENTS[way](settings) as get:
            assert get(PATH).status == 200
        assert time.monotonic() - began >= 0.45
        for each in queued:
            each.close()
