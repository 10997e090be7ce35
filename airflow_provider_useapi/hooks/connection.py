"""From an Airflow connection to our settings, for workers and for event loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiConnectionNotFoundError,
    UseApiError,
    UseApiUnavailableError,
)

if TYPE_CHECKING:
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.transport.sync_client import SyncClient

T = TypeVar("T")


class ConnectionReader(Protocol):
    """A hook, as far as it reads its connection: a user's subclass may do that in its own way."""

    useapi_conn_id: str

    def get_connection(self, conn_id: str) -> Any:
        """The Airflow connection."""

    @property
    def log(self) -> Any:
        """Where to warn of what its owner should mend."""


class Asker(ConnectionReader, Protocol):
    """A hook, as far as it makes requests with the connection that it has read."""

    @property
    def client(self) -> SyncClient:
        """What makes them, kept."""

    @property
    def settings(self) -> Settings | None:
        """The connection as it was used last."""

    def ask(self, path: str, read: Callable[..., T]) -> T:
        """One request, and what its answer means."""

    def reread(self) -> Settings:
        """Read the connection again, and use it from now on."""


def settings_of(hook: ConnectionReader) -> Settings:
    """
    The connection of a hook as it is now; its secrets are masked in every log from here on.

    :raises UseApiConfigError: if the connection cannot be used.
    :raises UseApiUnavailableError: if it cannot be read at the moment.
    """
    try:
        connection = hook.get_connection(hook.useapi_conn_id)
        extra = connection.extra_dejson
    except Exception as e:  # noqa: BLE001 - a secrets backend raises what it likes
        raise _unreadable(hook.useapi_conn_id, e) from None
    settings = _read(hook, connection, extra)
    _mask(settings.secrets)
    return settings


async def asettings_of(hook: ConnectionReader, known: Settings | None = None) -> Settings:
    """
    :func:`settings_of` for an event loop.

    :param known: what was read before. It comes back as it is while nothing has changed, which
        saves the work of masking again.
    :raises UseApiError: as :func:`settings_of`.
    """
    from airflow.providers.common.compat.connection import (
        get_async_connection,
        get_async_extra_dejson,
    )
    from asgiref.sync import sync_to_async

    try:
        connection = await get_async_connection(hook.useapi_conn_id, hook=cast(Any, hook))
        extra = await get_async_extra_dejson(connection)
    except Exception as e:  # noqa: BLE001 - a secrets backend raises what it likes
        raise _unreadable(hook.useapi_conn_id, e) from None
    settings = _read(hook, connection, extra, known)
    if settings is not known:
        # In a thread: it waits for the supervisor, and only 3.3.2 has an asynchronous one. Not in
        # any: before 3.3 it comes back to this loop, or what is answered there is never taken.
        await sync_to_async(_mask)(settings.secrets)
    return settings


def _read(
    hook: ConnectionReader, connection: Any, extra: object, known: Settings | None = None
) -> Settings:
    from airflow_provider_useapi.connection.settings import read_settings

    settings = read_settings(
        hook.useapi_conn_id,
        host=connection.host,
        port=connection.port,
        schema=connection.schema,
        login=connection.login,
        password=connection.password,
        extra=extra if isinstance(extra, dict) else {},
    )
    if settings == known:
        return known
    for warning in settings.warnings:
        hook.log.warning("%s", warning)
    return settings


def _mask(secrets: Iterable[str]) -> None:
    """Keep secrets, in every form, out of all task logs."""
    from airflow.providers.common.compat.sdk import mask_secret

    from airflow_provider_useapi.redaction import secret_forms

    for secret in secrets:
        for form in secret_forms(secret):
            mask_secret(form)


def _unreadable(conn_id: str, error: Exception) -> UseApiError:
    if isinstance(error, AirflowNotFoundException):
        return UseApiConnectionNotFoundError(
            f"Connection {conn_id!r} is not defined, or Airflow cannot read it; add one of type"
            f" {fields.CONN_TYPE!r} whose password is the API token."
        )
    # The text of the error may hold a secret.
    said = f"Connection {conn_id!r} cannot be read: {type(error).__name__}"
    if isinstance(error, (ValueError, TypeError)):
        return UseApiConfigError(f"{said}; write it as a URI or as JSON.")
    return UseApiUnavailableError(
        f"{said}; the secrets backend or the metadata database cannot be reached."
    )
