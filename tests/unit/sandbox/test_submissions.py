"""Jobs that somebody submits to the sandbox: which account takes them, and for how long."""

from __future__ import annotations

import json

import pytest

from airflow_provider_useapi.sandbox import LinkedAccount, Sandbox
from tests.helpers.clock import MovableClock
from tests.helpers.sandbox_client import get, served

KLING, VIDEOS = "/v1/kling/scheduler/available", "/v1/kling/videos/text2video"
ONE, TWO = LinkedAccount("one@b.c", max_jobs=2, running=1), LinkedAccount("two@b.c", max_jobs=2)
BROKEN = LinkedAccount("broken@b.c", max_jobs=9, health="signed out")


@pytest.fixture
def kling(sandbox: Sandbox) -> Sandbox:
    """Two accounts that can take three jobs more, and one that takes none."""
    sandbox.link("kling", ONE, TWO, BROKEN)
    return sandbox


def submit(s: Sandbox, path: str = VIDEOS) -> tuple[int, dict[str, object]]:
    status, _, body = get(s, path, method="POST")
    return status, json.loads(body)


def free(s: Sandbox) -> dict[str, int]:
    """What the scheduler of Kling offers."""
    return {each["email"]: each["available"] for each in served(s, KLING)["available"]}


def test_a_job_takes_a_slot_of_the_account_with_the_most(kling: Sandbox) -> None:
    assert free(kling) == {"one@b.c": 1, "two@b.c": 2, "broken@b.c": 9}
    assert submit(kling) == (
        200,
        {"jobid": "user:12345-account:two@b.c-job:1", "email": "two@b.c", "status": "created"},
    )
    assert free(kling) == {"one@b.c": 1, "two@b.c": 1, "broken@b.c": 9}
    executing = [job["email"] for job in served(kling, KLING)["executing"]]
    assert executing == ["one@b.c", "two@b.c"]
    assert (ONE.running, TWO.running) == (1, 0), "left as they were set"


def test_each_service_has_jobs_of_its_own(kling: Sandbox) -> None:
    kling.link("google-flow", LinkedAccount(TWO.id, max_jobs=1))
    assert submit(kling, "/v1/google-flow/videos")[0] == 200
    assert free(kling)["two@b.c"] == 2
    summary = served(kling, "/v1/google-flow/jobs/")["videos"]["summary"]
    assert summary["two@b.c"]["executing"] == 1


def test_who_comes_while_every_slot_is_taken_is_told_when_to_come_back(
    clock: MovableClock, kling: Sandbox
) -> None:
    kling.job_seconds = 30
    assert [submit(kling)[0] for _ in range(3)] == [200] * 3
    clock.sleep(10.5)
    status, headers, body = get(kling, VIDEOS, method="POST")
    assert (status, headers["Retry-After"]) == (429, "20")
    assert json.loads(body).keys() == {"error", "code", "retryAfter"}
    assert [job.account for job in kling.jobs] == ["two@b.c", "one@b.c", "two@b.c"]


def test_a_job_is_over_after_its_time(clock: MovableClock, kling: Sandbox) -> None:
    kling.job_seconds = 30
    submit(kling)
    kling.job_seconds = 60
    submit(kling)
    clock.sleep(30)
    assert sum(free(kling).values()) == 2 + 9
    clock.sleep(30)
    assert sum(free(kling).values()) == 3 + 9
    first, second = kling.jobs
    assert (first.number, first.ends - first.began) == (1, pytest.approx(30))
    assert second.ends - second.began == pytest.approx(60)


def test_nobody_knows_when_jobs_end_that_were_not_submitted(kling: Sandbox) -> None:
    kling.link("kling", LinkedAccount("one@b.c", max_jobs=1, running=1))
    status, headers, _ = get(kling, VIDEOS, method="POST")
    assert (status, headers["Retry-After"]) == (429, None)
    assert kling.jobs == []
    kling.link("kling")
    assert submit(kling)[0] == 429


def test_no_slot_is_free_on_a_busy_day(clock: MovableClock) -> None:
    with Sandbox(busy_for=60, job_seconds=5) as busy:
        assert submit(busy)[0] == 429
        clock.sleep(60)
        assert submit(busy)[0] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/kling/videos/text2video", 200),
        ("/v1/tempolor/accounts/new", 404),  # would link one
        ("/v1/kling/accounts", 405),
        ("/v1/kling/scheduler/available", 405),
        ("/v1/kling/", 404),
        ("/v1/nothing/videos", 404),
    ],
)
def test_only_a_page_of_a_service_takes_jobs(kling: Sandbox, path: str, status: int) -> None:
    assert submit(kling, path)[0] == status


def test_a_job_needs_the_token_and_is_submitted_with_post(kling: Sandbox) -> None:
    assert get(kling, VIDEOS, method="POST", authorization="Bearer other")[0] == 401
    assert get(kling, VIDEOS)[0] == 404
    kling.script(VIDEOS, 503)
    assert submit(kling)[0] == 503
    assert kling.jobs == []
