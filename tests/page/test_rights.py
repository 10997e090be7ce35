"""Who sees what: Airflow decides, and the page says so."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from airflow_provider_useapi import compat
from airflow_provider_useapi.plugin.application import HEADERS, read_files
from tests.system.browser import Browser

from .airflows import GuardedAirflow, shown
from .rights import ADMIN, HALF, NOBODY, THEIR_DAG
from .rows import audits, record

NAMES = ("", *sorted(read_files()), "nothing", "docs", "openapi.json", "redoc", "../compat.py")


def asked(
    airflow: GuardedAirflow, path: str, user: str | None, tag: str = ""
) -> tuple[int, dict[str, str], str]:
    """The answer to a request: status, headers in lower case, body."""
    server = urlsplit(airflow.url)
    headers = {"Cookie": f"_token={session(airflow, user)}"} if user else {}
    headers |= {"If-None-Match": tag} if tag else {}
    with closing(HTTPConnection(server.hostname or "", server.port, timeout=30)) as connection:
        connection.request("GET", f"/useapi/{path}", headers=headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read().decode()


@cache
def session(airflow: GuardedAirflow, user: str) -> str:
    """The token of a user, who logs in once."""
    return airflow.log_in(user)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_served_to_whoever_is_not_logged_in(airflow: GuardedAirflow, name: str) -> None:
    status, headers, body = asked(airflow, name, None)
    assert status == HTTPStatus.UNAUTHORIZED
    assert "You are not logged in" in body
    assert "script" not in body
    assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("name", ["", "main.js"])
def test_whoever_may_not_read_assets_is_told_so(airflow: GuardedAirflow, name: str) -> None:
    status, _, body = asked(airflow, name, NOBODY)
    assert status == HTTPStatus.FORBIDDEN
    assert "you may not read assets" in body


@pytest.mark.parametrize("name", sorted(read_files()))
def test_every_file_has_the_strict_headers(airflow: GuardedAirflow, name: str) -> None:
    status, headers, body = asked(airflow, name, HALF)
    assert status == HTTPStatus.OK
    for header, value in HEADERS.items():
        assert headers[header.lower()] == value
    assert "unsafe" not in headers["content-security-policy"]
    assert body.encode() == read_files()[name]


def test_there_is_no_documentation_and_no_other_file(airflow: GuardedAirflow) -> None:
    for name in ("docs", "redoc", "openapi.json", "nothing", "../compat.py", "%2e%2e/compat.py"):
        status, headers, body = asked(airflow, name, ADMIN)
        assert status == HTTPStatus.NOT_FOUND, name
        assert "There is no such page" in body
        assert "content-security-policy" in headers


def test_an_unchanged_file_is_not_sent_again(airflow: GuardedAirflow) -> None:
    _, headers, _ = asked(airflow, "main.js", ADMIN)
    status, _, body = asked(airflow, "main.js", ADMIN, headers["etag"])
    assert (status, body) == (HTTPStatus.NOT_MODIFIED, "")
    status, _, body = asked(airflow, "main.js", None, headers["etag"])
    assert status == HTTPStatus.UNAUTHORIZED, "not even that it is the same"


def test_two_users_see_what_airflow_shows_each(chromium: Browser, airflow: GuardedAirflow) -> None:
    record(airflow.database, "only_half", audits("only_half", 3, timedelta(days=1)), THEIR_DAG)
    with shown(chromium, airflow, ADMIN) as view:
        everything = view.settled().text
    assert "only_half 2 warnings" in everything or "only_half no findings" in everything
    assert "useapi_default 1 critical" in everything
    assert "wait_for_kling" in everything
    with shown(chromium, airflow, HALF) as view:
        theirs = view.settled().text
    assert "only_half no" in theirs or "only_half 2" in theirs
    assert "wait_for_kling" not in theirs
    assert "No gate that you may see is waiting" in theirs
    # Before 3.3 Airflow shows the events of all DAGs to whoever may read assets.
    assert ("useapi_default 1 critical" in theirs) is not compat.SHARES_STREAMS
    if compat.SHARES_STREAMS:
        assert "Airflow shows no event of its asset" in theirs


def test_a_session_that_ends_is_told_and_what_was_read_stays(
    chromium: Browser, airflow: GuardedAirflow
) -> None:
    with shown(chromium, airflow) as view:
        view.settled()
        view.page.call("Network.deleteCookies", name="_token", url=airflow.url)
        view.click("[data-action=refresh]")
        view.wait("!!$.querySelector('.problem')")
        assert "You are logged out of Airflow." in view.text
        assert "useapi_default" in view.text
        view.page.complaints.clear()  # of the 401
