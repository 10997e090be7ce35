"""The command line: ``python -m airflow_provider_useapi.sandbox``."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import signal
import sys

from airflow_provider_useapi.sandbox import server
from airflow_provider_useapi.sandbox.state import DEFAULT_TOKEN

_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    options = _parser().parse_args()
    # Blocked before the server's thread exists, so that it is sigwait() below that gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    sandbox = server.Sandbox(
        port=options.port,
        token=options.token,
        inactive_for=options.inactive_for,
        busy_for=options.busy_for,
        job_seconds=options.job_seconds,
    )
    for service, accounts in list(sandbox.capacity.items()):
        sandbox.link(service, *accounts)
    if options.broken:
        sandbox.break_down(options.broken)
    _print_log()
    try:
        sandbox.start()
    except OSError as error:
        where = f"{server.HOST}:{options.port}"
        reason = os.strerror(error.errno or 0)
        print(f"Cannot listen on {where}: {reason}. Try another --port.", file=sys.stderr)
        return 1
    try:
        print(_greeting(sandbox), flush=True)
        signal.sigwait(_ENDINGS)
    finally:
        sandbox.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_useapi.sandbox",
        description="A stand-in for the HTTP API of useapi.net on loopback.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=8787, help="port to listen on; 0 picks a free one"
    )
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the API token that is accepted")
    parser.add_argument(
        "--inactive-for",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long the subscription stays inactive",
    )
    parser.add_argument(
        "--busy-for",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long every job slot of every service stays taken",
    )
    parser.add_argument(
        "--job-seconds",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long a submitted job runs and takes a job slot",
    )
    parser.add_argument(
        "--broken",
        type=int,
        default=0,
        metavar="ACCOUNTS",
        help="how many accounts of each service are signed out, on a bad day",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _greeting(sandbox: server.Sandbox) -> str:
    variable = "export AIRFLOW_CONN_USEAPI_DEFAULT"
    return f"""\
useapi.net sandbox: {sandbox.url}
Token: {sandbox.token}

Point Airflow's default connection at it, as a URI or as JSON:
{variable}={shlex.quote(sandbox.connection_uri())}
{variable}={shlex.quote(sandbox.connection_json())}

Ctrl-C ends it. Requests:"""


def _print_log() -> None:
    handler = logging.StreamHandler(sys.stdout)  # flushes after every line
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    server.log.addHandler(handler)
    server.log.setLevel(logging.DEBUG)


if __name__ == "__main__":
    sys.exit(main())
