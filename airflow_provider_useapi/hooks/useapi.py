"""The hook: useapi.net through an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_useapi import form
from airflow_provider_useapi.answers import ACCOUNT_PATH, read_account
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiError,
    UseApiUnavailableError,
)

if TYPE_CHECKING:
    import requests

    from airflow_provider_useapi.account import Account
    from airflow_provider_useapi.connection import Settings
    from airflow_provider_useapi.transports.blocking import BlockingClient


class UseApiHook(BaseHook):
    """
    Ask useapi.net about the account behind an Airflow connection.

    A hook keeps one session on one connection; ``with UseApiHook() as hook:`` closes it.

    :param useapi_conn_id: id of a connection of type ``useapi``: its password is the API token,
        its host the base URL (https://api.useapi.net when empty).
    """

    conn_name_attr = "useapi_conn_id"
    default_conn_name = form.DEFAULT_CONN_ID
    conn_type = form.CONN_TYPE
    hook_name = form.HOOK_NAME

    def __init__(self, useapi_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.useapi_conn_id = useapi_conn_id
        self._client: BlockingClient | None = None

    def get_conn(self) -> requests.Session:
        """
        The session, with the token for requests to the connection's host and to no other.

        It follows no redirect and obeys the connection's timeout, proxy and TLS settings.

        :raises UseApiConfigError: if the connection cannot be used.
        """
        return self._blocking().session

    def get_account(self) -> Account:
        """
        The account; transient errors are tried again, ``max_attempts`` times in all.

        :raises UseApiConfigError: if the connection cannot be used.
        :raises UseApiAuthError: if the token is refused.
        :raises UseApiRequestError: if the request is refused for another reason.
        :raises UseApiUnavailableError: if the API cannot be reached, or not now; ``retry_after``
            tells when it wants to be asked again.
        :raises UseApiResponseError: if something else than the API answers.
        """
        from tenacity import Retrying

        from airflow_provider_useapi.attempts import retrying

        again = Retrying(**retrying(self._blocking().settings.max_attempts))
        return again(self.look)

    def look(self) -> Account:
        """
        The account, asked for once: what a sensor does each time.

        :raises UseApiError: as :meth:`get_account`.
        """
        client = self._blocking()
        settings = client.settings
        answer = client.get(ACCOUNT_PATH)
        return read_account(answer, conn_id=settings.conn_id, secrets=settings.secrets)

    async def aget_account(self) -> Account:
        """
        :meth:`get_account` for an event loop, with the same settings and the same outcomes.

        :raises UseApiError: as :meth:`get_account`.
        """
        from tenacity import AsyncRetrying

        from airflow_provider_useapi.attempts import retrying
        from airflow_provider_useapi.transports.asynchronous import AsyncClient

        settings = await self.asettings()

        async def look() -> Account:
            answer = await client.get(ACCOUNT_PATH)
            return read_account(answer, conn_id=settings.conn_id, secrets=settings.secrets)

        async with AsyncClient(settings) as client:
            return await AsyncRetrying(**retrying(settings.max_attempts))(look)

    def token_changed(self) -> bool:
        """
        Read the connection again, as one does when its token was refused.

        :return: whether it holds another token now; the next call uses it.
        """
        before = self._blocking().settings.token
        self.close()
        return self._blocking().settings.token != before

    def test_connection(self) -> tuple[bool, str]:
        """
        Ask once and say in a sentence how it went, for the button in the UI; never raises.

        :return: whether the connection works, and the sentence, without token or e-mail address.
        """
        try:
            account = self.look()
        except UseApiError as e:
            return False, str(e)
        finally:
            self.close()
        if not account.is_recognisable and account.error is None:
            return False, (
                "Something answers there, but not like useapi.net: the answer holds neither an"
                f" account id nor services. The base URL of useapi.net is {form.DEFAULT_HOST}."
            )
        whose = "an account without an id" if account.id is None else f"account {account.id}"
        state = "active" if account.subscription_is_active else "not active"
        return True, f"Connected to useapi.net as {whose}; its subscription is {state}."

    def close(self) -> None:
        """Close the session; the next call opens another one."""
        if self._client:
            self._client.close()
        self._client = None

    def __enter__(self) -> UseApiHook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The extra fields of the form, for Airflow before 3.2."""
        from airflow_provider_useapi.hooks.widgets import connection_form_widgets

        return connection_form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The standard fields of the form, for Airflow before 3.2."""
        return {
            "hidden_fields": list(form.HIDDEN_FIELDS),
            "relabeling": dict(form.RELABELING),
            "placeholders": dict(form.PLACEHOLDERS),
        }

    def _blocking(self) -> BlockingClient:
        if self._client is None:
            from airflow_provider_useapi.transports.blocking import BlockingClient

            self._client = BlockingClient(self._settings())
        return self._client

    def _settings(self) -> Settings:
        from airflow_provider_useapi.compat import mask

        try:
            connection = self.get_connection(self.useapi_conn_id)
            extra = connection.extra_dejson
        except Exception as e:  # noqa: BLE001 - a secrets backend raises what it likes
            raise self._unreadable(e) from None
        settings = self._read(connection, extra)
        self._warn(settings)
        mask(settings.secrets)
        return settings

    async def asettings(self, known: Settings | None = None) -> Settings:
        """
        The connection as it is now, for an event loop.

        :param known: what was read before; it comes back as it is while nothing has changed, which
            saves the work of masking again.
        :raises UseApiConfigError: if the connection cannot be used.
        :raises UseApiUnavailableError: if it cannot be read at the moment.
        """
        from airflow.providers.common.compat.connection import (
            get_async_connection,
            get_async_extra_dejson,
        )

        from airflow_provider_useapi.compat import amask

        try:
            connection = await get_async_connection(self.useapi_conn_id, hook=self)
            extra = await get_async_extra_dejson(connection)
        except Exception as e:  # noqa: BLE001 - a secrets backend raises what it likes
            raise self._unreadable(e) from None
        settings = self._read(connection, extra)
        if settings == known:
            return known
        self._warn(settings)
        await amask(settings.secrets)
        return settings

    def _read(self, connection: Any, extra: Any) -> Settings:
        from airflow_provider_useapi.connection import read_settings

        return read_settings(
            self.useapi_conn_id,
            host=connection.host,
            port=connection.port,
            login=connection.login,
            password=connection.password,
            extra=extra if isinstance(extra, dict) else {},
        )

    def _warn(self, settings: Settings) -> None:
        for warning in settings.warnings:
            self.log.warning("%s", warning)

    def _unreadable(self, error: Exception) -> UseApiError:
        if isinstance(error, AirflowNotFoundException):
            return UseApiConfigError(
                f"Connection {self.useapi_conn_id!r} is not defined; add one of type"
                f" {form.CONN_TYPE!r} whose password is the API token."
            )
        # What it says may hold a secret.
        said = f"Connection {self.useapi_conn_id!r} cannot be read: {type(error).__name__}"
        if isinstance(error, (ValueError, TypeError)):
            return UseApiConfigError(f"{said}; write it as a URI or as JSON.")
        return UseApiUnavailableError(f"{said}; what keeps the connections is out of reach.")
