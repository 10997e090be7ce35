"""What the endpoints for running jobs say, shaped as the API's pages document it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount

Accounts = Sequence[LinkedAccount]

STARTED = "2026-11-02T09:15:00.000Z"
_UUID = "1f0e8d7c-6b5a-4948-8372-615141302f1e"
_NONE = Answer(
    status=400,
    body={"error": "Please configure at least one account at https://useapi.net", "code": 400},
)


def _job(account: LinkedAccount, number: int) -> str:
    return f"user:12345-account:{account.id}-job:{number}"


def _each_job(accounts: Accounts) -> Iterator[tuple[LinkedAccount, int]]:
    return ((account, number) for account in accounts for number in range(account.running))


def available(
    id_key: str, job_key: str, job: str = "{number}", *, knows_health: bool = False
) -> Callable[[Accounts], Any]:
    """
    Kling, MiniMax, PixVerse, TemPolor: what is free, without the accounts that are full.

    Those whose health stands in their lists know nothing of it here: an account that is signed out
    looks free.

    :param id_key: the key of an account's id.
    :param job_key: the key of a job's id.
    :param job: what such an id looks like.
    :param knows_health: whether accounts in trouble are left out.
    """

    def body(accounts: Accounts) -> Any:
        # Sorted by what is free; an account without a free slot is not listed.
        free = {each.id: each.free if knows_health else each.idle_slots for each in accounts}
        offers = sorted((each for each in accounts if free[each.id]), key=lambda e: -free[e.id])
        return {
            "executing": [
                {
                    job_key: job.format(id=account.id, number=number),
                    id_key: account.id,
                    "started": STARTED,
                    "elapsed": "01:30",
                }
                for account, number in _each_job(accounts)
            ],
            "available": [
                {
                    id_key: account.id,
                    "maxJobs": account.max_jobs,
                    "executing": account.running,
                    "available": free[account.id],
                }
                for account in offers
            ],
        }

    return body


def jobs_with_limits(accounts: Accounts) -> Any:
    """Muse and Google Vids: every account with its limit; 400 if there is none."""
    if not accounts:
        return _NONE
    return {
        "running": [
            {
                "jobid": _job(account, number),
                "email": account.id,
                "created": STARTED,
                "type": "video",
            }
            for account, number in _each_job(accounts)
        ],
        "accounts": {
            account.id: {"running": account.running, "maxJobs": account.max_jobs}
            for account in accounts
        },
    }


def gemini_jobs(accounts: Accounts) -> Any:
    """Gemini Notebook: every account with its limit and its health."""
    return {
        "accounts": {
            account.id: {
                "health": account.health,
                "maxJobs": account.max_jobs,
                "running": account.running,
                "jobs": [
                    {"jobid": _job(account, number), "type": "audio", "started_at": STARTED}
                    for number in range(account.running)
                ],
            }
            for account in accounts
        }
    }


def flowmusic_jobs(accounts: Accounts) -> Any:
    """Flow Music: the accounts that run something; ``{}`` if none does."""
    return {
        account.id: {
            "running": account.running,
            "maxJobs": account.max_jobs,
            "jobs": [
                {"jobid": _job(account, number), "status": "created", "created_at": STARTED}
                for number in range(account.running)
            ],
        }
        for account in accounts
        if account.running
    }


def dreamina_scheduler(accounts: Accounts) -> Any:
    """Dreamina: running jobs by account."""
    return {
        "executing": {
            account.id: [
                {
                    "jobid": _job(account, number),
                    "submitId": _UUID,
                    "model": "seedance",
                    "elapsedSeconds": 90,
                }
                for number in range(account.running)
            ]
            for account in accounts
            if account.running
        },
        "total": sum(account.running for account in accounts),
    }


def runwayml_scheduler(accounts: Accounts) -> Any:
    """Runway: tasks, whose ids name the account."""
    return [
        {"taskId": f"user:12345-runwayml:{account.id}-task:{_UUID}", "replyRef": str(number)}
        for account, number in _each_job(accounts)
    ]


def acemusic_jobs(accounts: Accounts) -> Any:
    """ACE Music: jobs that name their account."""
    return {
        "jobs": [
            {
                "jobid": _job(account, number),
                "type": "music",
                "status": "started",
                "email": account.id,
                "created": STARTED,
            }
            for account, number in _each_job(accounts)
        ]
    }


def google_flow_jobs(accounts: Accounts) -> Any:
    """Google Flow: the healthy accounts, and what each has to do, without a limit."""

    def summary(*, is_run: bool) -> Any:
        return {
            "summary": {
                account.id: {
                    "executing": account.running if is_run else 0,
                    "completed": 0,
                    "failed": 0,
                    "rateLimited": 0,
                    "avgResponseTime": 0,
                    "score": account.running if is_run else 0,
                }
                for account in accounts
            }
        }

    return {
        "emails": [account.id for account in accounts if account.is_healthy],
        "videos": summary(is_run=True),
        "images": summary(is_run=False),
        "combined": summary(is_run=True),
    }


def mureka_jobs(accounts: Accounts) -> Any:
    """Mureka: every account, and what the busy ones have to do, without a limit."""
    total = sum(account.running for account in accounts)
    return {
        "total": total,
        "music": total,
        "tts": 0,
        "accounts": {
            account.id: {
                "total": account.running,
                "music": account.running,
                "tts": 0,
                "jobs": [
                    {"jobid": _job(account, number), "verb": "music", "elapsed": "01:30"}
                    for number in range(account.running)
                ],
            }
            for account in accounts
            if account.running
        },
        "availableAccounts": [account.id for account in accounts],
    }
