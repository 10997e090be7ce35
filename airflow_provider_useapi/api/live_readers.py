"""
How the services tell which of their linked accounts are busy: one reader a dialect.

A reader gets the decoded body of a live endpoint and takes named fields out of it: ids, limits,
running counts and health. ``None`` means that the body as a whole is not what is documented there;
a single odd entry is an account of which nothing is known. Sources: the pages that
:mod:`airflow_provider_useapi.api.services` names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_useapi.api.health import trouble_of
from airflow_provider_useapi.api.json_values import at, count


@dataclass(frozen=True)
class Row:
    """
    What one endpoint tells of one linked account; ``None`` is unknown.

    :param id: the account, an e-mail address for most services.
    :param max_jobs: how many jobs it may run at a time.
    :param running: how many it runs now.
    :param free: its free job slots, where the API itself tells them.
    :param trouble: why it takes no jobs, in the API's own words, if it has some; ``None``
        if it is healthy.
    """

    id: str = field(repr=False)
    max_jobs: int | None = None
    running: int | None = None
    free: int | None = None
    trouble: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rows:
    """
    What one endpoint tells of the linked accounts of a service.

    :param accounts: a row for each account that it lists.
    :param strays: running jobs that name no account.
    :param none_configured: the API says that no account is configured.
    :param refused: why the API asks for payment instead.
    """

    accounts: tuple[Row, ...] = ()
    strays: int = 0
    none_configured: bool = False
    refused: str | None = None


Reader = Callable[[Any], Rows | None]

_ID_KEYS = ("email", "account", "user_id")
_TASK = re.compile(r"user:[^:]*-runwayml:(.+)-task:[^:]*", re.DOTALL)
_QUARANTINE = re.compile("quarantin", re.IGNORECASE)


def _available(body: Any) -> Rows | None:
    """``{"available": [{"email", "maxJobs", "executing", "available"}]}``."""
    offers = at(body, "available")
    if not isinstance(offers, list):
        return None
    return Rows(tuple(_offer(offer) for offer in offers))


def _offer(offer: Any) -> Row:
    name = next((name for key in _ID_KEYS if (name := _id(at(offer, key)))), "")
    left = at(offer, "available")
    free = 0 if isinstance(left, (int, float)) and left < 0 else count(left)
    if free is None:
        # PixVerse offers less than limit minus running: there is no other way to know.
        return Row(name)
    limit, running = count(at(offer, "maxJobs")), count(at(offer, "executing"))
    return Row(name, limit, running, free, trouble_of(offer))


def _accounts(body: Any) -> Rows | None:
    """``{account: {"maxJobs", "running", "health", "error"}}``, whichever of them there are."""
    if not isinstance(body, dict):
        return None
    return Rows(
        tuple(
            Row(
                _id(name),
                max_jobs=count(at(entry, "maxJobs")),
                running=count(at(entry, "running")),
                trouble=trouble_of(entry),
            )
            for name, entry in body.items()
        )
    )


def _accounts_inside(body: Any) -> Rows | None:
    """The same under ``accounts``."""
    return _accounts(at(body, "accounts"))


def _jobs_by_account(body: Any) -> Rows | None:
    """``{"executing": {account: [job]}}``."""
    executing = at(body, "executing")
    if not isinstance(executing, dict):
        return None
    return Rows(
        tuple(
            Row(_id(name), running=len(jobs) if isinstance(jobs, list) else None)
            for name, jobs in executing.items()
        )
    )


def _list_of_jobs(body: Any) -> Rows | None:
    """``{"jobs": [{"email"}]}``."""
    jobs = at(body, "jobs")
    return _tally(_id(at(job, "email")) for job in jobs) if isinstance(jobs, list) else None


def _list_of_tasks(body: Any) -> Rows | None:
    """``[{"taskId": "user:<number>-runwayml:<account>-task:<uuid>"}]``."""
    if not isinstance(body, list):
        return None
    ids = (_TASK.fullmatch(_id(at(task, "taskId"))) for task in body)
    return _tally(match[1] if match else "" for match in ids)


def _tally(names: Iterable[str]) -> Rows:
    running = Counter(names)
    strays = running.pop("", 0)
    return Rows(tuple(Row(name, running=n) for name, n in running.items()), strays)


def _google_flow(body: Any) -> Rows | None:
    """``{"emails": [account], "combined": {"summary": {account: {"executing"}}}}``."""
    emails, combined = at(body, "emails"), at(body, "combined")
    if not isinstance(emails, list) or not isinstance(combined, dict):
        return None
    names = dict.fromkeys(map(_id, emails))
    quarantined = _quarantined(body, names)
    return Rows(
        tuple(
            Row(
                name,
                running=_running(combined.get("summary"), name, "executing"),
                trouble="in quarantine" if name in quarantined else None,
            )
            for name in names
        )
    )


def _quarantined(body: Any, names: Collection[str]) -> set[str]:
    """
    The accounts of ``names`` in quarantine.

    Where the API tells of it is not documented: anything under such a word counts, whether it names
    the account or stands with it.
    """
    found: set[str] = set()
    todo: list[tuple[Any, str, bool]] = [(body, "", False)]
    while todo:
        value, owner, inside = todo.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if not inner:
                    continue
                mentioned = key if key in names else owner
                here = inside or bool(_QUARANTINE.search(key))
                if here and mentioned:
                    found.add(mentioned)
                todo.append((inner, mentioned, here))
        elif isinstance(value, list):
            todo += [(inner, owner, inside) for inner in value]
        elif inside and isinstance(value, str):
            found.add(value)
    return found & set(names)


def _mureka(body: Any) -> Rows | None:
    """``{"availableAccounts": [account], "accounts": {account: {"total", "error"}}}``."""
    # Despite its name the list holds every configured account, busy ones too.
    names, accounts = at(body, "availableAccounts"), at(body, "accounts")
    if not isinstance(names, list) or not isinstance(accounts, dict):
        return None
    return Rows(
        tuple(
            Row(
                name,
                running=_running(accounts, name, "total"),
                trouble=trouble_of(accounts.get(name)),
            )
            for name in dict.fromkeys(map(_id, names))
        )
    )


def _running(counts: Any, name: str, key: str) -> int | None:
    """The count of an account that is listed only while it has something to tell."""
    if not isinstance(counts, dict) or not name:
        return None
    return count(at(counts[name], key)) if name in counts else 0


def _id(value: object) -> str:
    """The id of an account; empty if there is none to read."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


READERS: Mapping[str, Reader] = {
    "accounts": _accounts,
    "accounts_inside": _accounts_inside,
    "available": _available,
    "google_flow": _google_flow,
    "jobs_by_account": _jobs_by_account,
    "list_of_jobs": _list_of_jobs,
    "list_of_tasks": _list_of_tasks,
    "mureka": _mureka,
}
