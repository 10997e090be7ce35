"""A headless Chromium for tests: opens a page, and knows what it asked for and complained about."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

MISSING = "Chromium is missing: install it (on Debian and Ubuntu: apt install chromium)."
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


@dataclass
class Page:
    """
    A page that was opened.

    :param requests: the URLs that it asked for, itself first.
    :param complaints: what it wrote to the console, and its errors.
    :param received: how many bytes came, as they were sent.
    """

    _browser: Browser
    _session: str
    _target: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    received: int = 0

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        arguments = {"expression": expression, "returnByValue": True}
        done = self.call("Runtime.evaluate", awaitPromise=True, **arguments)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait_for(self, expression: str, timeout: float = 20.0) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        deadline = time.monotonic() + timeout
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"not within {timeout:g} s: {expression}"
            time.sleep(0.05)
        return value

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse there."""
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def press(self, key: str) -> None:
        """Press and release a key, by its name in the DOM: ``Tab``, ``Enter``."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Tab": 9, "Enter": 13, "Escape": 27}[key]
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text
            )

    def resize(self, width: int, height: int) -> None:
        """Make the window so wide and high."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def cookie(self, url: str, name: str, value: str) -> None:
        """Have a cookie at an address."""
        self.call("Network.setCookie", url=url, name=name, value=value)

    def close(self) -> None:
        """Close the page."""
        self._browser.call("Target.closeTarget", {"targetId": self._target})

    def screenshot(self, path: Path, width: int, *, dark: bool = False) -> tuple[int, int]:
        """Write a picture of the whole page at a width, and return how wide and high it is."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        metrics = {"width": width, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", height=800, **metrics)
        height = self.evaluate("document.documentElement.scrollHeight")
        content = self.evaluate("document.documentElement.scrollWidth")
        self.call("Emulation.setDeviceMetricsOverride", height=height, **metrics)
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(picture))
        return content, height

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the DevTools protocol."""
        return self._browser.call(method, params, self._session)

    def take(self, event: dict[str, Any]) -> None:
        """Note what happened."""
        params = event["params"]
        match event["method"]:
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Network.loadingFinished":
                self.received += int(params["encodedDataLength"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params))
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])


class Browser:
    """A Chromium that listens on a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], read: int, write: int) -> None:
        self._process = process
        self._read, self._write = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._pages: dict[str, Page] = {}
        self._number = 0
        self._rest = b""

    def open(self, url: str, cookies: Mapping[str, str] = MappingProxyType({})) -> Page:
        """
        Open a page, in a profile of its own, and wait until it is loaded.

        :param url: its address.
        :param cookies: to have there.
        """
        context = self.call("Target.createBrowserContext", {})["browserContextId"]
        place = {"url": "about:blank", "browserContextId": context}
        target = self.call("Target.createTarget", place)["targetId"]
        attached = {"targetId": target, "flatten": True}
        session = self.call("Target.attachToTarget", attached)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Network", "Runtime", "Log", "Page"):
            page.call(f"{domain}.enable")
        for name, value in cookies.items():
            page.cookie(url, name, value)
        page.call("Page.navigate", url=url)
        while self._next().get("method") != "Page.loadEventFired":
            pass
        return page

    def call(self, method: str, params: dict[str, Any], session: str | None = None) -> Any:
        """Call a method of the DevTools protocol, and note every event until its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        message |= {"sessionId": session} if session else {}
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            received = os.read(self._read.fileno(), 1 << 20)
            assert received, "Chromium has ended"
            self._rest += received
        message, _, self._rest = self._rest.partition(b"\0")
        event: dict[str, Any] = json.loads(message)
        if "method" in event and (page := self._pages.get(event.get("sessionId", ""))):
            page.take(event)
        return event

    def close(self) -> None:
        """End it."""
        self.call("Browser.close", {})
        self._process.wait(20)
        self._read.close()
        self._write.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """
    Run a Chromium while a ``with`` block does.

    :raises RuntimeError: if there is none; the message says what to install.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise RuntimeError(MISSING)
    profile = tempfile.mkdtemp(prefix="chromium-")
    to_read, to_us = map(_out_of_the_way, os.pipe())
    to_it, to_write = map(_out_of_the_way, os.pipe())

    def as_it_expects() -> None:
        os.dup2(to_it, 3)
        os.dup2(to_us, 4)

    try:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}"],
            preexec_fn=as_it_expects,
            pass_fds=(3, 4),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_us)
        os.close(to_it)
        running = Browser(process, to_read, to_write)
        try:
            yield running
        finally:
            running.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def _out_of_the_way(descriptor: int) -> int:
    """The same under a number that is neither of the two on which Chromium listens."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
