"""
What Airflow loads of the page, in each of its processes: names and addresses, and no web framework.

The application itself is made in the API server, when the first request comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_useapi.compat import SHOWS_PAGES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Application = Callable[
        [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
        Awaitable[None],
    ]

PREFIX = "/useapi"
"""Where the API server serves the page. Airflow's UI shows it at ``/plugin/useapi``."""


class LazyApplication:
    """The ASGI application of the page, which is made when it is first asked for something."""

    def __init__(self) -> None:
        self._made: Application | None = None

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer a request."""
        if self._made is None:
            from airflow_provider_useapi.plugin.application import make_application

            self._made = make_application()
        await self._made(scope, receive, send)


class UseApiPlugin(AirflowPlugin):
    """*useapi.net* in Airflow's navigation. Before Airflow 3.1, which has no such pages, nothing."""

    name = "useapi"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = (
        [{"app": LazyApplication(), "url_prefix": PREFIX, "name": "useapi.net"}]
        if SHOWS_PAGES
        else []
    )
    # Without a slash in front: where Airflow is served below a path, so is the page.
    external_views: ClassVar[list[dict[str, Any]]] = (
        [
            {
                "name": "useapi.net",
                "href": "useapi/",
                "url_route": "useapi",
                "destination": "nav",
                "icon": "useapi/icon.svg",
            }
        ]
        if SHOWS_PAGES
        else []
    )
