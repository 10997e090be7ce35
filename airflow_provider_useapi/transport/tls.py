"""
The one TLS context of a setting, for workers and event loops.

Reading the store of certificate authorities takes about 19 ms of CPU, so each distinct setting is
built once in a process. An event loop should build it in a thread.
"""

from __future__ import annotations

import ssl
import threading
from functools import lru_cache
from pathlib import Path

import certifi

from airflow_provider_useapi.connection.settings import Settings
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.redaction import public_text

_building = threading.Lock()


def tls_context(settings: Settings) -> ssl.SSLContext:
    """
    The context for these settings; the same object for the same files and flags.

    :raises UseApiConfigError: if a file of the connection cannot be read or used.
    """
    bundle = settings.verify if isinstance(settings.verify, str) else None
    files = (bundle, settings.client_cert, settings.client_key)
    try:
        # A certificate renewed on disk is another setting: the date of each file is in the key.
        dates = tuple(Path(path).stat().st_mtime_ns if path else 0 for path in files)
        with _building:  # many streams start at once, and all want the same context
            return _build(settings.verify, settings.client_cert, settings.client_key, dates)
    except (OSError, ValueError) as e:  # includes ssl.SSLError, and paths with a NUL
        problem = getattr(e, "strerror", None) or type(e).__name__
    # Outside of the except clause: the failure below would carry the path along.
    names = public_text(", ".join(path for path in files if path), settings.secrets)
    raise UseApiConfigError(
        f"Connection {settings.conn_id!r}: the certificates it names ({names}) cannot be used:"
        f" {problem}. 'verify' takes a PEM file or a directory of certificate authorities,"
        " 'client_cert' and 'client_key' take PEM files without a passphrase."
    )


@lru_cache(maxsize=32)
def _build(
    verify: bool | str, client_cert: str | None, client_key: str | None, _: tuple[int, ...]
) -> ssl.SSLContext:
    # Not ssl.create_default_context(): it obeys SSL_CERT_FILE and SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif verify is True:
        context.load_verify_locations(cafile=certifi.where())
    elif Path(verify).is_dir():
        context.load_verify_locations(capath=verify)
    else:
        context.load_verify_locations(cafile=verify)
    if client_cert:
        # Without a callback OpenSSL asks for the passphrase on the terminal and waits.
        context.load_cert_chain(client_cert, client_key, password=lambda: "")
    return context
