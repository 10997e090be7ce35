"""
The two ways to ask: :mod:`.blocking` on requests for workers, :mod:`.asynchronous` on httpx.

Both send the same request, obey the same settings and hand back the same
:class:`~airflow_provider_useapi.api.responses.Answer`; what it means is none of their business.
"""

from __future__ import annotations

from airflow_provider_useapi import __version__

HEADERS = {
    "Accept": "application/json",
    # A small page is not worth unpacking, and unpacking is where a small page grows.
    "Accept-Encoding": "identity",
    "User-Agent": f"airflow-provider-useapi/{__version__}",
}
