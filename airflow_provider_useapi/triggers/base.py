"""What both triggers have in common: a condition, and the poll they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import aclosing
from datetime import timedelta
from functools import cached_property
from typing import Any, TypedDict

from airflow.providers.common.compat.triggers import BaseEventTrigger

from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate.condition import Thresholds, check_arguments
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.triggers.shared_look import Look, Wanted
from airflow_provider_useapi.triggers.shared_poll import Poll, shared_poll

_PATH = "airflow_provider_useapi.triggers.useapi"
"""Where Airflow finds the classes again. Stored, so that it outlives any order of the modules."""


class Condition(TypedDict, total=False):
    """The arguments that both triggers take."""

    useapi_conn_id: str
    service: str | None
    min_active_accounts: int | None
    max_error_accounts: int | None
    min_allocations_left: int | None
    min_free_accounts: int | None
    min_free_job_slots: int | None
    jobs_per_account: int | None
    poke_interval: float | timedelta


class ConditionTrigger(BaseEventTrigger):
    """
    A condition on an account; triggers of one connection and interval share one poll.

    Its arguments are stored by Airflow: none is ever renamed or dropped, and none makes
    ``__init__`` raise, because that would end the whole triggerer.
    """

    names_service = False

    def __init__(
        self,
        *,
        useapi_conn_id: str = DEFAULT_CONN_ID,
        service: str | None = None,
        min_active_accounts: int | None = None,
        max_error_accounts: int | None = None,
        min_allocations_left: int | None = None,
        min_free_accounts: int | None = None,
        min_free_job_slots: int | None = None,
        jobs_per_account: int | None = None,
        poke_interval: float | timedelta = 60.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.useapi_conn_id = useapi_conn_id
        self.service = service
        self.min_active_accounts = min_active_accounts
        self.max_error_accounts = max_error_accounts
        self.min_allocations_left = min_allocations_left
        self.min_free_accounts = min_free_accounts
        self.min_free_job_slots = min_free_job_slots
        self.jobs_per_account = jobs_per_account
        self.poke_interval: float = (
            poke_interval.total_seconds() if isinstance(poke_interval, timedelta) else poke_interval
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its arguments."""
        return f"{_PATH}.{type(self).__name__}", {
            "useapi_conn_id": self.useapi_conn_id,
            "service": self.service,
            "min_active_accounts": self.min_active_accounts,
            "max_error_accounts": self.max_error_accounts,
            "min_allocations_left": self.min_allocations_left,
            "min_free_accounts": self.min_free_accounts,
            "min_free_job_slots": self.min_free_job_slots,
            "jobs_per_account": self.jobs_per_account,
            "poke_interval": self.poke_interval,
        }

    def shared_stream_key(self) -> Hashable | None:
        """The connection and the interval, whatever is waited for."""
        return ("useapi", self.useapi_conn_id, self.poke_interval)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Look]:
        """The shared poll: what its looks find that is news, errors included, without end."""
        poll = shared_poll(kwargs["useapi_conn_id"], kwargs["poke_interval"])
        async with aclosing(poll.looks()) as looks:
            async for look in looks:
                yield look

    def shared_poll(self) -> Poll:
        """The poll behind the shared stream."""
        return shared_poll(self.useapi_conn_id, self.poke_interval)

    def own_poll(self) -> Poll:
        """A poll for this trigger alone, where Airflow shares no streams."""
        return Poll(self.useapi_conn_id, self.poke_interval)

    async def judge(self, look: Look) -> Verdict | UseApiError:
        """What a look says of the condition."""
        if isinstance(self._wanted, UseApiError):
            return self._wanted
        return await look.verdict(*self._wanted)

    @property
    def is_live(self) -> bool:
        """Whether the account alone does not tell: each look has to ask for more."""
        return not isinstance(self._wanted, UseApiError) and self._wanted[1].need_capacity

    @cached_property
    def _wanted(self) -> Wanted | UseApiError:
        """What a look is asked, once Airflow has rendered the templates."""
        # A template may render to None where it stood for a name; that is not "no service".
        service = "" if self.service is None and self.names_service else self.service
        try:
            thresholds = Thresholds(
                self.min_active_accounts,
                self.max_error_accounts,
                self.min_allocations_left,
                self.min_free_accounts,
                self.min_free_job_slots,
            )
            check_arguments(service, thresholds, self.jobs_per_account)
        except UseApiError as e:
            return e
        return service, thresholds, self.jobs_per_account
