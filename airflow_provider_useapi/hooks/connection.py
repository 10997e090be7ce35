"""From an Airflow connection to our settings, for workers and for event loops."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_useapi.compat import ask_supervisor
from airflow_provider_useapi.compat.connections import amask, glance_at
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

_FIELDS = ("host", "port", "schema", "login", "password", "extra")


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
    from airflow.providers.common.compat.sdk import mask_secret

    settings = _or_raise(_found(hook))
    # At once: a supervisor is told of it in one message.
    mask_secret(_forms(settings.secrets))
    return settings


async def asettings_of(hook: ConnectionReader) -> Settings:
    """
    :func:`settings_of` for an event loop.

    :raises UseApiError: as :func:`settings_of`.
    """
    settings = _or_raise(await _afound(hook))
    await amask(_forms(settings.secrets))
    return settings


@dataclass(frozen=True)
class Reading:
    """
    A connection as it was read, with its secrets masked.

    :param fields: what Airflow told of it.
    :param settings: what that means.
    """

    fields: tuple[Any, ...] = field(repr=False)
    settings: Settings


async def aread(hook: ConnectionReader, known: Reading | None = None) -> Reading:
    """
    The connection of a hook as it is now, for those who read it again and again.

    It is read as Airflow reads it, and not as a user's subclass of the hook may.

    :param known: what was read before. Its settings come back as they are while nothing has
        changed: then nothing is masked anew, which a supervisor would have to be told.
    :raises UseApiError: as :func:`settings_of`.
    """
    reading = _or_raise(await _aread(hook, known))
    if not known or reading.settings is not known.settings:
        await amask(_forms(reading.settings.secrets))
    return reading


# The password is in the locals of these, which some tools print with a traceback: so an error is
# returned, without one.


def _found(hook: ConnectionReader) -> Settings | UseApiError:
    try:
        connection = hook.get_connection(hook.useapi_conn_id)
        extra = connection.extra_dejson
    except Exception as e:  # noqa: BLE001 - a secrets backend raises what it likes
        return _unreadable(hook.useapi_conn_id, e)
    return _read(hook, connection, extra)


async def _afound(hook: ConnectionReader) -> Settings | UseApiError:
    told = await _told(hook)
    return told if isinstance(told, UseApiError) else _read(hook, *told)


async def _aread(hook: ConnectionReader, known: Reading | None) -> Reading | UseApiError:
    connection = await glance_at(hook.useapi_conn_id)
    extra = _extra_of(connection)
    if connection is None or extra is None:
        told = await _told(hook)
        if isinstance(told, UseApiError):
            return told
        connection, extra = told
    elif not known or _fields(connection) != known.fields:
        await amask([*filter(None, (connection.password, connection.extra)), extra])
    settings = _read(hook, connection, extra, known.settings if known else None)
    if isinstance(settings, UseApiError):
        return settings
    return Reading(_fields(connection), settings)


async def _told(hook: ConnectionReader) -> tuple[Any, object] | UseApiError:
    """A connection and its extra as the hook reads them; Airflow masks what it knows of secrets."""
    from airflow.providers.common.compat.connection import (
        get_async_connection,
        get_async_extra_dejson,
    )

    try:
        question = get_async_connection(hook.useapi_conn_id, hook=cast(Any, hook))
        connection = await ask_supervisor(question)
        return connection, await ask_supervisor(get_async_extra_dejson(connection))
    except Exception as e:  # noqa: BLE001 - a secrets backend raises what it likes
        return _unreadable(hook.useapi_conn_id, e)


def _extra_of(connection: Any) -> object:
    """The extra of a connection; ``None`` if it cannot be read."""
    try:
        return json.loads(connection.extra) if connection.extra else {}
    except (AttributeError, TypeError, ValueError):
        return None


def _fields(connection: Any) -> tuple[Any, ...]:
    return tuple(getattr(connection, name) for name in _FIELDS)


def _or_raise(found: T | UseApiError) -> T:
    if isinstance(found, UseApiError):
        raise found
    return found


def _read(
    hook: ConnectionReader, connection: Any, extra: object, known: Settings | None = None
) -> Settings | UseApiError:
    from airflow_provider_useapi.connection.settings import read_settings

    try:
        settings = read_settings(
            hook.useapi_conn_id,
            host=connection.host,
            port=connection.port,
            schema=connection.schema,
            login=connection.login,
            password=connection.password,
            extra=extra if isinstance(extra, dict) else {},
        )
    except UseApiError as e:
        return e.with_traceback(None)
    if settings == known:
        return known
    for warning in settings.warnings:
        hook.log.warning("%s", warning)
    return settings


def _forms(secrets: Iterable[str]) -> list[Any]:
    """Secrets in every form, for all logs."""
    from airflow_provider_useapi.redaction import secret_forms

    return [form for secret in secrets for form in secret_forms(secret)]


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
