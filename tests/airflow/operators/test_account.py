from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiConnectionNotFoundError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.operators.useapi import UseApiAccountOperator
from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.clock import MovableClock

PATH = "/v2/account"


def account(**arguments: Any) -> dict[str, Any]:
    return UseApiAccountOperator(task_id="account", **arguments).execute({})


def test_it_returns_the_documented_fields_and_the_services(sandbox: Sandbox) -> None:
    sandbox.account["replyUrl"] = "https://hook.example/secret"
    sandbox.account["somethingNew"] = "private"
    values = account()
    assert (values["email"], values["name"], values["replyUrl"]) == ("***", "***", "***")
    assert "somethingNew" not in values
    assert values["subscriptionIsActive"] is True
    assert values["services"]["runwayml"] == {
        "name": "Runway AP",
        "total": 1,
        "active": 1,
        "error": 0,
        "allocations_left": 2,
    }
    assert account(redact=["id"])["replyUrl"] == "https://hook.example/secret"
    assert account(redact=())["id"] == 12345


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (401, "the API token was refused"),
        (404, "the request was refused"),
        (596, "a linked account cannot be used"),
    ],
)
def test_a_permanent_error_is_not_retried(sandbox: Sandbox, answer: int, message: str) -> None:
    sandbox.script(PATH, answer)
    with pytest.raises(AirflowFailException, match=message):
        account()
    assert len(sandbox.requests) == 1


def test_a_transient_error_is_left_to_the_retries_of_the_task(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = sandbox.connection_uri(max_attempts=2)
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", uri)
    sandbox.script(PATH, 503, 503)
    with pytest.raises(UseApiUnavailableError):
        account()
    assert len(sandbox.requests) == 2


def test_a_connection_that_is_not_found_is_for_the_retries_of_the_task() -> None:
    with pytest.raises(UseApiConnectionNotFoundError, match="'missing' is not defined"):
        UseApiAccountOperator(task_id="account", useapi_conn_id="missing", retries=3).execute({})


@pytest.mark.parametrize("answer", [Answer(status=402), Answer(body={"error": "a@b.c must pay"})])
def test_an_inactive_subscription_fails_where_it_must_be_active(
    sandbox: Sandbox, answer: Answer
) -> None:
    sandbox.script(PATH, answer, answer)
    assert account()["subscriptionIsActive"] is False
    with pytest.raises(AirflowFailException, match="the subscription is not active") as failed:
        account(require_active_subscription=True)
    assert "a@b.c" not in str(failed.value)


@pytest.mark.parametrize("status", [200, 402])
def test_a_token_that_the_api_repeats_is_not_stored(sandbox: Sandbox, status: int) -> None:
    said = f"{sandbox.token} of a@b.c must pay"
    sandbox.script(PATH, Answer(status=status, body={"error": said}))
    assert account()["error"] == "*** of *** must pay"


@pytest.mark.parametrize(
    ("redact", "message"), [(["e-mail"], "did you mean 'email'"), ("email", r"redact=\['email'\]")]
)
def test_a_name_that_redacts_nothing_is_an_error_in_the_dag_file(redact: Any, message: str) -> None:
    with pytest.raises(UseApiConfigError, match=message):
        UseApiAccountOperator(task_id="account", redact=redact)


def test_the_template_fields() -> None:
    assert "useapi_conn_id" in UseApiAccountOperator.template_fields
