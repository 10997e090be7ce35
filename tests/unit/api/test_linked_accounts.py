"""The linked accounts as ``/accounts`` tells of them: documented bodies, and any JSON at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.endpoints import CreditsPage
from airflow_provider_useapi.api.linked_accounts import (
    AccountStatus,
    accounts_service,
    read_statuses,
    shown_statuses,
)
from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiConfigError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
    UseApiUnavailableError,
)
from tests.helpers.account_bodies import ACCOUNTS, ONE, SIGNED_OUT, TWO
from tests.helpers.bodies import JSON, evenly

TOKEN = "user:12345-s3cr3t"
WHEN = datetime(2026, 12, 24, 12, 13, 14, tzinfo=UTC)
TELL_TROUBLE = [slug for slug in ACCOUNTS if slug != "tempolor"]
EXPIRY = {"dreamina", "kling", "minimax", "mureka", "muse", "pixverse", "runwayml"}


def read(service: str, body: object, status: int = 200, account: int | None = 12345) -> Any:
    entry, endpoint = accounts_service(service)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, body=raw)
    return read_statuses(entry, endpoint, account, answer, conn_id="c", secrets=[TOKEN])


def test_every_service_that_has_a_list_is_documented_here() -> None:
    assert set(ACCOUNTS) == {service.slug for service in CATALOGUE if service.accounts}


@pytest.mark.parametrize("service", ACCOUNTS)
def test_the_documented_list(service: str) -> None:
    first, second = read(service, ACCOUNTS[service])
    assert [first.id, second.id] == list(ACCOUNTS[service])
    assert (first.healthy, first.reason) == (True, None)
    assert second.healthy is (service == "tempolor")
    assert (second.reason is None) is second.healthy
    limit = next(iter(ACCOUNTS[service].values())).get("maxJobs")
    assert first.max_jobs == limit
    expires = first.session_expires and first.session_expires.replace(microsecond=0)
    assert expires == (WHEN if service in EXPIRY else None)
    assert second.session_expires is None
    assert first.plan == {"muse": "HATCH_FREE", "runwayml": "pro"}.get(service)


@pytest.mark.parametrize("service", ACCOUNTS)
def test_nothing_but_named_fields_gets_past_the_reader(service: str) -> None:
    for status in read(service, ACCOUNTS[service]):
        assert "canary" not in str(vars(status))
        shown = repr(status)
        assert ONE not in shown and TWO not in shown and f"{status.id}'" not in shown
        assert status.hint in shown


def test_words_in_both_fields_are_said_once() -> None:
    _, second = read("google-flow", ACCOUNTS["google-flow"])
    assert second.reason == SIGNED_OUT


def test_google_flow_without_a_next_refresh_is_in_trouble() -> None:
    body = {ONE: {"health": "OK", "sessionData": {"expires": "2026-12-24T12:13:14Z"}}}
    (found,) = read("google-flow", body)
    assert (found.healthy, found.session_expires) == (False, None)
    assert found.reason == "no refresh of its login is scheduled"


def test_a_reason_holds_no_address_no_token_and_not_the_id() -> None:
    words = f"{ONE} must sign in with {TOKEN}\n{'x' * 500}"
    (found,) = read("kling", {ONE: {"error": words}})
    assert found.reason.startswith("*** must sign in with *** xxx")
    assert len(found.reason) <= 200
    (number,) = read("minimax", {"11223388": {"error": "11223388 has no session"}})
    assert number.reason == "*** has no session"
    assert read("kling", {"a": {"error": "a b"}})[0].reason == "a b"
    assert read("kling", {ONE: {"error": {"deep": 1}}})[0].reason == "not healthy"


@pytest.mark.parametrize("entry", [None, [], "text", 7])
def test_an_entry_of_another_shape_is_in_trouble(entry: object) -> None:
    (found,) = read("kling", {ONE: entry})
    assert (found.healthy, found.reason) == (False, "its entry is not as documented")


@pytest.mark.parametrize(
    "written",
    [None, "", "soon", "0001-01-01T00:00:00Z", True, {}, [], float("inf"), -1e300, "9999-99-99"],
)
def test_a_moment_that_cannot_be_read_is_not_told(written: object) -> None:
    (found,) = read("muse", json.dumps({ONE: {"sessionExpiresAt": written}}).encode())
    assert found.session_expires is None


@pytest.mark.parametrize(
    "written", ["2026-12-24 12:13:14 UTC", "2026-12-24T12:13:14", 1798114394, 1798114394000]
)
def test_moments_are_read_however_services_write_them(written: object) -> None:
    assert read("muse", {ONE: {"sessionExpiresAt": written}})[0].session_expires == WHEN


def test_the_second_place_of_an_expiry_stands_in() -> None:
    (found,) = read("minimax", {"1": {"jwt": {"exp": 1798114394}}})
    assert found.session_expires == WHEN


# --- None, refused, odd ---------------------------------------------------------------------------


@pytest.mark.parametrize("service", ACCOUNTS)
@pytest.mark.parametrize(
    ("status", "body"), [(200, b"{}"), (404, b"Configuration not found."), (404, b"")]
)
def test_no_account_configured(service: str, status: int, body: bytes) -> None:
    assert read(service, body, status) == ()


@pytest.mark.parametrize("service", ACCOUNTS)
@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"Endpoint not found","code":404}',
        b'{"error":"Not found","hint":{"llm_docs":"https://useapi.net/llms.txt"}}',
        b"Endpoint not found",
    ],
)
def test_a_path_that_does_not_exist_is_never_zero_accounts(service: str, body: bytes) -> None:
    with pytest.raises(UseApiRequestError, match="was answered with 404"):
        read(service, body, 404)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error":"Unauthorized"}', UseApiAuthError),
        (402, b'{"error":"Subscription required"}', UseApiRequestError),
        (429, b"", UseApiUnavailableError),
        (596, b"{}", UseApiRequestError),
        (200, b"[]", UseApiResponseError),
        (200, b"<html>", UseApiResponseError),
        (200, b'{"error":"oops of a@b.c"}', UseApiResponseError),
        (204, b"", UseApiResponseError),
    ],
)
def test_answers_without_a_list(status: int, body: bytes, kind: type[UseApiError]) -> None:
    with pytest.raises(kind) as caught:
        read("kling", body, status)
    assert type(caught.value) is kind and "b.c" not in str(caught.value)


@pytest.mark.parametrize("service", ["luma", "faceswap", "brand new", "", None])
def test_a_service_without_a_list_says_why(service: Any) -> None:
    with pytest.raises(UseApiConfigError, match=r"cannot be listed: .* can tell: acemusic, drea"):
        accounts_service(service)


# --- Whatever comes -------------------------------------------------------------------------------

ENTRY = st.dictionaries(
    st.sampled_from(["health", "error", "maxJobs", "session", "jwt", "quota", "nextRefresh"]), JSON
)


@pytest.mark.parametrize("service", ACCOUNTS)
@given(body=evenly(JSON, st.dictionaries(st.text(), evenly(ENTRY, JSON), max_size=4)))
def test_any_json_gives_statuses_or_a_response_error(service: str, body: Any) -> None:
    try:
        found = read(service, body)
    except UseApiResponseError as e:
        assert not e.permanent
        return
    for name, status in shown_statuses(found):
        assert isinstance(status, AccountStatus)
        assert status.healthy is (status.reason is None)
        assert status.max_jobs is None or status.max_jobs >= 0
        assert name.isprintable() or not name.isascii()
        assert len(status.ref) == 6


@pytest.mark.parametrize("service", TELL_TROUBLE)
def test_one_more_trouble_never_raises_the_number_of_healthy_accounts(service: str) -> None:
    fine = {"health": "OK", "nextRefresh": {"scheduledFor": "later"}}
    troubles: list[dict[str, str]] = [{}, {"error": "x"}, {"health": "bad"}, {"health": ""}]
    for names in ([ONE], [ONE, TWO], [ONE, TWO, "a@b.c"]):
        for each in product(troubles, repeat=len(names)):
            body = {name: fine | trouble for name, trouble in zip(names, each, strict=True)}
            before = sum(status.healthy for status in read(service, body))
            for name in names:
                more = {**body, name: {**body[name], "error": "one more"}}
                assert sum(status.healthy for status in read(service, more)) <= before


@given(written=st.none() | st.booleans() | st.text() | st.floats() | st.lists(st.integers()))
def test_an_unknown_limit_never_becomes_a_number(written: Any) -> None:
    found = read("kling", json.dumps({ONE: {"maxJobs": written}}).encode())[0].max_jobs
    if not isinstance(written, (str, float)):
        assert found is None


def test_an_id_is_quoted_wherever_it_stands_in_a_path() -> None:
    page = CreditsPage("/v1/x/accounts/{account}", "kling")
    assert page.path_of("ä/ b+c@d.e?&#") == "/v1/x/accounts/%C3%A4%2F%20b%2Bc%40d.e%3F%26%23"
