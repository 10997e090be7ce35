"""What both triggers have in common: a condition, and the poll they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from datetime import timedelta
from functools import lru_cache
from typing import Any, Unpack

from airflow.providers.common.compat.triggers import BaseEventTrigger

from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate.condition import (
    CREDITS,
    FIELDS,
    Condition,
    ConditionArguments,
)
from airflow_provider_useapi.gate.questions import Target, target_of
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.triggers.polls import shared_poll
from airflow_provider_useapi.triggers.shared_look import Look
from airflow_provider_useapi.triggers.shared_poll import Poll

_PATH = "airflow_provider_useapi.triggers.useapi"
"""Where Airflow finds the classes again. Stored, so that it outlives any order of the modules."""


# Gates that wait for the same have one and the same: the fewer objects the better.
_target_of = lru_cache(maxsize=256)(target_of)


class TriggerArguments(ConditionArguments, total=False):
    """The arguments that both triggers take."""

    useapi_conn_id: str
    poke_interval: float | timedelta


class ConditionTrigger(BaseEventTrigger):
    """
    A condition on an account; triggers of one connection and interval share one poll.

    Its arguments are stored by Airflow: none is ever renamed or dropped, and none makes
    ``__init__`` raise, because that would end the whole triggerer. They are plain attributes,
    because Airflow renders templates in them.
    """

    service: str | None
    names_service = False
    min_credits: int | None = None

    def __init__(
        self,
        *,
        useapi_conn_id: str = DEFAULT_CONN_ID,
        poke_interval: float | timedelta = 60.0,
        **condition: Unpack[ConditionArguments],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.useapi_conn_id = useapi_conn_id
        for name in FIELDS:
            setattr(self, name, condition.get(name))
        self.poke_interval: float = (
            poke_interval.total_seconds() if isinstance(poke_interval, timedelta) else poke_interval
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of the class, and its arguments."""
        return f"{_PATH}.{type(self).__name__}", {
            "useapi_conn_id": self.useapi_conn_id,
            **{name: getattr(self, name) for name in FIELDS},
            "poke_interval": self.poke_interval,
        }

    def shared_stream_key(self) -> Hashable | None:
        """The connection and the interval, whatever is waited for."""
        return ("useapi", self.useapi_conn_id, self.poke_interval)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Look]:
        """
        Run the shared poll, without end.

        It wakes its listeners by itself, each for what is news to it; a stream would wake all.
        """
        await shared_poll(kwargs["useapi_conn_id"], kwargs["poke_interval"]).run()
        yield  # type: ignore[misc]  # never; it makes this a generator

    def shared_poll(self) -> Poll:
        """The poll behind the shared stream."""
        return shared_poll(self.useapi_conn_id, self.poke_interval)

    async def judge(self, look: Look, began: float | None = None) -> Verdict | UseApiError:
        """
        What a look says of the condition.

        :param began: when a gate began to wait, in seconds since the epoch: gates take turns. A
            watcher, which takes nothing, is told of what there is.
        """
        target = self.target()
        if isinstance(target, UseApiError):
            return target
        return await (
            look.verdict(target) if began is None else look.verdict_in_turn(target, began)
        )

    @property
    def is_live(self) -> bool:
        """Whether each look has to ask for more than the account."""
        target = self.target()
        return isinstance(target, Target) and target.asks_more

    @property
    def log(self) -> Any:
        """The logger of the class: one of its own would be ten small objects more for each gate."""
        return self.logger()

    def target(self) -> Target | UseApiError:
        """What a look is about, once Airflow has rendered the templates."""
        fields = {name: getattr(self, name) for name in (*FIELDS, CREDITS)}
        if self.service is None and self.names_service:
            fields["service"] = ""  # what a template stood for; that is not "no service"
        # Whatever was written there: a list, which is no service, has no hash.
        resolve = _target_of if isinstance(fields["service"], str | None) else target_of
        try:
            return resolve(Condition(**fields))
        except UseApiError as e:
            return e
