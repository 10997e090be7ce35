"""What the sandbox serves: the account, the linked accounts, jobs, scripted answers, timers."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_useapi.api.service_names import service_of, slug_of
from airflow_provider_useapi.sandbox.answers import Answer, as_answer
from airflow_provider_useapi.sandbox.jobs import Job
from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount, two_each

DEFAULT_TOKEN = "user:12345-sandbox"  # noqa: S105 - opens nothing but a sandbox


def documented_account() -> dict[str, Any]:
    """The example response of the page that documents ``GET /v2/account``."""
    return {
        "id": 12345,
        "email": "user@example.com",
        "created": "2023-07-25T03:02:28.676Z",
        "name": "Your Name",
        "subscriptionIsActive": True,
        "subscriptions": 1,
        "maxAccountsPerAPI": 3,
        "accounts": {
            "Midjourney API": {"total": 3, "active": 2, "error": 1},
            "MiniMax API": {"total": 3, "active": 3},
            "Runway AP": {"total": 1, "active": 1},
            "Riffusion API": {"total": 3, "active": 3},
        },
        "verified": "2023-07-25T03:02:53.252Z",
        "sub": "250405",
    }


@dataclass(kw_only=True, eq=False, repr=False)
class State:
    """
    What is served; all of it may be changed at any time.

    ``account`` and ``capacity`` do not know of each other: ``link()`` sets the accounts of a
    service in both.

    :param token: the API token to ask for.
    :param inactive_for: how many seconds after the start the subscription becomes active.
    :param busy_for: how many seconds after the start the first job slot becomes free.
    :param job_seconds: how long a job that is submitted from now on runs.
    :param account: the answer to ``GET /v2/account``.
    :param capacity: the linked accounts of each service by its slug, with the jobs they run.
    :param captcha: the captcha providers of Google Flow, with masked keys, or
        ``{"freeCaptchaCredits": n}``; ``{}`` if nothing is left.
    :param jobs: every job that was submitted, in that order. While it runs it takes a job slot,
        beside those that ``running`` of its account says.
    :param started: when the server started, on the monotonic clock.
    """

    token: str = DEFAULT_TOKEN
    inactive_for: float = 0.0
    busy_for: float = 0.0
    job_seconds: float = 60.0
    account: dict[str, Any] = field(default_factory=documented_account)
    capacity: dict[str, list[LinkedAccount]] = field(default_factory=two_each)
    captcha: dict[str, Any] = field(default_factory=lambda: {"CapSolver": "CAP-***-7f"})
    jobs: list[Job] = field(default_factory=list)
    started: float = 0.0
    _scripts: dict[str, deque[Answer]] = field(default_factory=dict, init=False)

    @property
    def awaits_activation(self) -> bool:
        """Whether the first ``inactive_for`` seconds are not over yet."""
        return time.monotonic() < self.started + self.inactive_for

    @property
    def is_busy(self) -> bool:
        """Whether the first ``busy_for`` seconds are not over yet, and every job slot is taken."""
        return time.monotonic() < self.started + self.busy_for

    def at_work(self, slug: str) -> list[LinkedAccount]:
        """
        The linked accounts of a service with all that they run now.

        :param slug: its slug.
        :raises TypeError: if a test has put something else among them.
        """
        for account in self.capacity.get(slug, ()):
            if not isinstance(account, LinkedAccount):
                raise TypeError(f"write linked accounts as LinkedAccount(id, ...), not {account!r}")
        running = Counter(job.account for job in self._running(slug))
        return [
            replace(
                each, running=each.max_jobs if self.is_busy else each.running + running[each.id]
            )
            for each in self.capacity.get(slug, ())
        ]

    def submit(self, slug: str) -> Job | None:
        """
        Let the account with the most free job slots run a job; ``None`` if none has any.

        :param slug: the slug of the service.
        """
        account = max(self.at_work(slug), key=lambda each: each.free, default=None)
        if account is None or not account.free:
            return None
        now = time.monotonic()
        job = Job(slug, account.id, len(self.jobs) + 1, now, now + self.job_seconds)
        self.jobs.append(job)
        return job

    def next_end(self, slug: str) -> float | None:
        """
        In how many seconds a submitted job of a service ends; ``None`` if none is running.

        :param slug: the slug of the service.
        """
        ends = [job.ends for job in self._running(slug)]
        return min(ends) - time.monotonic() if ends else None

    def link(self, service: str, *accounts: LinkedAccount) -> None:
        """
        Set the linked accounts of a service, and their number in ``account``.

        :param service: slug or key, such as ``kling`` or ``Kling API``.
        :param accounts: all of them.
        """
        slug = slug_of(service)
        self.capacity[slug] = list(accounts)
        active = sum(account.is_healthy for account in accounts)
        counts = {"total": len(accounts), "active": active, "error": len(accounts) - active}
        listed = self.account.setdefault("accounts", {})
        known = service_of(slug)
        key = next((key for key in listed if slug_of(key) == slug), known.key if known else service)
        listed[key] = counts

    def break_down(self, accounts: int = 1) -> None:
        """
        Make a bad day of it: accounts that are signed out, and no captcha that can be solved.

        :param accounts: how many of each service are in trouble.
        """
        for service, linked in list(self.capacity.items()):
            for account in linked[:accounts]:
                account.break_down()
            self.link(service, *linked)
        self.captcha = {}

    def script(self, path: str, *answers: Answer | Mapping[str, Any] | int) -> None:
        """
        Queue answers for a path, one for each request; afterwards it is normal service again.

        A scripted answer is given whatever the method and the token of the request.

        :param path: the path without a query, such as ``/v2/account``.
        :param answers: each an :class:`Answer`, a mapping of its fields, or just a status.
        """
        if not path.startswith("/") or "?" in path:
            raise ValueError(f'write a path without a query such as "/v2/account", not {path!r}')
        queue = self._scripts.setdefault(path, deque())
        queue.extend([as_answer(answer) for answer in answers])

    def take_scripted(self, path: str) -> Answer | None:
        """
        The next scripted answer of a path, which is then used up; ``None`` if there is none.

        :param path: the path without a query.
        """
        queue = self._scripts.get(path)
        return queue.popleft() if queue else None

    def _running(self, slug: str) -> list[Job]:
        now = time.monotonic()
        return [job for job in self.jobs if job.service == slug and now < job.ends]
