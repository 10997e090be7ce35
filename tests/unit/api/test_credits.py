"""What each service tells of the credits of an account: documented bodies, and any JSON at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.captcha import PATH, read_has_captchas
from airflow_provider_useapi.api.credits import Credits, credits_service, read_credits
from airflow_provider_useapi.api.hints import hint_of
from airflow_provider_useapi.api.responses import Answer
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
)
from tests.helpers.account_bodies import CREDITS, ONE, TOTALS, TWO
from tests.helpers.bodies import JSON

WHEN = datetime(2026, 12, 24, 12, 13, 14, tzinfo=UTC)
IDS = {"mureka": "123456789", "minimax": "11223388"}
PLANS = {
    "google-flow": "PAYGATE_TIER_TWO",
    "minimax": "Free",
    "mureka": "Monthly Pro",
    "muse": "HATCH_FREE",
    "pixverse": "Pro Plan",
    "runwayml": "pro",
}
UNNAMED = ("minimax", "pixverse", "runwayml")


def read(service: str, body: object, status: int = 200, account: str = "") -> dict[str, Credits]:
    _, page = credits_service(service)
    asked = (account or IDS.get(service, ONE)) if page.is_per_account else ""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dict(read_credits(page, asked, Answer(status, body=raw), conn_id="c"))


def only(service: str, body: object) -> Credits:
    return next(iter(read(service, body).values()))


def test_every_service_that_tells_is_documented_here() -> None:
    assert set(CREDITS) == {service.slug for service in CATALOGUE if service.credits}
    assert {s.slug for s in CATALOGUE if s.credits and s.credits.total} == {
        slug for slug, total in TOTALS.items() if total is not None
    }


@pytest.mark.parametrize("service", CREDITS)
def test_the_documented_page(service: str) -> None:
    found = only(service, CREDITS[service])
    assert found.hint == hint_of(IDS.get(service, ONE))
    assert found.total == TOTALS[service]
    assert found.plan == PLANS.get(service)
    assert found.expires == (None if service == "google-flow" else WHEN)
    assert found.unit == {"mureka": "Gold", "muse": "weekly allowance"}.get(
        service, "usage" if service == "gemini-notebook" else "credits"
    )
    assert "canary" not in repr(found) and ONE not in repr(found)


def test_no_page_with_a_side_effect_is_in_the_catalogue() -> None:
    paths = {service.slug: service.credits.path for service in CATALOGUE if service.credits}
    assert "dreamina" not in paths
    assert paths["muse"] == "/v1/muse/accounts"


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ("dreamina", "reading them claims the free daily credits"),
        ("acemusic", "no page that tells them"),
        ("luma", "gone from the vendor's catalogue"),
        ("brand new", "not in the catalogue"),
        (None, "not in the catalogue"),
    ],
)
def test_what_cannot_be_read_says_why(service: Any, why: str) -> None:
    with pytest.raises(UseApiConfigError, match=why) as refused:
        credits_service(service)
    assert "can tell: gemini-notebook, google-flow, kling" in str(refused.value)


@pytest.mark.parametrize("service", ["muse", "gemini-notebook"])
def test_a_quota_is_no_number_of_credits(service: str) -> None:
    with pytest.raises(UseApiConfigError, match=r"a quota .* which is no number of credits"):
        credits_service(service, total_needed=True)
    assert credits_service("kling", total_needed=True)[1].total


# --- Oddities -------------------------------------------------------------------------------------


def test_an_unpaid_plan_has_not_enough_however_many_it_has() -> None:
    tier = {"credits": {"credits": 50, "userPaygateTier": "PAYGATE_TIER_NOT_PAID"}}
    found = only("google-flow", tier)
    assert (found.total, found.is_unpaid, found.has(1)) == (50, True, False)
    assert only("google-flow", CREDITS["google-flow"]).has(23630)
    assert not only("google-flow", CREDITS["google-flow"]).has(23631)
    assert not Credits("x").has(0)


def test_runway_has_never_fewer_than_none() -> None:
    body = {"permitted": {"numPlanCredits": 5}, "used": {"numPlanCredits": 9}, "workspaces": 7}
    assert only("runwayml", body).total == 0


@pytest.mark.parametrize("missing", ["credit_daily", "credit_package"])
def test_a_part_that_is_not_told_makes_the_sum_unknown(missing: str) -> None:
    body = {key: value for key, value in CREDITS["pixverse"].items() if key != missing}
    assert only("pixverse", body).total is None


def test_credits_are_told_of_an_account_in_trouble_as_well() -> None:
    assert only("kling", {**CREDITS["kling"], "error": "locked"}).total == 56000


@pytest.mark.parametrize("service", [slug for slug in CREDITS if slug not in UNNAMED])
def test_an_answer_that_names_another_account_is_none(service: str) -> None:
    _, page = credits_service(service)
    if not page.is_per_account:
        return
    for keys in page.named_by:
        body = json.loads(json.dumps(CREDITS[service]))
        inner = body if len(keys) == 1 else body[keys[0]]
        for other in page.named_by:
            inner.pop(other[-1], None)
        inner[keys[-1]] = TWO
        with pytest.raises(UseApiResponseError, match="another account than was asked") as odd:
            read(service, body)
        assert ONE not in str(odd.value) and TWO not in str(odd.value)
        inner[keys[-1]] = IDS.get(service, ONE).upper()
        assert only(service, body).total == TOTALS[service]


@pytest.mark.parametrize("service", UNNAMED)
def test_what_does_not_name_its_account_is_believed(service: str) -> None:
    assert only(service, {**CREDITS[service], "email": TWO, "account": "9"}).total is not None


@pytest.mark.parametrize("service", CREDITS)
@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"no"), (596, b'{"error":"x"}'), (200, b"[]"), (200, b"<"), (503, b""), (204, b"")],
)
def test_answers_without_credits(service: str, status: int, body: bytes) -> None:
    with pytest.raises(UseApiError) as caught:
        read(service, body, status)
    assert ONE not in str(caught.value) and "%40" not in str(caught.value)
    assert caught.value.permanent is (status in (404, 596))


@pytest.mark.parametrize(
    ("service", "body"), [("muse", {"error": "x"}), ("gemini-notebook", {"accounts": []})]
)
def test_a_list_of_another_shape_is_no_answer(service: str, body: Any) -> None:
    with pytest.raises(UseApiResponseError):
        read(service, body)


@pytest.mark.parametrize("service", CREDITS)
@given(data=st.data())
def test_any_json_gives_credits_or_a_response_error(service: str, data: st.DataObject) -> None:
    body = json.loads(json.dumps(CREDITS[service]))
    inner = data.draw(st.sampled_from([body, *(v for v in body.values() if isinstance(v, dict))]))
    inner[data.draw(st.sampled_from(list(inner)))] = data.draw(JSON)
    for found in (body, data.draw(JSON)):
        try:
            answered = read(service, found)
        except UseApiResponseError:
            continue
        for each in answered.values():
            assert each.total is None or (isinstance(each.total, int) and each.total >= 0)


@pytest.mark.parametrize("odd", [None, "many", 1.5, True, [], {}, -1], ids=repr)
@pytest.mark.parametrize("service", [slug for slug, total in TOTALS.items() if total is not None])
def test_an_unknown_total_never_becomes_a_number(service: str, odd: object) -> None:
    body = json.loads(json.dumps(CREDITS[service]))
    places = {
        "google-flow": (body.get("credits"), "credits"),
        "kling": (body.get("balance"), "total"),
        "minimax": (body, "totalCredits"),
        "mureka": (body, "credits"),
        "pixverse": (body, "credit_monthly"),
        "runwayml": (body.get("used"), "numPlanCredits"),
    }
    container, key = places[service]
    container[key] = odd
    assert only(service, body).total is None


# --- Captchas of Google Flow ----------------------------------------------------------------------


def captchas(body: object, status: int = 200) -> bool:
    return read_has_captchas(Answer(status, body=json.dumps(body).encode()), conn_id="c")


@pytest.mark.parametrize(
    ("body", "there"),
    [
        ({}, False),
        ({"freeCaptchaCredits": 0}, False),
        ({"freeCaptchaCredits": 3}, True),
        ({"CapSolver": "CAP-***-12"}, True),
        ({"CapSolver": "", "2captcha": None}, False),
        ({"freeCaptchaCredits": 0, "AntiCaptcha": "x***y"}, True),
    ],
)
def test_captchas_that_can_be_solved(body: Any, there: bool) -> None:
    assert captchas(body) is there


@pytest.mark.parametrize(
    "body", [[], None, "x", {"error": "oops"}, {"error": 1}, {"freeCaptchaCredits": "many"}]
)
def test_an_odd_answer_about_captchas_is_none(body: Any) -> None:
    with pytest.raises(UseApiResponseError, match=PATH):
        captchas(body)
    with pytest.raises(UseApiRequestError):
        captchas(body, 404)
