"""
A stand-in for the HTTP API of useapi.net on loopback, since the real one has no sandbox.

In tests, with faults on demand::

    from airflow_provider_useapi.sandbox import Answer, Sandbox

    with Sandbox() as s:
        s.script("/v2/account", 503, Answer(status=429, headers={"Retry-After": "5"}))
        ...  # whatever calls s.url with s.token: two faults, then normal service
        assert [request.status for request in s.requests] == [503, 429, 200]

A busy day::

    from airflow_provider_useapi.sandbox import LinkedAccount

    s.link("kling", LinkedAccount("a@example.com", max_jobs=5, running=5))
    s.capacity["kling"][0].running = 2  # a while later: three job slots are free

Jobs that somebody submits: ``POST`` of anything to a page of a service takes a job slot of one of
its accounts for ``s.job_seconds``, and is answered with 429 while every slot is taken::

    s.job_seconds = 20
    ...  # POST /v1/kling/videos/text2video, from whatever submits jobs
    assert [job.account for job in s.jobs] == ["a@example.com"]

As a pytest fixture: ``useapi_sandbox``. From the command line:
``python -m airflow_provider_useapi.sandbox``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_useapi.sandbox.answers import Answer
    from airflow_provider_useapi.sandbox.http.request import Request
    from airflow_provider_useapi.sandbox.jobs import Job
    from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount
    from airflow_provider_useapi.sandbox.server import Sandbox

__all__ = ["Answer", "Job", "LinkedAccount", "Request", "Sandbox"]


def __getattr__(name: str) -> object:
    # Loaded on first use: every pytest run imports this package on its way to the fixture.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_provider_useapi.sandbox.answers import Answer
    from airflow_provider_useapi.sandbox.http.request import Request
    from airflow_provider_useapi.sandbox.jobs import Job
    from airflow_provider_useapi.sandbox.linked_accounts import LinkedAccount
    from airflow_provider_useapi.sandbox.server import Sandbox

    faces = (Answer, Job, LinkedAccount, Request, Sandbox)
    globals().update({face.__name__: face for face in faces})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
