"""
How a request goes over the wire: the same way from a worker and from an event loop.

httpcore speaks HTTP; the streams it speaks over are ours. Each call on a stream may last until the
time of the whole request is up, and a stream hands on one answer and nothing that comes after
it. A connection is kept for 60 s, for requests that may be sent twice: if it turns out dead before
a byte of the answer came, the request goes over a new one. :mod:`.sync_client`,
:mod:`.async_client` and the :mod:`.session` of ``hook.get_conn()`` share the routes, the TLS
context and the reading of what came, and what an answer means is none of their business.
"""

from __future__ import annotations

from airflow_provider_useapi import __version__

HEADERS = {
    "Accept": "application/json",
    # A small page is not worth unpacking, and unpacking is where a small page grows.
    "Accept-Encoding": "identity",
    "User-Agent": f"airflow-provider-useapi/{__version__}",
}
