"""
What an answer means: the one table that worker and triggerer share.

A transport turns whatever comes over the wire into an :class:`Answer`; :func:`read_account` turns
that into an account or the one exception that fits, and :func:`error_of` knows the exception for
every other endpoint too. Pure and total: any status, any bytes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.retry_after import retry_after, unbelieved
from airflow_provider_useapi.exceptions import (
    UseApiAuthError,
    UseApiError,
    UseApiRequestError,
    UseApiResponseError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.redaction import mask_secrets, public_text

ACCOUNT_PATH = "/v2/account"
MAX_BODY = 1024 * 1024
"""The longest body that is read, in bytes."""

LAPSED = "Payment required"
"""What a 402 means when it does not say so."""

NOT_JSON = object()


@dataclass(frozen=True)
class Answer:
    """
    What a transport received.

    :param status: the final HTTP status.
    :param headers: the headers, names in lower case.
    :param body: the body, or the part of it that came.
    :param flaw: why the body is not whole ("cut off", "larger than 1 MiB"); empty if it is.
    :param timed_out: the time was up before the body was whole.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    flaw: str = ""
    timed_out: bool = False


def read_account(
    answer: Answer, *, conn_id: str, secrets: Collection[str] = (), now: datetime | None = None
) -> Account:
    """
    The account that an answer to ``GET /v2/account`` holds.

    :param answer: what the transport received.
    :param conn_id: the Airflow connection that was used, for messages.
    :param secrets: what must not stand in a message.
    :param now: the present, to count ``Retry-After`` from.
    :raises UseApiAuthError: the API token was refused.
    :raises UseApiRequestError: refused for good: any redirect, most 4xx, and 596.
    :raises UseApiUnavailableError: 408, 429, 5xx, or the time was up.
    :raises UseApiResponseError: not an answer of the API.
    """
    body = json_of(answer)
    if answer.status == 200 and isinstance(body, dict):
        return _without_secrets(Account.from_json(body), secrets)
    if answer.status == 402:
        # Same outcome as subscriptionIsActive: false, whichever of the two the API sends.
        lapsed = Account.from_json(body if isinstance(body, dict) else {})
        lapsed = _without_secrets(lapsed, secrets)
        said = lapsed.error or LAPSED
        return replace(lapsed, subscription_is_active=False, error=said)
    said = public_text(words_of(body) or _page(answer), secrets)
    raise error_of(ACCOUNT_PATH, answer, said, conn_id=conn_id, now=now)


def json_of(answer: Answer) -> Any:
    """The decoded body; :data:`NOT_JSON` if it is not whole or no JSON."""
    if answer.flaw:
        return NOT_JSON
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return NOT_JSON


def words_of(body: object) -> str:
    """The API's own words, as ``{"error": text}`` or ``{"error": {"message": text}}``."""
    error = body.get("error") if isinstance(body, dict) else None
    words = error.get("message") if isinstance(error, dict) else error
    return words if isinstance(words, str) else ""


def is_unknown_path(answer: Answer, body: object) -> bool:
    """
    Whether the API knows nothing under the path that was asked for.

    Only the other 404s say that no account is configured.

    :param body: the decoded one.
    """
    if answer.status != 404:
        return False
    has_hint = isinstance(body, dict) and "hint" in body
    return has_hint or b"endpoint not found" in answer.body[:1000].lower()


def error_of(
    path: str, answer: Answer, said: str, *, conn_id: str, now: datetime | None
) -> UseApiError:
    """
    The exception for an answer that holds nothing of use.

    :param path: what was asked.
    :param said: the API's own words, fit to be shown.
    """
    body = json_of(answer)
    kind, means = _classify(answer, body)
    message = f"Connection {conn_id!r}: GET {path} was answered with {answer.status}, {means}"
    wait = (answer.headers.get("retry-after"), body if isinstance(body, dict) else {})
    moment = now or clock.now()
    if unbelieved(*wait, moment):
        message += ", with a Retry-After of more than 24 hours, which is ignored"
    return kind(
        f"{message}{f': {said}' if said else '.'}",
        status_code=answer.status,
        retry_after=retry_after(*wait, moment),
    )


def _without_secrets(account: Account, secrets: Collection[str]) -> Account:
    """Keep tokens out of the account itself: Airflow masks neither XCom nor the task's store."""
    texts: dict[str, Any] = {
        name: mask_secrets(value, secrets)
        for name, value in vars(account).items()
        if isinstance(value, str)
    }
    return replace(account, **texts)


def _classify(answer: Answer, body: object) -> tuple[type[UseApiError], str]:
    """The class of an answer that holds nothing of use, and what it means in half a sentence."""
    status, is_json = answer.status, body is not NOT_JSON
    if status == 200:
        if answer.timed_out:
            return UseApiUnavailableError, "but the body did not arrive in time"
        unfit = "not as documented" if isinstance(body, dict) else "not a JSON object"
        flaw = answer.flaw or (unfit if is_json else "not JSON")
        return UseApiResponseError, f"but the body is {flaw}"
    if status == 403 and not is_json:
        return UseApiResponseError, _PROXY
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, _FOREIGN)


_Meaning = tuple[type[UseApiError], str]
_PROXY = "the response came from a proxy or CDN, not from useapi.net"
_FOREIGN: _Meaning = (UseApiResponseError, "an unexpected status")
_BY_STATUS: Mapping[int, _Meaning] = {
    401: (UseApiAuthError, "the API token was refused (is the password the whole token?)"),
    403: (UseApiAuthError, "the API token was refused"),
    408: (UseApiUnavailableError, "the request timed out at the server"),
    429: (UseApiUnavailableError, "rate limited or busy"),
    596: (UseApiRequestError, "a linked account cannot be used"),
}
_BY_CLASS: Mapping[int, _Meaning] = {
    1: (UseApiUnavailableError, "an interim status without a final response"),
    3: (UseApiRequestError, "a redirect, which is never followed (check the connection's host)"),
    4: (UseApiRequestError, "the request was refused"),
    5: (UseApiUnavailableError, "server error"),
}


def _page(answer: Answer) -> str:
    """A body that may be shown as it is: the page of a proxy or CDN."""
    text = answer.body.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    # What starts like JSON may be half an account: a name, half an address.
    return "" if answer.flaw or text.startswith(("{", "[", '"')) else text
