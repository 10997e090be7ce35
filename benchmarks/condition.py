"""The condition as an HttpEventTrigger wants it: it loads this module again for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests


async def is_active(response: requests.Response) -> bool:
    """Whether the subscription is active."""
    return bool(response.json()["subscriptionIsActive"])
