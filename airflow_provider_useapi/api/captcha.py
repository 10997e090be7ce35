"""Whether Google Flow can solve captchas: without that, every job that needs one fails."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from airflow_provider_useapi.api.json_values import count
from airflow_provider_useapi.api.responses import Answer, error_of, json_of, words_of
from airflow_provider_useapi.redaction import public_text

SERVICE = "google-flow"
PATH = "/v1/google-flow/accounts/captcha-providers"
_FREE = "freeCaptchaCredits"


def read_has_captchas(
    answer: Answer, *, conn_id: str, secrets: Collection[str] = (), now: datetime | None = None
) -> bool:
    """
    Whether there is a captcha provider, or a free solve left.

    The answer holds masked keys of providers; all that is taken from it is how many there are.

    :param answer: what the transport received.
    :param conn_id: the Airflow connection that was used, for messages.
    :param secrets: what must not stand in a message.
    :param now: the present, to count ``Retry-After`` from.
    :raises UseApiError: as :func:`airflow_provider_useapi.api.responses.read_account`.
    """
    body = json_of(answer)
    said = public_text(words_of(body), secrets)
    free = body.get(_FREE, 0) if isinstance(body, dict) and "error" not in body else None
    if answer.status != 200 or count(free) is None:
        raise error_of(PATH, answer, said, conn_id=conn_id, now=now)
    return count(free) != 0 or any(held for provider, held in body.items() if provider != _FREE)
