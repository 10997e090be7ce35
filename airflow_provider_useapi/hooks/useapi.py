"""The hook: useapi.net through an Airflow connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.responses import ACCOUNT_PATH, read_account
from airflow_provider_useapi.compat import without_logger
from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.hooks.connection import asettings_of, settings_of
from airflow_provider_useapi.metrics import counted_request

if TYPE_CHECKING:
    from tenacity import Retrying

    from airflow_provider_useapi.api.account import Account
    from airflow_provider_useapi.api.account_requests import Request, Requests
    from airflow_provider_useapi.api.capacity import Capacity
    from airflow_provider_useapi.api.credits import Credits
    from airflow_provider_useapi.api.kept_credits import CreditRound, Kept, KeptCredits
    from airflow_provider_useapi.api.linked_accounts import AccountStatus
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.gate.questions import Question
    from airflow_provider_useapi.transport.session import Session
    from airflow_provider_useapi.transport.sync_client import SyncClient

T = TypeVar("T")


class UseApiHook(BaseHook):
    """
    Ask useapi.net about the account behind an Airflow connection.

    A hook keeps one session on one connection; ``with UseApiHook() as hook:`` closes it.

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
        client = self._blocking()
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
        :raises UseApiUnavailableError: if the API cannot be reached, or not now; ``retry_after``
            tells when it wants to be asked again.
        :raises UseApiResponseError: if something else than the API answers.
        """
        return self.retrying()(self.look)

    def look(self) -> Account:
        """
        The account, asked for once: what a sensor does each time.

        :raises UseApiError: as :meth:`get_account`.
        """
        return self._ask(ACCOUNT_PATH, read_account)

    def answer(self, question: Question) -> Any:
        """
        What the account or a live endpoint tells, asked for once: a question of a sensor's look.

        :param question: of :mod:`airflow_provider_useapi.gate.questions`.
        :raises UseApiError: as :meth:`get_account`.
        """
        from airflow_provider_useapi.api.account_requests import Request
        from airflow_provider_useapi.api.capacity import read_rows
        from airflow_provider_useapi.api.kept_credits import CreditRound
        from airflow_provider_useapi.gate.questions import About

        if question is About.ACCOUNT:
            return self.look()
        if question is About.RENEWAL:
            return self.has_new_token()
        if isinstance(question, Request):
            return self._ask(question.path, question.read)
        if isinstance(question, CreditRound):
            return self.credit_round(question, {})
        return self._ask(question.path, partial(read_rows, question))

    def credit_round(self, question: CreditRound, kept: KeptCredits) -> dict[str, Kept]:
        """
        What accounts have left, each asked for once unless that is kept.

        :param question: which accounts.
        :param kept: what was told before, to the connection as it is now.
        :raises UseApiAuthError: if the token is refused.
        """
        from airflow_provider_useapi.api.kept_credits import ask_round
        from airflow_provider_useapi.gate.questions import ask_all

        asking = ask_round(question, kept, clock.now())
        return ask_all(asking, lambda each: self._ask(each.path, each.read))

    def retrying(self) -> Retrying:
        """
        What tries a call of this hook again on transient errors, as the connection says.

        :raises UseApiConfigError: if the connection cannot be used.
        """
        from tenacity import Retrying

        from airflow_provider_useapi.transport.attempts import retrying

        return Retrying(sleep=clock.sleep, **retrying(self._blocking().settings.max_attempts))

    async def aget_account(self) -> Account:
        """
        :meth:`get_account` for an event loop, with the same settings and the same outcomes.

        :raises UseApiError: as :meth:`get_account`.
        """
        async with self._asking() as ask:
            return await ask(ACCOUNT_PATH, read_account)

    def get_capacity(self, service: str, *, jobs_per_account: int | None = None) -> Capacity:
        """
        What the linked accounts of a service can take right now.

        One or two requests, each with its own ``max_attempts``. A snapshot and no reservation.

        :param service: slug or key, such as ``kling`` or ``Kling API``.
        :param jobs_per_account: how many jobs an account may run at a time, in your view. Without
            it what is free is unknown where the API publishes no limit; where it does the smaller
            of both counts.
        :raises UseApiConfigError: if the service has no endpoint that tells; needs no request.
        :raises UseApiError: as :meth:`get_account`. Other than there, a subscription that has
            lapsed (402) is told by ``Capacity.refused``.
        """
        from airflow_provider_useapi.api.capacity import capacity_of, live_service

        entry = live_service(service, jobs_per_account, limit_needed=False)
        again = self.retrying()
        rows = {endpoint: again(self.answer, endpoint) for endpoint in entry.live}
        return capacity_of(entry.slug, rows, jobs_per_account)

    async def aget_capacity(self, service: str, *, jobs_per_account: int | None = None) -> Capacity:
        """
        :meth:`get_capacity` for an event loop, with the same settings and the same outcomes.

        :raises UseApiError: as :meth:`get_capacity`.
        """
        from airflow_provider_useapi.api.capacity import capacity_of, live_service, read_rows

        entry = live_service(service, jobs_per_account, limit_needed=False)
        async with self._asking() as ask:
            rows = {each: await ask(each.path, partial(read_rows, each)) for each in entry.live}
        return capacity_of(entry.slug, rows, jobs_per_account)

    def get_linked_accounts(self, service: str) -> tuple[AccountStatus, ...]:
        """
        The linked accounts of a service: which are in trouble and why, and when logins expire.

        From useapi.net's own records; two requests, of which one is for the account's id, which
        the ``ref`` of each linked account is made with.

        :param service: slug or key, such as ``kling`` or ``Kling API``.
        :raises UseApiConfigError: if the service has no list of accounts; needs no request.
        :raises UseApiError: as :meth:`get_account`.
        """
        from airflow_provider_useapi.api.account_requests import linked_accounts

        return self.request_all(linked_accounts(service))

    async def aget_linked_accounts(self, service: str) -> tuple[AccountStatus, ...]:
        """
        :meth:`get_linked_accounts` for an event loop, with the same outcomes.

        :raises UseApiError: as :meth:`get_linked_accounts`.
        """
        from airflow_provider_useapi.api.account_requests import linked_accounts

        return await self._arequest_all(linked_accounts(service))

    def get_credits(self, service: str, account: str | None = None) -> tuple[Credits, ...]:
        """
        What linked accounts have left to spend, read live at their service.

        For a look before a pipeline starts, or once a day: each account is one call to a consumer
        website with its user's login. Several accounts may share one pool: never add totals up.

        :param service: slug or key. Only services that tell it without a side effect: never
            Dreamina, whose page claims the free daily credits.
        :param account: the id of one linked account, one request; all of them if not given. Of
            those one that the API does not answer for, because it is out of order, has no total.
        :raises UseApiConfigError: if the credits of the service cannot be read; needs no request.
        :raises UseApiResponseError: also if the answer names another account than was asked for.
        :raises UseApiError: as :meth:`get_account`.
        """
        from airflow_provider_useapi.api.account_requests import account_credits

        return self.request_all(account_credits(service, account))

    async def aget_credits(self, service: str, account: str | None = None) -> tuple[Credits, ...]:
        """
        :meth:`get_credits` for an event loop, with the same outcomes.

        :raises UseApiError: as :meth:`get_credits`.
        """
        from airflow_provider_useapi.api.account_requests import account_credits

        return await self._arequest_all(account_credits(service, account))

    def request_all(self, requests: Requests[T]) -> T:
        """
        Make one request after the other, each with its own ``max_attempts``.

        :param requests: of :mod:`airflow_provider_useapi.api.account_requests`.
        :raises UseApiError: as :meth:`get_account`, unless the requests know what to ask next.
        """
        from airflow_provider_useapi.gate.questions import ask_all

        return ask_all(requests, lambda each: self.retrying()(self._ask, each.path, each.read))

    async def _arequest_all(self, requests: Requests[T]) -> T:
        from airflow_provider_useapi.gate.questions import aask_all

        async with self._asking() as ask:

            async def answer(each: Request) -> Any:
                return await ask(each.path, each.read)

            return await aask_all(requests, answer)

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

    def has_new_token(self) -> bool:
        """Read the connection again: whether it has another token than the last call used."""
        from airflow_provider_useapi.gate.messages import TOKEN_RENEWED

        refused = self.settings
        is_new = refused is not None and self.reread().token != refused.token
        if is_new:
            self.log.info(TOKEN_RENEWED)
        return is_new

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
        from airflow_provider_useapi.connection.fields import connection_form_widgets

        return connection_form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The standard fields of the form, for Airflow before 3.2."""
        return {
            "hidden_fields": list(fields.HIDDEN_FIELDS),
            "relabeling": dict(fields.RELABELING),
            "placeholders": dict(fields.PLACEHOLDERS),
        }

    def _blocking(self) -> SyncClient:
        if self._client is None:
            from airflow_provider_useapi.transport.sync_client import SyncClient

            self._client = SyncClient(settings_of(self))
        return self._client

    def _ask(self, path: str, read: Callable[..., T]) -> T:
        """One request, and what its answer means."""
        client = self._blocking()
        with counted_request(self.useapi_conn_id):
            return client.ask(path, read)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Callable[[str, Callable[..., T]], Awaitable[T]]]:
        """:meth:`_ask` for an event loop, with the retries of a one-shot call."""
        from tenacity import AsyncRetrying

        from airflow_provider_useapi.transport.async_client import AsyncClient
        from airflow_provider_useapi.transport.attempts import retrying

        settings = await asettings_of(self)

        async def ask(path: str, read: Callable[..., T]) -> T:
            with counted_request(self.useapi_conn_id):
                return await client.ask(path, read)

        async with AsyncClient(settings) as client:
            yield partial(AsyncRetrying(**retrying(settings.max_attempts)), ask)
