"""The endpoints that useapi.net answers from its own records, and what each of them says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_useapi.sandbox import live_bodies as jobs
from airflow_provider_useapi.sandbox.account_lists import LISTS
from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.live_bodies import Accounts

_VIDEO = "user:12345-minimax:{id}-video:{number}"


def live_answer(path: str, accounts: Accounts) -> Answer:
    """
    The answer of a live endpoint; with status 200 unless its service says otherwise.

    :param path: one of ``LIVE``.
    :param accounts: the linked accounts of its service.
    """
    _, render = LIVE[path]
    answer = render(accounts)
    return answer if isinstance(answer, Answer) else Answer(body=answer)


LIVE: dict[str, tuple[str, Callable[[Accounts], Any]]] = {
    **LISTS,
    "/v1/acemusic/jobs": ("acemusic", jobs.acemusic_jobs),
    "/v1/dreamina/scheduler": ("dreamina", jobs.dreamina_scheduler),
    "/v1/flowmusic/jobs": ("flowmusic", jobs.flowmusic_jobs),
    "/v1/gemini-notebook/jobs": ("gemini-notebook", jobs.gemini_jobs),
    "/v1/google-flow/jobs/": ("google-flow", jobs.google_flow_jobs),
    "/v1/google-vids/jobs": ("google-vids", jobs.jobs_with_limits),
    "/v1/kling/scheduler/available": ("kling", jobs.available("email", "id")),
    "/v1/minimax/scheduler/available": ("minimax", jobs.available("account", "videoId", _VIDEO)),
    "/v1/mureka/jobs": ("mureka", jobs.mureka_jobs),
    "/v1/muse/jobs": ("muse", jobs.jobs_with_limits),
    "/v2/pixverse/scheduler/available": ("pixverse", jobs.available("email", "id")),
    "/v1/runwayml/scheduler/": ("runwayml", jobs.runwayml_scheduler),
    "/v1/tempolor/scheduler/available": (
        "tempolor",
        jobs.available("user_id", "job_id", knows_health=True),
    ),
}
"""The service of each path, and what renders its body."""
