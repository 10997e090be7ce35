"""What an error says of an answer, in words that a user of HTTP knows."""

from __future__ import annotations

import pytest

from airflow_provider_useapi.api.responses import Answer, read_account
from airflow_provider_useapi.exceptions import UseApiError

PAGE = b"<html>Blocked</html>"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(102), "102, an interim status without a final response."),
        (Answer(200, body=PAGE), "200, but the body is not JSON: <html>Blocked</html>"),
        (Answer(200, body=b"[]"), "200, but the body is not a JSON object."),
        (Answer(200, flaw="cut off"), "200, but the body is cut off."),
        (Answer(200, flaw="late", timed_out=True), "200, but the body did not arrive in time."),
        (Answer(204), "204, an unexpected status."),
        (
            Answer(302),
            "302, a redirect, which is never followed (check the connection's host).",
        ),
        (
            Answer(401, body=b"{}"),
            "401, the API token was refused (is the password the whole token?).",
        ),
        (Answer(403, body=b"{}"), "403, the API token was refused."),
        (
            Answer(403, body=PAGE),
            "403, the response came from a proxy or CDN, not from useapi.net: <html>Blocked</html>",
        ),
        (Answer(404, body=b'{"error": "Not found"}'), "404, the request was refused: Not found"),
        (Answer(408), "408, the request timed out at the server."),
        (Answer(429, body=b'{"error": "slow down"}'), "429, rate limited or busy: slow down"),
        (Answer(503), "503, server error."),
        (Answer(596), "596, a linked account cannot be used."),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
)
def test_an_error_says_what_the_status_means(answer: Answer, says: str) -> None:
    with pytest.raises(UseApiError) as refused:
        read_account(answer, conn_id="mine")
    assert str(refused.value) == f"Connection 'mine': GET /v2/account was answered with {says}"
