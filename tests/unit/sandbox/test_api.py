"""What useapi.net itself would say: the account, and the bodies of its errors."""

from __future__ import annotations

import json

import pytest

from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.bodies import DOCUMENTED
from tests.helpers.sandbox_client import get, play


def test_it_serves_the_documented_account(sandbox: Sandbox) -> None:
    status, headers, body = get(sandbox)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {**DOCUMENTED, "email": "user@example.com"}


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer user:12345-other",
        "bearer user:12345-sandbox",
        "Bearer  user:12345-sandbox",
        "user:12345-sandbox",
        "Bearer user%3A12345-sandbox",
    ],
)
def test_any_other_authorization_is_refused(sandbox: Sandbox, authorization: str | None) -> None:
    status, _, body = get(sandbox, authorization=authorization)
    assert (status, body) == (401, b'{"error":"Unauthorized","code":401}')
    assert [request.authorized for request in sandbox.requests] == [False]


def test_an_unknown_path_and_a_wrong_method(sandbox: Sandbox) -> None:
    status, _, body = get(sandbox, "/v2/nothing")
    assert (status, json.loads(body)["error"]) == (404, "Endpoint not found")
    assert "llm_docs" in json.loads(body)["hint"]
    status, headers, body = get(sandbox, method="POST")
    assert (status, headers["Allow"], json.loads(body)["code"]) == (405, "GET", 405)


@pytest.mark.parametrize(
    ("status", "line", "error"),
    [
        (402, "402 Payment Required", "Account has no subscription or subscription expired"),
        (404, "404 Not Found", "Not found"),
        (429, "429 Too Many Requests", "Too Many Requests"),
        (596, "596 Unknown", "Unknown"),
    ],
)
def test_status_and_its_own_body(sandbox: Sandbox, status: int, line: str, error: str) -> None:
    head, _, body = play(sandbox, Answer(status=status)).decode().partition("\r\n\r\n")
    assert head.splitlines()[0] == f"HTTP/1.1 {line}"
    assert json.loads(body) == {"error": error, "code": status}


def test_200_without_a_body_is_the_account_only_where_it_is_served(sandbox: Sandbox) -> None:
    assert play(sandbox, Answer()).endswith(json.dumps(sandbox.account["sub"]).encode() + b"}")
    assert play(sandbox, Answer(), "/nope").endswith(b'{"error":"OK","code":200}')
