"""
What Airflow loads of the page, in each of its processes: names and addresses, and no web framework.

The application itself is made in the API server, when the first request comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
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


_APPS = [{"app": LazyApplication(), "url_prefix": PREFIX, "name": "useapi.net"}]
_VIEWS = [
    {
        "name": "useapi.net",
        "href": "useapi/",  # no slash in front: where Airflow is below a path, so is the page
        "url_route": "useapi",
        "destination": "nav",
        "icon": "useapi/icon.svg",
    }
]


_IS_ON = SHOWS_PAGES and conf.getboolean("useapi", "page", fallback=True)
"""Before Airflow 3.1, which shows no pages of plugins, there is nothing to switch on."""


class UseApiPlugin(AirflowPlugin):
    """*useapi.net* in Airflow's navigation, unless ``[useapi] page = False``."""

    name = "useapi"
    fastapi_apps = _APPS if _IS_ON else []
    external_views = _VIEWS if _IS_ON else []
