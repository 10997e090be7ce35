"""Airflow's connections as its secrets backends tell them, for those who read one often."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from airflow_provider_useapi.compat import READS_DATABASE_AS_BACKEND, ask_supervisor, in_thread


async def glance_at(conn_id: str) -> Any:
    """
    A connection whose secrets are not masked yet; ``None`` if that is not to be had.

    Airflow's own reader has them masked each time anew, with up to four messages to the triggerer's
    supervisor, and each of them makes that ask the database for all that it asks in a turn.
    Whatever is out of the ordinary is left to that reader.
    """
    with suppress(Exception):
        if READS_DATABASE_AS_BACKEND:
            return await ask_supervisor(_first_found(conn_id))
    return None


async def amask(secrets: list[Any]) -> None:
    """
    Keep secrets out of all logs; a supervisor is told of them in one message.

    :param secrets: texts, and objects of which Airflow masks what has a telling name.
    """
    try:
        from airflow.sdk.log import amask_secret  # 3.3.2
    except ImportError:
        from airflow.providers.common.compat.sdk import mask_secret

        await in_thread(mask_secret, secrets)
    else:
        await amask_secret(secrets)


async def _first_found(conn_id: str) -> Any:
    """What the first backend says that has the connection; the order is Airflow's."""
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded
    from asgiref.sync import sync_to_async

    for backend in ensure_secrets_backend_loaded():
        ask = getattr(backend, "aget_connection", None) or sync_to_async(backend.get_connection)
        try:
            found = await ask(conn_id)
        except PermissionError:  # so it is denied, and the next one is not to be asked
            return None
        except Exception:  # noqa: BLE001, S112 - it is away, or does not have it
            continue
        if found:
            return found
    return None
