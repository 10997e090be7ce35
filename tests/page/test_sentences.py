"""What the page says when Airflow refuses, does not know, or does not answer: a sentence each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airflow_provider_useapi.plugin.application import FOLDER, TYPES
from tests.system.browser import Browser, Page

PATIENCE = 20.0
"""Seconds that the script waits for an answer."""


class _Answering(BaseHTTPRequestHandler):
    """Serves the script, answers ``api/v2/<status>`` with that status, and ``silent`` never."""

    over = threading.Event()

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].rsplit("/", 1)[-1]
        if name == "silent":
            self.over.wait(2 * PATIENCE)
        elif "/api/v2/" in self.path:
            self._answer(int(name), b"{}", "application/json")
        else:
            self._answer(200, (FOLDER / name).read_bytes(), TYPES[f".{name.rpartition('.')[2]}"])

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def answering(chromium: Browser) -> Iterator[Page]:
    """A page of a server that answers as it is asked to."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        serving.start()
        page = chromium.open(f"http://127.0.0.1:{server.server_port}/icon.svg")
        try:
            yield page
        finally:
            _Answering.over.set()
            page.close()
            server.shutdown()


def asked(page: Page, path: str) -> str:
    """What comes of asking for a path."""
    return str(
        page.evaluate(
            "import('/rest_api.js').then(m => new m.RestApi(new URL('/', location))"
            f".get('{path}').then(() => 'answered', e => `${{e.kind}}: ${{e.message}}`))"
        )
    )


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (200, "answered"),
        (401, "logged-out: You are logged out of Airflow. Log in, and this page goes on."),
        (403, "forbidden: Airflow does not let you read this."),
        *(
            (
                status,
                "older: This Airflow does not know what the page asks for. It needs Airflow 3.1"
                " or later.",
            )
            for status in (404, 405, 422)
        ),
        (500, "broken: Airflow could not answer (status 500). Its API server's log says why."),
    ],
)
def test_each_answer_has_a_sentence(answering: Page, status: int, sentence: str) -> None:
    assert asked(answering, str(status)) == sentence


def test_who_does_not_answer_is_given_up(answering: Page) -> None:
    assert asked(answering, "silent") == "unreachable: Airflow did not answer within 20 seconds."


def test_no_more_than_four_requests_are_made_at_a_time(answering: Page) -> None:
    most = answering.evaluate(
        "import('/rest_api.js').then(async m => {"
        " const api = new m.RestApi(new URL('/', location));"
        " performance.clearResourceTimings();"
        " await Promise.all(Array.from({length: 40}, (_, n) => api.get('200', {n})));"
        " const spans = performance.getEntriesByType('resource');"
        " return Math.max(...spans.map(a => spans.filter("
        "   b => b.startTime <= a.startTime && a.startTime < b.responseEnd).length)); })"
    )
    assert 1 <= most <= 4
