"""The hook: useapi.net through an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_useapi.api import account_requests
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.compat import without_logger
from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.hooks import calls
from airflow_provider_useapi.hooks.connection import settings_of
from airflow_provider_useapi.metrics import counted_request

if TYPE_CHECKING:
    from airflow_provider_useapi.api.account import Account
    from airflow_provider_useapi.api.capacity import Capacity
    from airflow_provider_useapi.api.credits import Credits
    from airflow_provider_useapi.api.linked_accounts import AccountStatus
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.transport.session import Session
    from airflow_provider_useapi.transport.sync_client import SyncClient

T = TypeVar("T")


class UseApiHook(BaseHook):
    """
    Ask useapi.net about the account behind an Airflow connection.

    A hook keeps one session on one connection; ``with UseApiHook() as hook:`` closes it. Methods
    that begin with ``a`` are for an event loop: the same settings, outcomes and errors.

    :param useapi_conn_id: id of a connection of type ``useapi``: its password is the API token,
        its host the base URL (https://api.useapi.net when empty).
    """

    conn_name_attr = "useapi_conn_id"
    default_conn_name = fields.DEFAULT_CONN_ID
    conn_type = fields.CONN_TYPE
    hook_name = fields.HOOK_NAME

    def __init__(self, useapi_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.useapi_conn_id = useapi_conn_id
        self._client: SyncClient | None = None
        self._session: Session | None = None

    def get_conn(self) -> Session:
        """
        The ``requests.Session``, with the token for requests to the connection's host alone.

        It follows no redirect and obeys the connection's timeout, proxy and TLS settings.

        :raises UseApiConfigError: if the connection cannot be used.
        """
        client = self.client
        if self._session is None:
            from airflow_provider_useapi.transport.session import Session

            # The copy, because this hook keeps the session: neither is to keep the other alive.
            self._session = Session(partial(settings_of, copy(self)), client)
        return self._session

    def get_account(self) -> Account:
        """
        The account; transient errors are tried again, ``max_attempts`` times in all.

        :raises UseApiConfigError: if the connection cannot be used.
        :raises UseApiAuthError: if the token is refused.
        :raises UseApiRequestError: if the request is refused for another reason.
        :raises UseApiUnavailableError: if the API cannot be reached, or is busy; ``retry_after``
            tells when it may be asked again.
        :raises UseApiResponseError: if something other than the API answers.
        """
        return calls.attempts(self)(self.look)

    def look(self) -> Account:
        """
        The account, asked for once: what a sensor does each time.

        :raises UseApiError: as :meth:`get_account`.
        """
        return self.ask(ACCOUNT_PATH, read_account)

    async def aget_account(self) -> Account:
        """:meth:`get_account` for an event loop, with the same outcomes."""
        return await calls.arequest_all(self, account_requests.account())

    def get_capacity(self, service: str, *, jobs_per_account: int | None = None) -> Capacity:
        """
        What the linked accounts of a service can take right now.

        One or two requests, each with its own ``max_attempts``. A snapshot and no reservation.

        :param service: slug or key, such as ``kling`` or ``Kling API``.
        :param jobs_per_account: your own limit of jobs that an account runs at a time. Where the
            API publishes one too, the smaller of the two counts; where it does not, what is free is
            unknown without yours.
        :raises UseApiConfigError: if the service has no endpoint that tells; needs no request.
        :raises UseApiError: as :meth:`get_account`. Unlike there, a subscription that has
            lapsed (402) is no error: see ``Capacity.refused``.
        """
        return calls.request_all(self, account_requests.capacity(service, jobs_per_account))

    async def aget_capacity(self, service: str, *, jobs_per_account: int | None = None) -> Capacity:
        """:meth:`get_capacity` for an event loop, with the same outcomes."""
        return await calls.arequest_all(self, account_requests.capacity(service, jobs_per_account))

    def get_linked_accounts(self, service: str) -> tuple[AccountStatus, ...]:
        """
        The linked accounts of a service: which are in trouble and why, and when logins expire.

        From useapi.net's own records; two requests, one of them for the account's id, from
        which the ``ref`` of each linked account is made.

        :param service: slug or key, such as ``kling`` or ``Kling API``.
        :raises UseApiConfigError: if the service has no list of accounts; needs no request.
        :raises UseApiError: as :meth:`get_account`.
        """
        return calls.request_all(self, account_requests.linked_accounts(service))

    async def aget_linked_accounts(self, service: str) -> tuple[AccountStatus, ...]:
        """:meth:`get_linked_accounts` for an event loop, with the same outcomes."""
        return await calls.arequest_all(self, account_requests.linked_accounts(service))

    def get_credits(self, service: str, account: str | None = None) -> tuple[Credits, ...]:
        """
        What linked accounts have left to spend, read live at their service.

        For a look before a pipeline starts, or once a day: each account is one call to a consumer
        website with its user's login. Several accounts may share one pool: never add totals up.

        :param service: slug or key. Only services that tell it without a side effect: never
            Dreamina, whose page claims the free daily credits.
        :param account: the id of one linked account, one request; all of them if not given; one
            that the API refuses to answer for, because it is in trouble, then has no total.
        :raises UseApiConfigError: if the credits of the service cannot be read; needs no request.
        :raises UseApiResponseError: also if the answer names another account than was asked for.
        :raises UseApiError: as :meth:`get_account`.
        """
        return calls.request_all(self, account_requests.account_credits(service, account))

    async def aget_credits(self, service: str, account: str | None = None) -> tuple[Credits, ...]:
        """:meth:`get_credits` for an event loop, with the same outcomes."""
        return await calls.arequest_all(self, account_requests.account_credits(service, account))

    def ask(self, path: str, read: Callable[..., T]) -> T:
        """
        One request, and what its answer means.

        :param path: what to ask for.
        :param read: called with the answer, ``conn_id`` and ``secrets``.
        :raises UseApiError: as :meth:`get_account`.
        """
        client = self.client
        with counted_request(self.useapi_conn_id):
            return client.ask(path, read)

    @property
    def client(self) -> SyncClient:
        """
        What makes the requests, kept until :meth:`close`.

        :raises UseApiConfigError: if the connection cannot be used.
        """
        if self._client is None:
            from airflow_provider_useapi.transport.sync_client import SyncClient

            self._client = SyncClient(settings_of(self))
        return self._client

    @property
    def settings(self) -> Settings | None:
        """The connection as the last call has used it; ``None`` if there was none."""
        return self._client.settings if self._client else None

    def reread(self) -> Settings:
        """
        Read the connection again; the next call uses it as it is now.

        :raises UseApiConfigError: if the connection cannot be used.
        """
        settings = settings_of(self)
        if self._client and self._client.settings != settings:
            self.close()
        return settings

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
                "The response is not from useapi.net: it has neither an account id nor services."
                f" The base URL of useapi.net is {fields.DEFAULT_HOST}."
            )
        whose = "an account without an id" if account.id is None else f"account {account.id}"
        state = "active" if account.subscription_is_active else "not active"
        return True, f"Connected to useapi.net as {whose}; its subscription is {state}."

    def close(self) -> None:
        """Close the session; the next call opens another one."""
        if self._client:
            self._client.close()
        self._client = self._session = None

    def __getstate__(self) -> dict[str, Any]:
        """Neither the connection nor the token: a copy reads the Airflow connection anew."""
        return {**without_logger(self.__dict__), "_client": None, "_session": None}

    def __enter__(self) -> UseApiHook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The extra fields of the form, for Airflow before 3.2."""
        return fields.connection_form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The standard fields of the form, for Airflow before 3.2."""
        return fields.field_behaviour()
