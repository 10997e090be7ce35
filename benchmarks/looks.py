"""One look, in the process: ours, the peers', and bare requests."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from benchmarks.report import Table
from benchmarks.server import ACCOUNT, TOKEN, Server

ROUNDS = 5
LOOKS = {"http": 200, "https": 40}
"""Looks in a round."""

_MISLEADING = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "http_proxy", "https_proxy")
"""Of the environment; it would send some of the contenders elsewhere."""

Look = Callable[[], object]


@dataclass
class Cost:
    """What a look takes: CPU milliseconds, and new connections for a thousand looks."""

    milliseconds: float
    connections: float


def looks() -> Table:
    """Plain and over TLS."""
    table = Table(
        (
            "how",
            "CPU ms, plain",
            "CPU ms, TLS",
            "new connections in 1,000, plain",
            "new connections in 1,000, TLS",
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        # For Airflow, which the contenders import.
        os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        for name in _MISLEADING:
            os.environ.pop(name, None)
            os.environ.pop(name.upper(), None)
        certificate, bundle = _certificates(Path(folder))
        plain = _measure(Server(), "")
        encrypted = _measure(Server(certificate), str(bundle))
    for name, cost in plain.items():
        tls = encrypted.get(name)
        table.add(
            name,
            cost.milliseconds,
            tls.milliseconds if tls else "-",
            cost.connections,
            tls.connections if tls else "-",
        )
    table.notes.append(
        f"Medians of {ROUNDS} rounds of {LOOKS['http']} looks, {LOOKS['https']} over TLS. The TLS"
        " server's authority is in a bundle with those of certifi, as in a company."
    )
    return table


def _measure(server: Server, verify: str) -> dict[str, Cost]:
    """Every way, in turns, so that none has the quieter moment."""
    samples: dict[str, list[Cost]] = {}
    with server:
        os.environ.update(server.connections(verify))
        count = LOOKS[urlsplit(server.url).scheme]
        with _ways(server.url, verify) as ways:
            for turn in range(ROUNDS + 1):
                for name, look in ways.items():
                    server.take()
                    began = time.process_time()
                    for _ in range(count):
                        look()
                    took = (time.process_time() - began) * 1000 / count
                    connections = server.take().connections * 1000 / count
                    if turn:  # the first one loads modules and opens what is kept
                        samples.setdefault(name, []).append(Cost(took, connections))
    return {
        name: Cost(median(c.milliseconds for c in found), median(c.connections for c in found))
        for name, found in samples.items()
    }


@contextmanager
def _ways(url: str, verify: str) -> Iterator[dict[str, Look]]:
    import aiohttp
    import requests
    from airflow.providers.http.hooks.http import HttpAsyncHook
    from airflow.providers.http.sensors.http import HttpSensor

    from airflow_provider_useapi.api.responses import read_account
    from airflow_provider_useapi.hooks.connection import asettings_of
    from airflow_provider_useapi.hooks.useapi import UseApiHook
    from airflow_provider_useapi.transport.async_client import AsyncClient

    logging.disable()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    check: str | bool = verify or True
    with ExitStack() as at_end:
        hook = at_end.enter_context(UseApiHook())
        session = at_end.enter_context(requests.Session())
        session.headers.update(headers)
        session.verify = check
        loop = at_end.enter_context(asyncio.Runner())
        client = AsyncClient(loop.run(asettings_of(hook)))
        loop.run(client.__aenter__())
        at_end.callback(lambda: loop.run(client.__aexit__(None, None, None)))
        sensor = HttpSensor(
            task_id="gate",
            endpoint=ACCOUNT,
            response_check=lambda response: response.json()["subscriptionIsActive"],
            extra_options={"verify": check},
        )
        trigger_hook = HttpAsyncHook(method="GET")

        async def trigger_look() -> object:
            async with aiohttp.ClientSession() as once:
                return await trigger_hook.run(session=once, endpoint=ACCOUNT)

        ways: dict[str, Look] = {
            "http.client, kept (the floor)": _bare(url, verify, headers),
            "UseApiHook, kept": hook.look,
            "the triggers' client, kept": _blocking(
                loop, lambda: client.ask(ACCOUNT, read_account)
            ),
            "requests.Session, kept": lambda: session.get(url + ACCOUNT).json(),
            "requests.get": lambda: requests.get(
                url + ACCOUNT, headers=headers, verify=check, timeout=30
            ).json(),
            "HttpSensor.poke": lambda: sensor.poke({}),
        }
        if not verify:  # its hook takes no authority of one's own
            ways["HttpSensorTrigger, one look"] = _blocking(loop, trigger_look)
        yield ways


def _bare(url: str, verify: str, headers: dict[str, str]) -> Look:
    import json

    where = urlsplit(url).netloc
    connection = (
        HTTPSConnection(where, context=ssl.create_default_context(cafile=verify))
        if verify
        else HTTPConnection(where)
    )

    def look() -> object:
        connection.request("GET", ACCOUNT, headers=headers)
        return json.load(connection.getresponse())

    return look


def _blocking(loop: asyncio.Runner, look: Callable[[], Awaitable[Any]]) -> Look:
    async def once() -> object:
        return await look()

    return lambda: loop.run(once())


def _certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate with its key for the server, and the authorities for its clients."""
    import certifi
    import trustme

    authority = trustme.CA()
    server, bundle = folder / "server.pem", folder / "authorities.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
    bundle.write_text(Path(certifi.where()).read_text())
    authority.cert_pem.write_to_path(bundle, append=True)
    return server, bundle
