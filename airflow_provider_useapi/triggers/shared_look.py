"""
One look at an account, shared by all gates and watchers of a poll.

From here upward errors are data: what a look found, an error included, is told to everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_useapi import clock
from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import UseApiError, UseApiUnavailableError
from airflow_provider_useapi.gate import questions
from airflow_provider_useapi.gate.memory import REPEAT_AFTER
from airflow_provider_useapi.gate.questions import About, Question, Target, aask_all
from airflow_provider_useapi.gate.turns import Share
from airflow_provider_useapi.gate.verdict import Verdict
from airflow_provider_useapi.triggers.turns import line_at

if TYPE_CHECKING:
    from airflow_provider_useapi.connection.settings import Settings
    from airflow_provider_useapi.triggers.connection_client import ConnectionClient

T = TypeVar("T")


@dataclass(eq=False)
class Look:
    """
    What one look found, errors included, and whatever gates want to know beyond that.

    A live endpoint is asked when the first gate needs it, and once for all of them.

    :param found: the account, or why there is none.
    :param client: who can be asked for more.
    :param settings: of the connection that was used; ``None`` if it could not be read.
    :param mark: of the base URL and token that were used; ``None`` if the API was not asked.
    :param at: the moment of the answer.
    :param taken: the same on the monotonic clock.
    :param edition: the same for all looks in a row that found the same, but another one after 10
        minutes, for the logs.
    :param edited: when the edition began, on the monotonic clock.
    """

    found: Account | UseApiError
    client: ConnectionClient
    settings: Settings | None = None
    mark: Mark | None = None
    at: datetime = field(default_factory=clock.now)
    taken: float = field(default_factory=clock.monotonic)
    edition: int = 0
    edited: float = 0.0
    _verdicts: dict[Target, Verdict | UseApiError] = field(default_factory=dict)
    _rows: dict[Question, asyncio.Task[Any]] = field(default_factory=dict)
    _taken: dict[str, Share] = field(default_factory=dict)

    @property
    def error(self) -> UseApiError | None:
        """Why there is no account."""
        return self.found if isinstance(self.found, UseApiError) else None

    @property
    def is_refusal(self) -> bool:
        """Whether the API has refused for good, as far as the same connection is concerned."""
        return (
            self.error is not None and self.error.permanent and self.error.status_code is not None
        )

    def after(self, last: Look | None) -> Look:
        """
        This look as the one behind another.

        Where nothing has changed the verdicts of the last one stand, so that a thousand gates need
        not judge and compare the same again.

        :param last: the look before, if there was one.
        """
        is_same = last is not None and self._repeats(last)
        if last and is_same:
            self._verdicts = {
                target: verdict
                for target, verdict in last._verdicts.items()
                if not target.asks_more
            }
        if last and is_same and self.taken - last.edited < REPEAT_AFTER.total_seconds():
            self.edition, self.edited = last.edition, last.edited
        else:
            self.edition, self.edited = (last.edition + 1 if last else 1), self.taken
        return self

    def _repeats(self, last: Look) -> bool:
        """Whether it found what another one has found."""
        if self.error is None or last.error is None:
            return self.found == last.found
        # Another Retry-After is another moment, and a second refusal ends gates that waited for it.
        is_same = type(self.error) is type(last.error) and str(self.error) == str(last.error)
        return is_same and self.error.retry_after is None and not self.is_refusal

    async def verdict(self, target: Target) -> Verdict | UseApiError:
        """What this look says of a gate; worked out once for all gates that wait for the same."""
        if isinstance(self.found, UseApiError):
            return self.found
        if target not in self._verdicts:
            about = questions.verdict(self.found, target)
            self._verdicts[target] = await told(aask_all(about, self._answer))
        return self._verdicts[target]

    async def verdict_in_turn(self, target: Target, began: float) -> Verdict | UseApiError:
        """
        The same for a gate that opens once: only as many do as fit into what is free.

        :param began: when the gate began to wait, in seconds since the epoch.
        """
        if self.mark is None or target.slug is None or not target.condition.is_live:
            return await self.verdict(target)
        line = line_at(self.mark, target.slug)
        since = self._taken.setdefault(target.slug, line.book.total)
        with line.turn(began, since) as turn:
            found = await self.verdict(target)
            if isinstance(found, UseApiError) or not found.open:
                return found
            return await turn.take(found, Share.of(target.condition))

    async def forget(self) -> None:
        """Give up what is still being asked: nobody waits for it any more."""
        asking = {each: task for each, task in self._rows.items() if not task.done()}
        for endpoint, task in asking.items():
            del self._rows[endpoint]  # whoever comes next asks again
            task.cancel()
        await asyncio.gather(*asking.values(), return_exceptions=True)

    async def _answer(self, question: Question) -> Any:
        if isinstance(question, About):
            raise TypeError(f"a verdict asks only live endpoints, not {question}")
        if question not in self._rows:
            self._rows[question] = asyncio.create_task(told(self.client.answer(question)))
        # One gate that leaves must not take the answer away from the others.
        rows = await asyncio.shield(self._rows[question])
        if isinstance(rows, UseApiError):
            raise rows
        return rows


async def take_look(client: ConnectionClient) -> Look:
    """
    Ask for the account, with the connection as it was read last.

    :param client: how.
    """
    found = await told(aask_all(questions.account(), client.answer))
    # As it is now: a refused token may have been renewed on the way.
    settings = client.settings
    return Look(found, client, settings, Mark.of(settings) if settings else None)


def held_look(client: ConnectionClient, settings: Settings, left: float) -> Look:
    """
    What there is to tell while no request may be made, because of ``Retry-After``.

    :param left: seconds until one may.
    """
    until = clock.now() + timedelta(seconds=left)
    error = UseApiUnavailableError(
        f"Connection {settings.conn_id!r}: the API asked for no request before"
        f" {until:%Y-%m-%d %H:%M:%S} UTC (Retry-After).",
        retry_after=left,
    )
    return Look(error, client, settings, Mark.of(settings))


async def told(asking: Awaitable[T]) -> T | UseApiError:
    """What comes of asking, errors as data: nothing may end all gates that share a poll."""
    try:
        return await asking
    except UseApiError as e:
        return e
    except Exception as e:  # noqa: BLE001 - see above
        return UseApiUnavailableError(f"A check failed in an unforeseen way: {type(e).__name__}.")
