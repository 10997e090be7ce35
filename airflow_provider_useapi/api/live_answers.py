"""
What an answer of a live endpoint tells of linked accounts: rows, or an error.

The rows of each dialect are read by :mod:`airflow_provider_useapi.api.live_readers`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from airflow_provider_useapi.api.endpoints import Endpoint
from airflow_provider_useapi.api.health import public_reason
from airflow_provider_useapi.api.live_readers import READERS, Row, Rows
from airflow_provider_useapi.api.responses import (
    LAPSED,
    NOT_JSON,
    Answer,
    error_of,
    is_unknown_path,
    json_of,
    words_of,
)
from airflow_provider_useapi.redaction import public_text


def read_rows(
    endpoint: Endpoint,
    answer: Answer,
    *,
    conn_id: str,
    secrets: Collection[str] = (),
    now: datetime | None = None,
) -> Rows:
    """
    What an answer of a live endpoint tells of the linked accounts, and nothing else of it.

    Some of these bodies hold passwords, cookies and tokens. Ids, limits, running counts and health
    get past here; an exception quotes the API's ``error`` and no other part of the body.

    :param endpoint: what was asked.
    :param answer: what the transport received.
    :param conn_id: the Airflow connection that was used, for messages.
    :param secrets: what must not stand in a message.
    :param now: the present, to count ``Retry-After`` from.
    :return: the rows; ``refused`` is set where the API asks for payment (402).
    :raises UseApiError: as :func:`airflow_provider_useapi.api.responses.read_account`.
    """
    body = json_of(answer)
    said = public_text(words_of(body), secrets)
    if answer.status == 402:
        return Rows(refused=said or LAPSED)
    if answer.status in endpoint.none_on and not is_unknown_path(answer, body):
        return Rows(none_configured=True)
    # Otherwise an error that comes with a 200 would be read as an account of that name.
    if answer.status == 200 and body is not NOT_JSON and not said:
        rows = READERS[endpoint.dialect](body)
        if rows is not None:
            return replace(rows, accounts=tuple(_public(row, secrets) for row in rows.accounts))
    raise error_of(endpoint.path, answer, said, conn_id=conn_id, now=now)


def _public(row: Row, secrets: Collection[str]) -> Row:
    if row.trouble is None:
        return row
    return replace(row, trouble=public_reason(row.trouble, row.id, secrets))
