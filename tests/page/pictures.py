"""
The pictures of the page in ``docs``, of the fortnight.

``python -m tests.page.pictures`` lives through it and takes them again.
"""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.system import fortnight
from tests.system.browser import Browser, browser
from tests.system.history import environment

from .airflows import GuardedAirflow, Shown, guarded, shown

DOCS = Path(__file__).resolve().parents[2] / "docs"


@dataclass(frozen=True)
class Picture:
    """
    One picture.

    :param name: of its file.
    :param place: what is shown.
    :param width: of Airflow's window, and its ``height``.
    :param dark: whether Airflow is dark.
    """

    name: str
    place: str = ""
    width: int = 1200
    height: int = 560
    dark: bool = False


PICTURES = (
    Picture("page-list.png"),
    Picture("page-connection.png", "#/connections/useapi_default", height=1180),
    Picture("page-dark.png", "#/connections/useapi_studio", height=860, dark=True),
    Picture("page-400px.png", "", width=472, height=900),
)


def take(chromium: Browser, airflow: GuardedAirflow, picture: Picture, folder: Path) -> None:
    """Take a picture."""
    with shown(chromium, airflow, place=picture.place, width=picture.width) as view:
        view.page.resize(picture.width, picture.height)
        view.settled()
        wear(view, dark=picture.dark)
        if picture.place:
            view.ask("$.querySelector('[data-value=\"30\"]').click()")
            view.settled()
        else:
            view.ask("$.querySelector('[data-action=reason]').click()")
            view.wait("$.querySelectorAll('.reason').length === 1")
        drawn = view.page.call("Page.captureScreenshot")["data"]
        (folder / picture.name).write_bytes(base64.b64decode(drawn))


def wear(view: Shown, *, dark: bool) -> None:
    """Choose Airflow's colours, as its own switch does."""
    colours = "dark" if dark else "light"
    view.page.evaluate(
        f"(c => {{ c.remove('light', 'dark'); c.add('{colours}'); }})"
        "(document.documentElement.classList)"
    )
    view.wait(f"$.documentElement.dataset.colours === '{colours}'")


def main() -> None:
    """Take the pictures into ``docs``."""
    with tempfile.TemporaryDirectory() as folder, fortnight.sandboxes() as found:
        home = Path(folder)
        env = {**environment(home), **guarded(home), **fortnight.connections(found)}
        with (
            GuardedAirflow(home, fortnight.dags_in(home), env, fortnight.COMPONENTS) as airflow,
            browser() as chromium,
        ):
            for _ in fortnight.live_it(airflow, found):
                pass
            fortnight.let_gates_wait(airflow)
            for picture in PICTURES:
                take(chromium, airflow, picture, DOCS)


if __name__ == "__main__":
    main()
