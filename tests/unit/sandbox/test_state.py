"""What the sandbox serves, and how a test changes it: the account, scripts, timers."""

from __future__ import annotations

import json
import time

import pytest

from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from tests.helpers.clock import MovableClock
from tests.helpers.sandbox_client import PATH, get, served, wait_until

KLING = "/v1/kling/scheduler/available"
HEALTHY = LinkedAccount("a@b.c", max_jobs=4, running=1)
BROKEN = LinkedAccount("j@k.l", max_jobs=3, health="signed out")

# The account


def test_the_account_can_be_changed_at_any_time(sandbox: Sandbox) -> None:
    sandbox.account["subscriptions"] = 7
    assert json.loads(get(sandbox)[2])["subscriptions"] == 7
    sandbox.account = {}
    assert get(sandbox)[2] == b"{}"
    assert Sandbox().account["subscriptions"] == 1  # each sandbox has an account of its own


def test_a_renewed_token_counts_from_the_next_request_on(sandbox: Sandbox) -> None:
    old = f"Bearer {sandbox.token}"
    sandbox.token = "user:12345-renewed"
    assert get(sandbox, authorization=old)[0] == 401
    assert get(sandbox, authorization="Bearer user:12345-renewed")[0] == 200


def test_link_sets_the_accounts_of_a_service_in_both_places(sandbox: Sandbox) -> None:
    sandbox.link("Kling AI API", HEALTHY, BROKEN)
    sandbox.link("runwayml", HEALTHY)
    sandbox.link("Brand New API", HEALTHY)
    assert sandbox.capacity["kling"] == [HEALTHY, BROKEN]
    assert sandbox.account["accounts"]["Kling API"] == {"total": 2, "active": 1, "error": 1}
    assert sandbox.account["accounts"]["Runway AP"] == {"total": 1, "active": 1, "error": 0}
    assert sandbox.account["accounts"]["Brand New API"]["total"] == 1
    assert "Runway API" not in sandbox.account["accounts"]


# Timers


def test_the_subscription_becomes_active_after_inactive_for(clock: MovableClock) -> None:
    with Sandbox(inactive_for=3600) as s:
        assert json.loads(get(s)[2]) == {**s.account, "subscriptionIsActive": False}
        clock.sleep(3590)
        assert json.loads(get(s)[2])["subscriptionIsActive"] is False
        clock.sleep(10)
        assert json.loads(get(s)[2])["subscriptionIsActive"] is True
        s.account["subscriptionIsActive"] = False
        assert json.loads(get(s)[2])["subscriptionIsActive"] is False


@pytest.mark.real_time
def test_every_job_slot_is_taken_for_as_long_as_busy_for() -> None:
    with Sandbox(busy_for=0.5) as s:
        started = time.monotonic()
        assert served(s, KLING)["available"] == []
        assert [s.capacity["kling"][n].running for n in (0, 1)] == [0, 1], "left as they were set"
        wait_until(lambda: served(s, KLING)["available"])
        assert time.monotonic() - started > 0.4


# Scripts


def test_a_script_is_played_in_order_and_then_it_is_normal_service_again(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 503, {"status": 429, "headers": {"Retry-After": "5"}})
    sandbox.script(PATH, Answer(status=596))
    sandbox.script("/v1/other", 418)

    answers = [get(sandbox) for _ in range(4)]

    assert [status for status, _, _ in answers] == [503, 429, 596, 200]
    assert answers[1][1]["Retry-After"] == "5"
    assert [json.loads(get(sandbox, "/v1/other")[2])["code"] for _ in range(2)] == [418, 404]
    assert [request.status for request in sandbox.requests] == [503, 429, 596, 200, 418, 404]


def test_a_script_comes_before_authorization_method_and_route(sandbox: Sandbox) -> None:
    sandbox.script(PATH, 200)
    assert json.loads(get(sandbox, authorization=None)[2]) == sandbox.account
    sandbox.script("/nope", 204)
    assert get(sandbox, "/nope", method="DELETE", authorization=None)[::2] == (204, b"")


@pytest.mark.parametrize("path", ["v2/account", "http://127.0.0.1/v2/account", "/v2/account?a=1"])
def test_a_script_for_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match='such as "/v2/account"'):
        Sandbox().script(path, 503)


def test_a_refused_script_leaves_nothing_behind(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError):
        sandbox.script(PATH, 503, "oops")  # type: ignore[arg-type]
    assert get(sandbox)[0] == 200
