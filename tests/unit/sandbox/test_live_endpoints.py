"""The live endpoints of the sandbox: their shapes, and what they tell of linked accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from airflow_provider_useapi.sandbox.live_endpoints import LIVE
from tests.helpers.sandbox_client import get, served

PATHS = sorted(LIVE)
KLING = "/v1/kling/scheduler/available"


def test_it_serves_the_endpoints_of_the_catalogue_and_no_others() -> None:
    assert {path: service for path, (service, _) in LIVE.items()} == {
        endpoint.path.partition("?")[0]: service.slug
        for service in CATALOGUE
        for endpoint in (*service.live, service.accounts)
        if endpoint
    }


ONE = LinkedAccount("a@b.c", max_jobs=4, running=1)
IDLE = LinkedAccount("d@e.f", max_jobs=2)
FULL = LinkedAccount("g@h.i", max_jobs=1, running=1)
BROKEN = LinkedAccount("j@k.l", max_jobs=3, health="signed out")
ALL = {"a@b.c", "d@e.f", "g@h.i", "j@k.l"}
SHAPES: dict[str, Any] = {
    KLING: (
        {"executing", "available"},
        lambda body: (
            body["available"]
            == [
                {"email": "a@b.c", "maxJobs": 4, "executing": 1, "available": 3},
                {"email": "j@k.l", "maxJobs": 3, "executing": 0, "available": 3},
                {"email": "d@e.f", "maxJobs": 2, "executing": 0, "available": 2},
            ]
        ),
    ),
    "/v1/minimax/scheduler/available": (
        {"executing", "available"},
        lambda body: (
            body["available"][0]["account"] == "a@b.c"
            and body["executing"][1]["videoId"] == "user:12345-minimax:g@h.i-video:0"
        ),
    ),
    "/v2/pixverse/scheduler/available": (
        {"executing", "available"},
        lambda body: body["available"][0]["email"] == "a@b.c",
    ),
    "/v1/tempolor/scheduler/available": (
        {"executing", "available"},
        lambda body: body["available"][0]["user_id"] == "a@b.c",
    ),
    "/v1/muse/jobs": (
        {"running", "accounts"},
        lambda body: body["accounts"]["j@k.l"] == {"running": 0, "maxJobs": 3},
    ),
    "/v1/muse/accounts": (
        {"a@b.c", "d@e.f", "g@h.i", "j@k.l"},
        lambda body: body["j@k.l"]["health"] == "signed out" and body["a@b.c"]["health"] == "OK",
    ),
    "/v1/google-vids/jobs": (
        {"running", "accounts"},
        lambda body: len(body["running"]) == 2 and len(body["accounts"]) == 4,
    ),
    "/v1/google-vids/accounts": (
        {"a@b.c", "d@e.f", "g@h.i", "j@k.l"},
        lambda body: body["a@b.c"]["cookies"] and body["a@b.c"]["maxJobs"] == 4,
    ),
    "/v1/gemini-notebook/jobs": (
        {"accounts"},
        lambda body: body["accounts"]["j@k.l"]["health"] == "signed out",
    ),
    "/v1/flowmusic/jobs": (
        {"a@b.c", "g@h.i"},
        lambda body: body["a@b.c"]["running"] == 1 == len(body["a@b.c"]["jobs"]),
    ),
    "/v1/flowmusic/accounts": (
        {"a@b.c", "d@e.f", "g@h.i", "j@k.l"},
        lambda body: (
            body["j@k.l"]["error"] == "signed out"
            and "error" not in body["a@b.c"]
            and {"access_token", "refresh_token", "session_id"} <= set(body["a@b.c"])
        ),
    ),
    "/v1/dreamina/scheduler": (
        {"executing", "total"},
        lambda body: set(body["executing"]) == {"a@b.c", "g@h.i"} and body["total"] == 2,
    ),
    "/v1/dreamina/accounts": (
        {"a@b.c", "d@e.f", "g@h.i", "j@k.l"},
        lambda body: body["d@e.f"]["maxJobs"] == 2,
    ),
    "/v1/runwayml/scheduler/": (
        None,
        lambda body: body[0]["taskId"].startswith("user:12345-runwayml:a@b.c-task:"),
    ),
    "/v1/runwayml/accounts": (
        {"a@b.c", "d@e.f", "g@h.i", "j@k.l"},
        lambda body: body["a@b.c"]["password"] and body["a@b.c"]["jwt"]["token"],
    ),
    "/v1/acemusic/jobs": ({"jobs"}, lambda body: body["jobs"][0]["email"] == "a@b.c"),
    "/v1/acemusic/accounts": (
        {"a@b.c", "d@e.f", "g@h.i", "j@k.l"},
        lambda body: (body["j@k.l"]["health"], body["j@k.l"]["error"]) == ("error", "signed out"),
    ),
    "/v1/google-flow/jobs/": (
        {"emails", "videos", "images", "combined"},
        lambda body: (
            body["emails"] == ["a@b.c", "d@e.f", "g@h.i"]
            and body["combined"]["summary"]["a@b.c"]["executing"] == 1
        ),
    ),
    "/v1/mureka/jobs": (
        {"total", "music", "tts", "accounts", "availableAccounts"},
        lambda body: (
            body["availableAccounts"] == ["a@b.c", "d@e.f", "g@h.i", "j@k.l"]
            and set(body["accounts"]) == {"a@b.c", "g@h.i"}
        ),
    ),
    "/v1/gemini-notebook/accounts": (ALL, lambda body: body["j@k.l"]["health"] == "signed out"),
    "/v1/google-flow/accounts": (
        ALL,
        lambda body: (
            body["j@k.l"]["health"] == body["j@k.l"]["error"] == "signed out"
            and "nextRefresh" not in body["j@k.l"]
            and body["a@b.c"]["nextRefresh"]
        ),
    ),
    "/v1/kling/accounts": (
        ALL,
        lambda body: body["a@b.c"]["session"]["ExpireTimeUTC"] and body["j@k.l"]["error"],
    ),
    "/v1/minimax/accounts": (ALL, lambda body: body["a@b.c"]["jwt"]["exp_Expire"]),
    "/v1/mureka/accounts": (
        ALL,
        lambda body: "maxJobs" not in body["a@b.c"] and body["j@k.l"]["error"] == "signed out",
    ),
    "/v2/pixverse/accounts": (ALL, lambda body: body["a@b.c"]["jwt"]["ExpireTimeUTC"]),
    "/v1/tempolor/accounts": (ALL, lambda body: "error" not in body["j@k.l"]),
}


@pytest.mark.parametrize("path", PATHS)
def test_each_endpoint_has_its_documented_shape(sandbox: Sandbox, path: str) -> None:
    sandbox.capacity[LIVE[path][0]] = [ONE, IDLE, FULL, BROKEN]
    keys, holds = SHAPES[path]
    body = served(sandbox, path)
    assert (set(body) if isinstance(body, dict) else None) == keys
    assert holds(body)


def test_a_change_tells_at_the_next_request(sandbox: Sandbox) -> None:
    account = sandbox.capacity["kling"][0]
    before = served(sandbox, KLING)["available"]
    account.running = account.max_jobs
    assert [each["email"] for each in before] == ["kling-1@example.com", "kling-2@example.com"]
    assert [each["email"] for each in served(sandbox, KLING)["available"]] == [before[1]["email"]]
    account.running, account.health = 0, "signed out"
    assert len(served(sandbox, KLING)["available"]) == 2, "it knows nothing of health"
    assert "signed out" not in str(served(sandbox, KLING))
    assert served(sandbox, "/v1/kling/accounts")[account.id]["error"] == "signed out"
    assert Sandbox().capacity["kling"][0].is_healthy, "each sandbox has accounts of its own"


@pytest.mark.parametrize(
    ("service", "answers"),
    [
        ("kling", [(200, {"executing": [], "available": []}), (404, None)]),
        ("muse", [(400, None), (200, {})]),
        ("google-vids", [(400, None), (200, {})]),
        ("gemini-notebook", [(200, {"accounts": {}}), (200, {})]),
        ("flowmusic", [(200, {}), (200, {})]),
        ("dreamina", [(200, {"executing": {}, "total": 0}), (200, {})]),
        ("runwayml", [(200, []), (404, None)]),
        ("acemusic", [(200, {"jobs": []}), (200, {})]),
    ],
)
def test_what_it_says_when_no_account_is_configured(
    sandbox: Sandbox, service: str, answers: list[tuple[int, Any]]
) -> None:
    del sandbox.capacity[service]
    paths = sorted((path for path in LIVE if LIVE[path][0] == service), reverse=True)
    paths.sort(key=lambda path: path.endswith("/accounts"))
    for path, (status, body) in zip(paths, answers, strict=True):
        found, _, text = get(sandbox, path)
        assert found == status
        if body is not None:
            assert json.loads(text) == body


def test_scripts_tokens_and_methods_count_there_too(sandbox: Sandbox) -> None:
    sandbox.script(KLING, 503, Answer(body={"available": 1}), 200)
    assert get(sandbox, KLING)[0] == 503
    assert served(sandbox, KLING) == {"available": 1}
    assert len(served(sandbox, KLING)["available"]) == 2, "a 200 without a body is the usual one"
    assert get(sandbox, KLING, authorization=None)[0] == 401
    assert get(sandbox, KLING, method="POST")[0] == 405
    assert get(sandbox, "/v1/kling/accounts/a@b.c")[0] == 404, "not linked"
    assert get(sandbox, "/v1/google-flow/jobs/?options=summary")[0] == 200


def test_what_is_no_linked_account_is_told_and_not_fatal(sandbox: Sandbox) -> None:
    sandbox.capacity["kling"] = [{"email": "a@b.c"}]  # type: ignore[list-item]
    status, _, body = get(sandbox, KLING)
    assert (status, "write linked accounts as LinkedAccount" in body.decode()) == (500, True)
    sandbox.capacity["kling"] = [ONE]
    assert get(sandbox, KLING)[0] == 200
