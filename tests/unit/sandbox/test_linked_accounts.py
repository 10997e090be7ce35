"""Linked accounts at the sandbox: credits, captchas, bad days, and what has a side effect."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox
from tests.helpers.account_bodies import ACCOUNTS, CREDITS
from tests.helpers.sandbox_client import get, served

A, B = "a+1@b.c", "d@e.f"
PAGES = {
    service.slug: service.credits for service in CATALOGUE if service.credits and service.accounts
}


def shape(value: Any) -> Any:
    """The keys of a documented body that the sandbox has as well."""
    return set(value) if isinstance(value, dict) else type(value)


@pytest.mark.parametrize("service", ACCOUNTS)
def test_a_list_has_the_fields_that_are_documented(sandbox: Sandbox, service: str) -> None:
    entry = next(each for each in CATALOGUE if each.slug == service)
    assert entry.accounts is not None
    body = served(sandbox, entry.accounts.path)
    first, documented = next(iter(body.values())), next(iter(ACCOUNTS[service].values()))
    assert shape(documented) <= shape(first) | {"cookies"}


@pytest.mark.parametrize("service", [slug for slug, page in PAGES.items() if page.is_per_account])
def test_a_page_of_credits_is_that_of_one_account(sandbox: Sandbox, service: str) -> None:
    sandbox.link(service, LinkedAccount(A, credits=7), LinkedAccount(B, credits=9))
    page = PAGES[service]
    bodies = [served(sandbox, page.path_of(account)) for account in (A, B)]
    assert [shape(CREDITS[service]) & shape(body) for body in bodies] == [
        shape(CREDITS[service]) & shape(bodies[0])
    ] * 2
    assert "7" in json.dumps(bodies[0]) and bodies[0] != bodies[1]
    assert get(sandbox, page.path_of("nobody@b.c"))[0] == 404
    bare = page.path.partition("?")[0]
    if bare != page.path:
        assert get(sandbox, bare)[0] == 400, "which account is required with several"
        sandbox.link(service, LinkedAccount(A, credits=None, expires=None))
        assert served(sandbox, bare)
        sandbox.link(service)
        assert get(sandbox, bare)[0] == 404
    assert get(sandbox, page.path_of(A), method="POST")[0] in (404, 405)


def test_a_request_is_recorded_with_its_query(sandbox: Sandbox) -> None:
    get(sandbox, f"/v1/runwayml/features/?email={quote(A)}")
    request = sandbox.requests[-1]
    assert (request.path, request.query) == ("/v1/runwayml/features/", f"email={quote(A)}")


def test_what_has_a_side_effect_has_it_here(sandbox: Sandbox) -> None:
    account = sandbox.capacity["dreamina"][0]
    page = f"/v1/dreamina/accounts/{quote(account.id)}"
    assert served(sandbox, page)["credits"]["total"] == 1060
    assert served(sandbox, page)["credits"]["total"] == 1060
    assert account.has_claimed
    account = sandbox.capacity["muse"][0]
    served(sandbox, f"/v1/muse/accounts/{account.id}")
    assert account.codes_mailed == 1
    assert get(sandbox, "/v1/tempolor/accounts/x")[0] == 404


def test_captchas(sandbox: Sandbox) -> None:
    path = "/v1/google-flow/accounts/captcha-providers"
    assert served(sandbox, path) == {"CapSolver": "CAP-***-7f"}
    sandbox.captcha = {"freeCaptchaCredits": 2}
    assert served(sandbox, path) == {"freeCaptchaCredits": 2}


def test_a_bad_day(sandbox: Sandbox) -> None:
    sandbox.break_down()
    for service, accounts in sandbox.capacity.items():
        first, second = accounts
        assert (first.is_healthy, second.is_healthy) == (False, True), service
        assert first.credits == 20
    kling = served(sandbox, "/v2/account")["accounts"]["Kling API"]
    assert kling == {"total": 2, "active": 1, "error": 1}
    assert "Session expired" in json.dumps(served(sandbox, "/v1/kling/accounts"))
    assert served(sandbox, "/v1/google-flow/accounts/captcha-providers") == {}
