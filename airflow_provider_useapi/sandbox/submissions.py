"""Submissions: what the sandbox says to somebody who wants a job done."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from airflow_provider_useapi.sandbox.answers import Answer
from airflow_provider_useapi.sandbox.state import State

_PATH = re.compile(r"/v[0-9]+/([a-z-]+)/(?!accounts(?:/|$)).+")


def submission(path: str, state: State) -> Answer | None:
    """
    The answer to a ``POST`` of a job; ``None`` if that path takes none.

    Any path below the slug of a service counts as one of its pages that generate something, such
    as ``/v1/google-flow/videos``, and any body as one that it accepts. An account with a free job
    slot takes the job, and runs it for ``job_seconds``. If there is none the answer is 429; it says
    when to come back, if the next slot to become free is that of a submitted job.

    :param path: the path that was asked for.
    :param state: what is served.
    """
    match = _PATH.fullmatch(path)
    if match is None or match[1] not in state.capacity:
        return None
    job = state.submit(match[1])
    if job is None:
        return _full(state.next_end(match[1]))
    ident = f"user:12345-account:{job.account}-job:{job.number}"
    return Answer(body={"jobid": ident, "email": job.account, "status": "created"})


def _full(seconds: float | None) -> Answer:
    """No account has a free job slot; the first has one in that many seconds, if known."""
    body = {"error": "All accounts are busy", "code": 429}
    if seconds is None:
        return Answer(status=429, body=body)
    wait = max(1, math.ceil(seconds))
    until = (datetime.now(UTC) + timedelta(seconds=wait)).isoformat(timespec="milliseconds")
    return Answer(
        status=429, headers={"Retry-After": str(wait)}, body={**body, "retryAfter": until}
    )
