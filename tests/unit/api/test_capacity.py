"""What is counted as free: documented answers, their oddities, and any JSON at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.capacity import Capacity, capacity_of, live_service
from airflow_provider_useapi.api.live_answers import read_rows
from airflow_provider_useapi.api.live_readers import READERS
from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
)
from airflow_provider_useapi.sandbox import LinkedAccount
from airflow_provider_useapi.sandbox.live_endpoints import live_answer
from tests.helpers.account_bodies import ACCOUNTS
from tests.helpers.bodies import JSON, evenly

TOKEN = "user:12345-s3cr3t"
ONE, TWO = "jo.hn@mail.example.com", "ann@mail.example.com"
UUID = "1f0e8d7c-6b5a-4948-8372-615141302f1e"
LIVE = [service.slug for service in CATALOGUE if service.live]
HEALTH_APART = ("kling", "minimax", "mureka", "pixverse")
LIMITED = [service.slug for service in CATALOGUE if service.live and service.publishes_limit]


def answer(body: object) -> Answer:
    return body if isinstance(body, Answer) else Answer(200, body=json.dumps(body).encode())


def count(service: str, *bodies: object, jobs_per_account: int | None = None) -> Capacity:
    """The capacity of a service whose endpoints answer so, in the order of the catalogue."""
    entry = live_service(service, jobs_per_account, limit_needed=False)
    endpoints = entry.live
    if service in HEALTH_APART and len(bodies) == 1:
        bodies = (*bodies, {})  # what only the live endpoint lists is as that says
    told = {
        endpoint: read_rows(endpoint, answer(body), conn_id="c", secrets=[TOKEN])
        for endpoint, body in zip(endpoints, bodies, strict=True)
    }
    return capacity_of(entry.slug, told, jobs_per_account)


def numbers(capacity: Capacity) -> dict[str, tuple[int | None, int | None, int | None, bool]]:
    return {a.id: (a.max_jobs, a.running, a.free, a.healthy) for a in capacity.accounts}


def totals(capacity: Capacity) -> tuple[int | None, int | None]:
    return capacity.free_accounts, capacity.free_job_slots


# --- A: free job slots are told -------------------------------------------------------------------


def offer(name: object, limit: object, running: object, free: object, key: str = "email") -> Any:
    return {key: name, "maxJobs": limit, "executing": running, "available": free}


@pytest.mark.parametrize(
    ("service", "key"),
    [("kling", "email"), ("minimax", "account"), ("pixverse", "email"), ("tempolor", "user_id")],
)
def test_available_job_slots_are_added_up(service: str, key: str) -> None:
    found = count(
        service,
        {
            "executing": [{"id": 1, key: TWO, "started": "2025-04-18T01:02:03Z"}],
            "available": [offer(ONE, 5, 0, 5, key), offer(TWO, 5, 1, 4, key)],
        },
    )
    assert found.service == service
    assert numbers(found) == {ONE: (5, 0, 5, True), TWO: (5, 1, 4, True)}
    assert totals(found) == (2, 9)


def test_an_account_that_is_not_offered_is_busy() -> None:
    assert totals(count("kling", {"executing": [], "available": [offer(ONE, 5, 4, 1)]})) == (1, 1)
    full = count("kling", {"executing": [{"id": 1, "email": ONE}], "available": []})
    assert totals(full) == (0, 0)
    assert full.known


def test_pixverse_may_offer_less_than_limit_minus_running() -> None:
    found = count("pixverse", {"executing": [], "available": [offer(ONE, 8, 3, 2)]})
    assert numbers(found) == {ONE: (8, 3, 2, True)}
    assert totals(found) == (1, 2)


def test_minimax_images_take_no_job_slot() -> None:
    images = [{"imageId": f"user:1-minimax:7-image:{n}", "elapsed": "00:10"} for n in range(4)]
    found = count("minimax", {"executing": images, "available": [offer("7", 3, 0, 3, "account")]})
    assert totals(found) == (1, 3)


@pytest.mark.parametrize("free", [None, "many", True, 1.5, [], {}, float("nan")])
def test_a_number_of_free_job_slots_that_cannot_be_read_is_unknown(free: object) -> None:
    found = count("kling", {"available": [offer(ONE, 5, 1, 4), offer(TWO, 5, 1, free)]})
    assert totals(found) == (None, None)
    assert not found.known
    assert totals(count("kling", {"available": [offer(TWO, 5, 1, free)]}, jobs_per_account=2)) == (
        None,
        None,
    )


def test_fewer_than_none_is_none() -> None:
    assert totals(count("kling", {"available": [offer(ONE, 5, 7, -2)]})) == (0, 0)


def test_an_account_that_is_signed_out_is_not_free_though_it_is_offered() -> None:
    offers = {"available": [offer(ONE, 5, 0, 5), offer(TWO, 5, 2, 3)]}
    accounts = {ONE: {"maxJobs": 5, "error": f"{ONE} is signed out"}, TWO: {"maxJobs": 5}}
    found = count("kling", offers, accounts)
    assert numbers(found) == {ONE: (5, 0, 0, False), TWO: (5, 2, 3, True)}
    assert totals(found) == (1, 3)
    (trouble,) = found.in_trouble(12345)
    assert (trouble.account, trouble.reason) == ("j***n@mail.example.com", "*** is signed out")


@pytest.mark.parametrize("own", [None, 2])
@pytest.mark.parametrize("service", ["kling", "minimax", "pixverse"])
def test_an_account_that_is_not_offered_has_nothing_free_whatever_its_limit(
    service: str, own: int | None
) -> None:
    found = count(service, {"available": []}, {ONE: {"maxJobs": 5}, TWO: {}}, jobs_per_account=own)
    assert [account.free for account in found.accounts] == [0, 0]
    assert (totals(found), found.known) == ((0, 0), True)


def test_an_account_that_is_only_offered_is_as_the_offer_says() -> None:
    for none in ({}, Answer(404, body=b"Configuration not found"), {TWO: {"maxJobs": 1}}):
        found = count("kling", {"available": [offer(ONE, 5, 1, 4)]}, none)
        assert numbers(found)[ONE] == (5, 1, 4, True)
        assert totals(found) == (1, 4)


@pytest.mark.parametrize("service", LIVE)
def test_a_path_that_does_not_exist_is_never_zero_accounts(service: str) -> None:
    gone = Answer(404, body=b'{"error":"Endpoint not found","hint":{"llm_docs":"x"}}')
    fine = at_the_sandbox(service, [LinkedAccount(ONE)])
    for number in range(len(fine)):
        with pytest.raises(UseApiRequestError, match="was answered with 404"):
            count(service, *fine[:number], gone, *fine[number + 1 :], jobs_per_account=1)


@pytest.mark.parametrize("service", HEALTH_APART)
@given(data=st.data())
def test_one_more_trouble_never_frees_anything(service: str, data: st.DataObject) -> None:
    linked = data.draw(SOME_LINKED)
    before = count(service, *at_the_sandbox(service, linked), jobs_per_account=2)
    data.draw(st.sampled_from(linked)).health = "one more"
    after = count(service, *at_the_sandbox(service, linked), jobs_per_account=2)
    for old, new in zip(totals(before), totals(after), strict=True):
        assert (new or 0) <= (old or 0)


# --- B: running jobs and limits together ----------------------------------------------------------


def b_jobs(**accounts: tuple[object, object]) -> Any:
    names = {"one": ONE, "two": TWO}
    return {
        "running": [{"jobid": "j", "email": ONE, "created": "2026-10-12T01:02:03Z", "type": "v"}],
        "accounts": {
            names[name]: {"running": running, "maxJobs": limit}
            for name, (running, limit) in accounts.items()
        },
    }


@pytest.mark.parametrize("service", ["muse", "google-vids"])
def test_jobs_with_limits_count_where_the_account_is_healthy(service: str) -> None:
    healthy = {"health": "OK", "maxJobs": 2, "quota": {"used": 1}}
    paused = {"health": "Meta security check for x@y.z", "maxJobs": 2}
    found = count(service, b_jobs(one=(1, 2), two=(0, 2)), {ONE: healthy, TWO: paused})
    assert numbers(found) == {ONE: (2, 1, 1, True), TWO: (2, 0, 0, False)}
    assert totals(found) == (1, 1)
    assert [a.reason for a in found.accounts] == [None, "Meta security check for ***"]


@pytest.mark.parametrize("service", ["muse", "google-vids"])
def test_every_account_is_listed_there_so_a_missing_one_is_unknown(service: str) -> None:
    found = count(service, b_jobs(one=(1, 2)), {ONE: {"maxJobs": 2}, TWO: {"maxJobs": 2}})
    assert numbers(found)[TWO] == (2, None, None, True)
    assert totals(found) == (None, None)


def test_gemini_notebook_tells_health_with_the_jobs() -> None:
    def row(health: str, running: int) -> Any:
        return {"health": health, "maxJobs": 3, "running": running, "jobs": [{"jobid": "j"}]}

    found = count("gemini-notebook", {"accounts": {ONE: row("OK", 1), TWO: row("signed out", 0)}})
    assert numbers(found) == {ONE: (3, 1, 2, True), TWO: (3, 0, 0, False)}
    assert totals(found) == (1, 2)


@pytest.mark.parametrize("service", ["muse", "google-vids"])
def test_400_says_that_no_account_is_configured(service: str) -> None:
    none = Answer(400, body=b'{"error":"Please configure at least one account at ...","code":400}')
    found = count(service, none, {ONE: {"maxJobs": 2}})
    assert (found.accounts, totals(found), found.known) == ((), (0, 0), True)


# --- C: running jobs joined with the accounts -----------------------------------------------------


C_ACCOUNTS = {ONE: {"maxJobs": 4}, TWO: {"maxJobs": 2}}


def test_flowmusic_lists_only_accounts_that_run_something() -> None:
    jobs = [{"jobid": "j", "status": "created", "created_at": "2026-06-03T01:02:03Z"}]
    found = count("flowmusic", {ONE: {"running": 1, "maxJobs": 4, "jobs": jobs}}, C_ACCOUNTS)
    assert numbers(found) == {ONE: (4, 1, 3, True), TWO: (2, 0, 2, True)}
    assert totals(count("flowmusic", {}, C_ACCOUNTS)) == (2, 6)
    assert totals(count("flowmusic", {}, {})) == (0, 0)


def test_dreamina_names_accounts_with_their_region() -> None:
    one = f"US:{ONE}"
    job = {"jobid": "j", "submitId": UUID, "model": "seedance", "elapsedSeconds": 4}
    accounts = {one: {"maxJobs": 10}, f"CA:{ONE}": {"maxJobs": 5}}
    found = count("dreamina", {"executing": {one: [job, job]}, "total": 2}, accounts)
    assert numbers(found) == {one: (10, 2, 8, True), f"CA:{ONE}": (5, 0, 5, True)}
    assert totals(count("dreamina", {"executing": {}, "total": 0}, accounts)) == (2, 15)
    assert totals(count("dreamina", {"executing": {}, "total": 0}, {})) == (0, 0)


def test_runway_names_the_account_inside_of_task_ids() -> None:
    odd = "task:x-task:y+z@mail.example.com"
    tasks = [{"taskId": f"user:12-runwayml:{name}-task:{UUID}"} for name in (ONE, ONE, odd)]
    found = count("runwayml", tasks, {ONE: {"maxJobs": 5}, odd: {"maxJobs": 5}})
    assert numbers(found) == {ONE: (5, 2, 3, True), odd: (5, 1, 4, True)}
    assert totals(count("runwayml", [], C_ACCOUNTS)) == (2, 6)


def test_acemusic_jobs_are_counted_by_account() -> None:
    jobs = [{"jobid": "j", "type": "music", "status": "started", "email": ONE}] * 3
    accounts = {**C_ACCOUNTS, TWO: {"health": "error", "error": "password changed", "maxJobs": 4}}
    found = count("acemusic", {"jobs": jobs}, accounts)
    assert numbers(found) == {ONE: (4, 3, 1, True), TWO: (4, 0, 0, False)}
    assert found.accounts[1].reason == "password changed"


@pytest.mark.parametrize(
    ("service", "jobs"),
    [
        ("runwayml", [{"taskId": "another form"}]),
        ("runwayml", [{"taskId": f"user:12-kling:{ONE}-task:{UUID}"}]),
        ("runwayml", [7]),
        ("acemusic", {"jobs": [{"jobid": "j"}]}),
        ("acemusic", {"jobs": [None]}),
        ("dreamina", {"executing": {ONE: 3}}),
        ("flowmusic", {ONE: {"maxJobs": 4}}),
        ("flowmusic", {ONE: None}),
    ],
)
def test_a_job_that_cannot_be_counted_is_not_a_free_job_slot(service: str, jobs: object) -> None:
    found = count(service, jobs, C_ACCOUNTS)
    assert numbers(found)[ONE] == (4, None, None, True)
    assert totals(found) == (None, None)


def test_jobs_of_an_account_that_is_gone_take_nothing_from_the_others() -> None:
    gone = [{"taskId": f"user:12-runwayml:gone@mail.example.com-task:{UUID}"}]
    assert totals(count("runwayml", gone, C_ACCOUNTS)) == (2, 6)


def test_upper_and_lower_case_are_one_account() -> None:
    jobs = {"jobs": [{"email": ONE.upper()}, {"email": ONE}]}
    assert numbers(count("acemusic", jobs, C_ACCOUNTS))[ONE] == (4, 2, 2, True)


@pytest.mark.parametrize(
    ("service", "idle"),
    [
        ("muse", {"running": [], "accounts": {}}),
        ("google-vids", {"running": [], "accounts": {}}),
        ("flowmusic", {}),
        ("dreamina", {"executing": {}, "total": 0}),
        ("runwayml", []),
        ("acemusic", {"jobs": []}),
    ],
)
@pytest.mark.parametrize(
    "accounts", [{}, Answer(404, body=b"Account not found"), Answer(404)], ids=["{}", "text", "404"]
)
def test_no_account_configured_is_zero_accounts(
    service: str, idle: object, accounts: object
) -> None:
    found = count(service, idle, accounts)
    assert (found.accounts, totals(found), found.known) == ((), (0, 0), True)


# --- D: load without a limit ----------------------------------------------------------------------


def flow(emails: object, **executing: object) -> Any:
    names = {"one": ONE, "two": TWO}
    summary = {
        names[name]: {"executing": n, "completed": 1, "failed": 0, "rateLimited": 0, "score": 6}
        for name, n in executing.items()
    }
    group = {"summary": summary}
    return {"emails": emails, "videos": group, "images": {"summary": {}}, "combined": group}


MUREKA = {
    "total": 1,
    "music": 1,
    "tts": 0,
    "accounts": {ONE: {"total": 1, "music": 1, "tts": 0, "jobs": [{"jobid": "j"}]}},
    "availableAccounts": [ONE, TWO],
}


@pytest.mark.parametrize(
    ("service", "body"), [("google-flow", flow([ONE, TWO], one=1)), ("mureka", MUREKA)]
)
def test_without_a_limit_the_load_is_known_and_what_is_free_is_not(
    service: str, body: object
) -> None:
    unknown = count(service, body)
    assert numbers(unknown) == {ONE: (None, 1, None, True), TWO: (None, 0, None, True)}
    assert (totals(unknown), unknown.known) == ((None, None), False)
    assert totals(count(service, body, jobs_per_account=1)) == (1, 1)
    assert totals(count(service, body, jobs_per_account=3)) == (2, 5)


def test_google_flow_counts_the_accounts_that_it_calls_healthy() -> None:
    assert totals(count("google-flow", flow([TWO], one=0), jobs_per_account=1)) == (1, 1)
    assert totals(count("google-flow", flow([]), jobs_per_account=1)) == (0, 0)


@pytest.mark.parametrize(
    "more",
    [
        {"quarantine": [ONE]},
        {"quarantined": {ONE: {"reason": "USER_QUOTA_REACHED"}}},
        {"Quarantine": {"entries": [{"email": ONE, "until": "2026-11-02T10:00:00Z"}]}},
        {"combined": {"summary": {ONE: {"executing": 0, "quarantinedUntil": "later"}}}},
        {"accounts": {ONE: {"quarantine": True}}},
    ],
)
def test_google_flow_accounts_in_quarantine_are_not_free(more: dict[str, Any]) -> None:
    found = count("google-flow", {**flow([ONE, TWO]), **more}, jobs_per_account=2)
    assert numbers(found) == {ONE: (2, 0, 0, False), TWO: (2, 0, 2, True)}
    assert found.accounts[0].reason == "in quarantine"


@pytest.mark.parametrize(
    "more", [{"quarantine": []}, {"quarantined": {ONE: None}}, {"accounts": {ONE: {"score": 1}}}]
)
def test_an_empty_quarantine_holds_nobody(more: dict[str, Any]) -> None:
    body = {**flow([ONE, TWO]), **more}
    assert totals(count("google-flow", body, jobs_per_account=2)) == (2, 4)


def test_google_flow_without_its_summary_is_unknown() -> None:
    body = {"emails": [ONE], "combined": {}}
    assert totals(count("google-flow", body, jobs_per_account=1)) == (None, None)


def test_mureka_accounts_in_error_are_not_free() -> None:
    error = "Session refresh failed 401, manual update required"
    accounts = {ONE: {"account": ONE}, TWO: {"account": TWO, "error": error}}
    found = count("mureka", MUREKA, accounts, jobs_per_account=2)
    assert numbers(found) == {ONE: (2, 1, 1, True), TWO: (2, 0, 0, False)}
    assert found.accounts[1].reason == error


# --- The user's own limit -------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "slots"), [(None, 4), (1, 0), (2, 1), (5, 4), (50, 4)])
@pytest.mark.parametrize(
    ("service", "bodies"),
    [
        ("kling", [{"available": [offer(ONE, 5, 1, 4)]}]),
        ("muse", [b_jobs(one=(1, 5)), {ONE: {}}]),
        ("runwayml", [[{"taskId": f"user:1-runwayml:{ONE}-task:x"}], {ONE: {"maxJobs": 5}}]),
    ],
)
def test_of_two_limits_the_smaller_counts(
    service: str, bodies: list[object], own: int | None, slots: int
) -> None:
    found = count(service, *bodies, jobs_per_account=own)
    assert found.free_job_slots == slots
    assert found.accounts[0].max_jobs == min(5, own or 5)


def test_the_own_limit_stands_in_for_one_that_is_missing() -> None:
    assert totals(count("flowmusic", {}, {ONE: {}})) == (None, None)
    assert totals(count("flowmusic", {}, {ONE: {}}, jobs_per_account=2)) == (1, 2)


@pytest.mark.parametrize("bad", [0, -1, True, 1.0, "2"])
def test_a_limit_is_a_whole_number_from_1(bad: Any) -> None:
    with pytest.raises(
        UseApiConfigError, match="jobs_per_account must be a whole number of at least 1"
    ):
        live_service("kling", bad)


# --- What cannot be told --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "why"),
    [
        *[(service.slug, service.note) for service in CATALOGUE if not service.live],
        ("Brand New API", "the service is not in the catalogue"),
        ("", "the service is not in the catalogue"),
        (None, "the service is not in the catalogue"),
    ],
)
def test_a_service_that_does_not_tell_says_so_and_which_do(service: Any, why: str) -> None:
    assert why
    with pytest.raises(UseApiConfigError, match="cannot be checked") as refused:
        live_service(service, 1)
    assert why in str(refused.value)
    assert "min_active_accounts" in str(refused.value)
    assert all(slug in str(refused.value) for slug in LIVE)


@pytest.mark.parametrize("service", ["google-flow", "Mureka API"])
def test_a_gate_needs_a_limit_where_none_is_published(service: str) -> None:
    with pytest.raises(UseApiConfigError, match="set jobs_per_account"):
        live_service(service, None)
    assert live_service(service, 1).live


@pytest.mark.parametrize("service", LIMITED)
def test_where_a_limit_is_published_none_is_needed(service: str) -> None:
    assert live_service(service, None) == live_service(service, 2)


def test_the_catalogue_names_readers_that_there_are() -> None:
    for service in CATALOGUE:
        assert len(service.live) <= 2
        assert service.source.startswith(f"api-{service.slug}-v")
        for endpoint in service.live:
            assert endpoint.dialect in READERS
            assert endpoint.path.split("/")[2] == service.slug
        if service.accounts and len(service.live) > 1:
            assert service.live[1] == service.accounts
    used = {endpoint.dialect for service in CATALOGUE for endpoint in service.live}
    assert used == set(READERS)


# --- Answers that hold no rows --------------------------------------------------------------------


ENDPOINTS = [(endpoint, endpoint.path) for service in CATALOGUE for endpoint in service.live]
BODIES = {
    "json": b'{"error": "words of x@y.z", "code": 1}',
    "html": b"<html>password=canary</html>",
    "empty": b"",
    "data": json.dumps({ONE: {"password": "canary", "maxJobs": 1}}).encode(),
    "half": b'{"a@b.c": {"password": "canary"',
    "list": b'["canary"]',
}


def expected(status: int, body: str, none_on: tuple[int, ...]) -> str:
    """The table of outcomes, written down again."""
    is_json = body in ("json", "data", "list")
    if status == 402:
        return "refused"
    if status in none_on:
        return "none"
    if status == 401 or (status == 403 and is_json):
        return "UseApiAuthError"
    if status == 403 or 200 <= status < 300:
        return "UseApiResponseError"
    if status == 596:
        return "UseApiRequestError"
    if status in (408, 429) or status >= 500:
        return "UseApiUnavailableError"
    return "UseApiRequestError"


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("endpoint", "path"), ENDPOINTS, ids=[path for _, path in ENDPOINTS])
def test_every_status_but_a_whole_200(endpoint: Any, path: str, body: str) -> None:
    for status in range(201 if body in ("data", "list") else 200, 600):
        try:
            rows = read_rows(endpoint, Answer(status, body=BODIES[body]), conn_id="c")
        except UseApiError as e:
            outcome, said = type(e).__name__, str(e)
            assert e.status_code == status
            assert f"'c': GET {path} was answered with {status}" in said
            assert ("words of ***" in said) == (body == "json")
        else:
            outcome, said = "refused" if rows.refused else "none", str(rows.refused)
            assert rows.none_configured == (outcome == "none")
            assert rows.accounts == ()
        assert outcome == expected(status, body, endpoint.none_on), status
        assert "canary" not in said
        assert "y.z" not in said


def test_402_closes_whatever_the_other_endpoint_says() -> None:
    for bodies in ([Answer(402), {ONE: {}}], [{}, Answer(402, body=b'{"error":"Pay, a@b.c"}')]):
        found = count("flowmusic", *bodies)
        assert (found.accounts, totals(found), found.known) == ((), (None, None), False)
    assert found.refused == "Pay, ***"
    assert count("kling", Answer(402, body=b"<html>"), {}).refused == "Payment required"


@pytest.mark.parametrize(
    ("service", "bodies"),
    [
        ("kling", [{}]),
        ("kling", [{"executing": []}]),
        ("kling", [{"available": {}}]),
        ("kling", [{"available": None}]),
        ("kling", [[]]),
        ("kling", [{"available": [], "error": "Error ..."}]),
        ("muse", [{"running": []}, {}]),
        ("muse", [{"accounts": {}}, []]),
        ("gemini-notebook", [{}]),
        ("flowmusic", [[], {}]),
        ("flowmusic", [{"error": "oops"}, {}]),
        ("flowmusic", [{"error": {"message": "oops", "code": 500}}, {}]),
        ("dreamina", [{"total": 0}, {}]),
        ("runwayml", [{}, {}]),
        ("acemusic", [[], {}]),
        ("google-flow", [{"emails": [ONE]}]),
        ("google-flow", [{"combined": {"summary": {}}}]),
        ("mureka", [{"availableAccounts": [ONE]}]),
    ],
)
def test_a_body_of_another_shape_is_no_answer(service: str, bodies: list[object]) -> None:
    with pytest.raises(UseApiResponseError, match="was answered with 200, but the body is"):
        count(service, *bodies)


def test_the_wait_that_is_asked_for_is_passed_on() -> None:
    endpoint, _ = live_service("kling", None).live
    asked = Answer(429, {"retry-after": "7"}, b'{"retryAfter": "odd"}')
    with pytest.raises(UseApiError) as busy:
        read_rows(endpoint, asked, conn_id="c")
    assert busy.value.retry_after == 7


# --- Nothing else gets past the first touch -------------------------------------------------------


def test_only_named_fields_are_kept() -> None:
    accounts = {
        ONE: {"maxJobs": 2, "password": "canary", "jwt": {"token": "canary"}, "name": "canary"}
    }
    _, endpoint = live_service("runwayml", None).live
    rows = read_rows(endpoint, answer(accounts), conn_id="c")
    assert "canary" not in str(vars(rows.accounts[0]))


def test_ids_and_reasons_are_not_in_a_repr_and_masked_when_shown() -> None:
    health = f"{ONE} must sign in with {TOKEN}\n{'x' * 500}"
    accounts = {ONE: {"health": health}, f"US:{TWO}": {"error": {"deep": ["canary"]}}, "7": {}}
    found = count("acemusic", {"jobs": []}, accounts)
    shown = json.dumps(found.to_dict())
    assert [a["id"] for a in found.to_dict()["accounts"]] == ["jo***", "US:an***", "***"]
    assert [a.id for a in found.accounts] == [ONE, f"US:{TWO}", "7"]
    for text in (repr(found), str(found), shown):
        for secret in (ONE, TWO, "hn@", "mail.example", TOKEN, "s3cr3t", "canary"):
            assert secret not in text
    first, second, _ = found.accounts
    assert first.reason is not None and first.reason.startswith("*** must sign in with *** xxx")
    assert len(first.reason) <= 200
    assert second.reason == "not healthy"
    assert found.to_dict()["accounts"][1]["healthy"] is False


@pytest.mark.parametrize(
    ("entry", "healthy"),
    [
        ({}, True),
        ({"health": "OK"}, True),
        ({"health": None, "error": None}, True),
        ({"health": "OK", "error": ""}, True),
        ({"health": "ok?"}, False),
        ({"health": ""}, False),
        ({"health": " \n"}, False),
        ({"error": " "}, False),
        ({"health": False}, False),
        ({"health": "OK", "error": "expired"}, False),
        ({"error": {"message": "expired"}}, False),
        ({"error": ["x"]}, False),
    ],
)
def test_healthy_is_health_ok_or_absent_and_no_error(entry: Any, healthy: bool) -> None:
    found = count("flowmusic", {}, {ONE: {"maxJobs": 3, **entry}})
    assert found.accounts[0].healthy == healthy
    assert (found.accounts[0].reason is None) == healthy
    assert totals(found) == ((1, 3) if healthy else (0, 0))


# --- Whatever comes -------------------------------------------------------------------------------


IDS = [ONE, TWO, "c@d.e", "f@g.h"]
STATES = list(product(range(6), range(7), ["OK", "OK", "signed out"]))


def linked_accounts(ids: Sequence[str], states: list[tuple[int, int, str]]) -> list[LinkedAccount]:
    return [
        LinkedAccount(id_, max_jobs=limit, running=running, health=health)
        for id_, (limit, running, health) in zip(ids, states, strict=False)
    ]


def linked(*, at_least: int) -> st.SearchStrategy[list[LinkedAccount]]:
    """Up to four accounts in any order and any states: one draw for the order, one a state."""
    states = st.lists(st.sampled_from(STATES), min_size=at_least, max_size=len(IDS))
    return st.builds(linked_accounts, st.sampled_from(list(permutations(IDS))), states)


LINKED, SOME_LINKED = linked(at_least=0), linked(at_least=1)


def at_the_sandbox(service: str, linked: list[LinkedAccount]) -> list[Any]:
    """What the endpoints of a service answer, as the sandbox writes it."""
    answers = [
        live_answer(endpoint.path.partition("?")[0], linked)
        for endpoint in live_service(service, 1).live
    ]
    return [
        each.body if each.status == 200 else Answer(each.status, body=b"none") for each in answers
    ]


@pytest.mark.parametrize("service", LIVE)
def test_the_ids_of_both_lists_of_a_service_match(service: str) -> None:
    ids = list(ACCOUNTS[service])
    live, *listed = at_the_sandbox(service, [LinkedAccount(each, running=1) for each in ids])
    found = count(service, live, *[ACCOUNTS[service]] * len(listed), jobs_per_account=3)
    assert sorted(account.id for account in found.accounts) == sorted(ids), "no account is two"
    assert [account.running for account in found.accounts] == [1, 1]


ODD = evenly(
    JSON,
    st.sampled_from([ONE, {ONE: {}}, [ONE], {"email": ONE}, {"quarantine": [ONE]}, -1, 2]),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a body, as a container and a key."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@st.composite
def odd_bodies(draw: st.DrawFn, service: str) -> list[Any]:
    """What the endpoints of a service answer, with anything at all in some places."""
    bodies = json.loads(json.dumps([*map(as_json, at_the_sandbox(service, draw(LINKED)))]))
    for _ in range(draw(st.integers(0, 3))):
        spots = list(places(bodies))
        container, key = spots[draw(st.integers(0, len(spots) - 1))]
        container[key] = json.loads(json.dumps(draw(ODD)))  # a copy, as places are written to
    return bodies


def as_json(body: Any) -> Any:
    return {} if isinstance(body, Answer) else body


# Made once: to make a strategy costs more than to draw from it.
BODIES_OF = {
    service.slug: odd_bodies(service.slug) | st.tuples(*[JSON] * len(service.live))
    for service in CATALOGUE
    if service.live
}


@pytest.mark.parametrize("service", LIVE)
@given(data=st.data(), own=st.none() | st.integers(1, 4))
def test_any_json_is_a_capacity_or_a_response_error(
    service: str, data: st.DataObject, own: int | None
) -> None:
    bodies = data.draw(BODIES_OF[service])
    try:
        found = count(service, *bodies, jobs_per_account=own)
    except UseApiResponseError as e:
        assert not e.permanent
        return
    assert found.known == (found.free_job_slots is not None) == (found.free_accounts is not None)
    for account in found.accounts:
        assert account.free is None or account.free >= 0
        assert account.healthy or account.free == 0
    json.dumps(found.to_dict(), allow_nan=False).encode()
    hash(found)


@pytest.mark.parametrize("service", LIVE)
@given(linked=LINKED, own=st.integers(1, 4), stated=st.booleans())
def test_what_is_counted_is_what_there_is(
    service: str, linked: list[LinkedAccount], own: int, stated: bool
) -> None:
    limited = service in LIMITED
    own_limit = own if stated or not limited else None

    def free(account: LinkedAccount) -> int:
        limits = ([account.max_jobs] if limited else []) + ([own_limit] if own_limit else [])
        return max(0, min(limits) - account.running) if account.is_healthy else 0

    found = count(service, *at_the_sandbox(service, linked), jobs_per_account=own_limit)
    assert found.free_job_slots == sum(map(free, linked))
    assert found.free_accounts == sum(1 for account in linked if free(account))


@pytest.mark.parametrize("service", LIVE)
@given(linked=SOME_LINKED, own=st.none() | st.integers(1, 4), which=st.integers(0, 11))
def test_one_more_running_job_never_frees_anything(
    service: str, linked: list[LinkedAccount], own: int | None, which: int
) -> None:
    before = count(service, *at_the_sandbox(service, linked), jobs_per_account=own)
    linked[which % len(linked)].running += 1
    after = count(service, *at_the_sandbox(service, linked), jobs_per_account=own)
    for old, new in zip(totals(before), totals(after), strict=True):
        assert (new or 0) <= (old or 0)


@pytest.mark.parametrize("odd", [None, "many", 1.5, True, [], {}], ids=repr)
@pytest.mark.parametrize("service", LIVE)
def test_what_is_unknown_never_becomes_a_number(service: str, odd: object) -> None:
    own = None if service in LIMITED else 2
    bodies = at_the_sandbox(service, [LinkedAccount(ONE, running=1), LinkedAccount(TWO)])
    assert count(service, *bodies, jobs_per_account=own).known
    numbers = ("maxJobs", "running", "executing", "available", "total")
    garbled = [
        (place, key)
        for place, key in places(bodies)
        if key in numbers and not isinstance(place[key], dict | list)
    ]
    assert garbled
    for place, key in garbled:
        place[key] = odd
    found = count(service, *bodies, jobs_per_account=own)
    assert totals(found) == (None, None)
    assert all(account.free is None for account in found.accounts if account.running is None)
