"""One look at an account, shared by all gates and watchers of a poll."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_useapi import clock
from airflow_provider_useapi.exceptions import UseApiError, UseApiUnavailableError
from airflow_provider_useapi.gate.condition import Thresholds
from airflow_provider_useapi.gate.questions import Question, aask_all, questions_of
from airflow_provider_useapi.gate.verdict import Verdict

if TYPE_CHECKING:
    from airflow_provider_useapi.api.account import Account
    from airflow_provider_useapi.api.live_readers import Rows
    from airflow_provider_useapi.api.services import Endpoint
    from airflow_provider_useapi.triggers.connection_client import Asker

Wanted = tuple[str | None, Thresholds, int | None]
"""A service, what it must offer, and the user's own limit of jobs for each account."""


@dataclass(eq=False)
class Look:
    """
    What one look found, errors included, and whatever gates want to know beyond that.

    A live endpoint is asked when the first gate needs it, and once for all of them.

    :param found: the account, or why there is none.
    :param asker: who can be asked for more.
    """

    found: Account | UseApiError
    asker: Asker
    at: datetime = field(default_factory=clock.now)
    taken: float = field(default_factory=clock.monotonic)
    _verdicts: dict[Wanted, Verdict | UseApiError] = field(default_factory=dict)
    _rows: dict[Endpoint, asyncio.Task[Rows | UseApiError]] = field(default_factory=dict)

    @classmethod
    async def take(cls, asker: Asker, last: Look | None = None) -> Look:
        """
        Ask for the account.

        :param last: the look before this one. Where nothing has changed its verdicts stand, so that
            a thousand gates need not judge and compare the same again.
        """
        try:
            look = cls(await asker.account(), asker)
        except Exception as e:  # noqa: BLE001 - nothing may end all gates that share the poll
            return cls(_as_ours(e), asker)
        if last and look.found == last.found:
            look._verdicts = {
                wanted: verdict
                for wanted, verdict in last._verdicts.items()
                if not wanted[1].need_capacity
            }
        return look

    @property
    def error(self) -> UseApiError | None:
        """Why there is no account."""
        return self.found if isinstance(self.found, UseApiError) else None

    def repeats(self, other: Look) -> bool:
        """Whether it found what another one has found."""
        if self.error is None or other.error is None:
            return self.found == other.found
        # Another Retry-After is another moment, even if it says the same.
        is_same = type(self.error) is type(other.error) and str(self.error) == str(other.error)
        return is_same and self.error.retry_after is None

    async def verdict(
        self, service: str | None, thresholds: Thresholds, jobs_per_account: int | None
    ) -> Verdict | UseApiError:
        """What this look says of a gate; worked out once for all gates that ask the same."""
        if isinstance(self.found, UseApiError):
            return self.found
        question = (service, thresholds, jobs_per_account)
        if question not in self._verdicts:
            try:
                self._verdicts[question] = await aask_all(questions_of(*question), self._answer)
            except UseApiError as e:
                self._verdicts[question] = e
        return self._verdicts[question]

    async def _answer(self, question: Question) -> Account | UseApiError | Rows:
        return self.found if question is None else await self._ask(question)

    async def _ask(self, endpoint: Endpoint) -> Rows:
        if endpoint not in self._rows:
            self._rows[endpoint] = asyncio.create_task(self._rows_of(endpoint))
        # One gate that leaves must not take the answer away from the others.
        rows = await asyncio.shield(self._rows[endpoint])
        if isinstance(rows, UseApiError):
            raise rows
        return rows

    async def _rows_of(self, endpoint: Endpoint) -> Rows | UseApiError:
        try:
            return await self.asker.rows(endpoint)
        except Exception as e:  # noqa: BLE001 - as above
            return _as_ours(e)

    async def forget(self) -> None:
        """Give up what is still being asked: nobody waits for it any more."""
        asking = {each: task for each, task in self._rows.items() if not task.done()}
        for endpoint, task in asking.items():
            del self._rows[endpoint]  # whoever comes next asks again
            task.cancel()
        await asyncio.gather(*asking.values(), return_exceptions=True)


def _as_ours(error: Exception) -> UseApiError:
    if isinstance(error, UseApiError):
        return error
    return UseApiUnavailableError(f"A look failed in an unforeseen way: {type(error).__name__}.")
