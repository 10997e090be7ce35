"""What two endpoints of a service tell of one linked account, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from airflow_provider_useapi.api.endpoints import Endpoint
from airflow_provider_useapi.api.live_readers import Row, Rows


def with_health(live: Rows, accounts: Rows) -> Iterator[Row]:
    """
    Each account that the live endpoint lists, with its trouble, and then those that it leaves out.

    Those have nothing left, or are in trouble. One that ``/accounts`` does not list is as the live
    endpoint says.
    """
    listed = {account.id.casefold(): account for account in accounts.accounts}
    there = set()
    for row in live.accounts:
        name = row.id.casefold()
        there.add(name)
        account = listed.get(name)
        yield replace(row, trouble=account.trouble or row.trouble) if account else row
    for name, account in listed.items():
        if name not in there:
            yield replace(account, free=0)


def with_jobs(endpoint: Endpoint, jobs: Rows, accounts: Rows) -> Iterator[Row]:
    """Each account that ``/accounts`` lists, with the jobs that the first endpoint tells of it."""
    rows_of: defaultdict[str, list[Row]] = defaultdict(list)
    for row in jobs.accounts:
        rows_of[row.id.casefold()].append(row)
    for account in accounts.accounts:
        rows = rows_of[account.id.casefold()]
        # A job that names no account may belong to any of them.
        is_unknown = jobs.strays or (endpoint.missing == "unknown" and not rows)
        yield Row(
            account.id,
            max_jobs=least(row.max_jobs for row in (*rows, account)),
            running=None if is_unknown else total_of(row.running for row in rows),
            trouble=next((row.trouble for row in (account, *rows) if row.trouble), None),
        )


def least(limits: Iterable[int | None]) -> int | None:
    """The smallest of the limits that are known."""
    return min((limit for limit in limits if limit is not None), default=None)


def total_of(numbers: Iterable[int | None]) -> int | None:
    """The sum; unknown if one of them is."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
