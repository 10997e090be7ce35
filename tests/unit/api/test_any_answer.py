"""Whatever an endpoint answers: what is documented, or the one error of ours that fits."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import FIELDS, Account
from airflow_provider_useapi.api.capacity import capacity_of
from airflow_provider_useapi.api.captcha import read_has_captchas
from airflow_provider_useapi.api.credits import Credits, read_credits
from airflow_provider_useapi.api.endpoints import Service
from airflow_provider_useapi.api.linked_accounts import (
    AccountStatus,
    read_statuses,
    shown_statuses,
)
from airflow_provider_useapi.api.live_answers import read_rows
from airflow_provider_useapi.api.responses import MAX_BODY, Answer, read_account
from airflow_provider_useapi.api.service_names import slug_of
from airflow_provider_useapi.api.services import CATALOGUE
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate.condition import Condition
from airflow_provider_useapi.gate.verdict import Verdict, judge_account, judge_capacity
from airflow_provider_useapi.redaction import PERSONAL
from airflow_provider_useapi.sandbox import LinkedAccount
from airflow_provider_useapi.sandbox.live_endpoints import live_answer
from tests.helpers.account_bodies import ACCOUNTS, CREDITS
from tests.helpers.bodies import DOCUMENTED
from tests.helpers.odd_json import (
    EMAIL,
    TOKEN,
    Writer,
    as_bytes,
    assert_line,
    assert_shown,
    written,
)

ASKED = {"conn_id": "c", "secrets": [TOKEN]}
LIVE = [service for service in CATALOGUE if service.live]
LISTED = [service for service in CATALOGUE if service.accounts]
TELLING = [service for service in CATALOGUE if service.credits]

KEYS = [
    *FIELDS, "total", "active", "Kling API", "kling", "message", "hint", "retryAfter", "email",
    "account", "user_id", "available", "maxJobs", "executing", "running", "health", "jobs",
    "taskId", "emails", "combined", "summary", "quarantine", "availableAccounts", "session",
    "expires", "sessionExpires", "jwt", "exp", "exp_Expire", "ExpireTimeUTC", "nextRefresh",
    "workspace", "plan", "credits", "userPaygateTier", "balance", "points", "endTime", "quota",
    "tier", "resetsAt", "lastKnownQuota", "windows", "permitted", "used", "numPlanCredits",
    "freeCaptchaCredits", EMAIL,
]  # fmt: skip
STATUSES = [200] * 20 + [402, 402, 400, 401, 403, 404, 404, 429, 503, 596, 0, 100, 204, 302, 999]
FLAWS = [""] * 9 + ["cut off", "garbled", "larger than 1 MiB"]


def answer(write: Writer, *documented: Any) -> Answer:
    """Any answer at all, and such that begin as documented."""
    random = write.random
    headers = {"retry-after": write.text()} if random.random() < 0.3 else {}
    body = as_bytes(write.body(*documented))
    if random.random() < 0.05:
        at = random.randrange(len(body) + 1)
        body = body[:at] + random.randbytes(random.randrange(3)) + body[at:]
    return Answer(random.choice(STATUSES), headers, body, random.choice(FLAWS))


def outcome(read: Callable[..., Any], *arguments: Any) -> Any:
    """What a reader makes of an answer; an error only if it is one of ours, and fit to be shown."""
    try:
        return read(*arguments, **ASKED)
    except UseApiError as e:
        assert_shown(str(e))
        assert e.__cause__ is None
        assert e.retry_after is None or 0 <= e.retry_after <= 86400
        assert e.status_code == arguments[-1].status
        return None


def assert_stored(value: object) -> None:
    """JSON that every database takes."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert "\0" not in text and "\\u0000" not in text
    text.encode()


def assert_count(number: int | None) -> None:
    assert number is None or (type(number) is int and 0 <= number < 10**17)


def assert_verdict(verdict: Verdict) -> None:
    for line in (*verdict.reasons, *verdict.warnings, verdict.opening()):
        assert_line(line)
    assert_stored(verdict.to_xcom("now"))


NAMED = {**DOCUMENTED, "email": EMAIL, "name": EMAIL, "error": EMAIL}


@given(written(KEYS, lambda write: (answer(write, DOCUMENTED, NAMED), write.text())))
def test_an_account(drawn: tuple[Answer, str]) -> None:
    told, service = drawn
    account: Account | None = outcome(read_account, told)
    if account is None:
        return
    assert_stored(account.to_dict(redact=PERSONAL))
    shown = repr(replace(account, services={}))  # its keys are names of services
    assert TOKEN not in shown
    for found in account.services.values():
        assert account.service(found.name) is not None
        for number in (found.total, found.active, found.error, found.allocations_left):
            assert_count(number)
    assert account.renewed_on is None or 2000 <= account.renewed_on.year < 2100
    for name in (service, "kling", "Runway AP"):
        assert_verdict(judge_account(account, Condition(name), slug_of(name)))


LINKED = [
    LinkedAccount(EMAIL, max_jobs=2, running=1),
    LinkedAccount("11223388", max_jobs=3, health=f"{EMAIL} is signed out"),
]
LIVE_BODIES = {
    endpoint: live_answer(endpoint.path.partition("?")[0], LINKED).body
    for service in LIVE
    for endpoint in service.live
}


def live_answers(write: Writer) -> tuple[Service, list[Answer]]:
    service = write.random.choice(LIVE)
    return service, [answer(write, LIVE_BODIES[endpoint]) for endpoint in service.live]


@given(written(KEYS, live_answers), st.sampled_from([None, 1, 4]))
def test_what_is_free(drawn: tuple[Service, list[Answer]], own: int | None) -> None:
    service, answered = drawn
    told = {
        endpoint: outcome(partial(read_rows, endpoint), each)
        for endpoint, each in zip(service.live, answered, strict=True)
    }
    if None in told.values():
        return
    capacity = capacity_of(service.slug, told, own)
    for account in capacity.accounts:
        for number in (account.max_jobs, account.running, account.free):
            assert_count(number)
        assert account.healthy or account.free == 0
        if account.reason is not None:
            assert_shown(account.reason, 200)
    assert_stored(capacity.to_dict())
    active = Verdict((), (), subscription_is_active=True, slug=service.slug)
    condition = Condition(service.slug, min_free_job_slots=10**6)
    assert_verdict(judge_capacity(active, condition, capacity, 1))


def account_list(write: Writer) -> tuple[Service, Answer]:
    service = write.random.choice(LISTED)
    good, bad = ACCOUNTS[service.slug].values()
    return service, answer(write, ACCOUNTS[service.slug], {EMAIL: bad, TOKEN: good})


@given(written(KEYS, account_list))
def test_linked_accounts(drawn: tuple[Service, Answer]) -> None:
    service, told = drawn
    read = partial(read_statuses, service, service.accounts, 1)
    found: tuple[AccountStatus, ...] | None = outcome(read, told)
    for name, status in shown_statuses(found or ()):
        assert_count(status.max_jobs)
        assert_shown(repr(status))
        for text in (name, status.hint, status.reason or "", status.plan or ""):
            assert_shown(text, 200)


def credit_page(write: Writer) -> tuple[Service, str, Answer]:
    service = write.random.choice(TELLING)
    documented = CREDITS[service.slug]
    told = answer(write, documented, {**documented, "email": EMAIL})
    return service, write.random.choice((EMAIL, write.text())), told


@given(written(KEYS, credit_page))
def test_credits(drawn: tuple[Service, str, Answer]) -> None:
    service, account, told = drawn
    assert service.credits
    read = partial(read_credits, service.credits, account)
    found: dict[str, Credits] = outcome(read, told) or {}
    for each in found.values():
        assert_count(each.total)
        assert_shown(repr(each))
        assert_shown(each.hint)
        assert_shown(each.plan or "")
    assert service.credits.path_of(account).isascii()


PROVIDERS = {"freeCaptchaCredits": 3, "CapSolver": "canary"}


@given(written(KEYS, lambda write: answer(write, PROVIDERS, {"freeCaptchaCredits": 0})))
def test_captchas(told: Answer) -> None:
    assert outcome(read_has_captchas, told) in (None, True, False)


# --- However much comes ---------------------------------------------------------------------------

READERS: dict[str, Callable[..., Any]] = {
    "account": read_account,
    **{
        f"live {endpoint.dialect}": partial(read_rows, endpoint)
        for service in LIVE
        for endpoint in service.live
    },
    "accounts": partial(read_statuses, LISTED[0], LISTED[0].accounts, 1),
    **{
        f"credits {service.slug}": partial(read_credits, service.credits, EMAIL)
        for service in TELLING
    },
    "captchas": read_has_captchas,
}
"""One a dialect."""

LOTS: dict[str, Callable[[int], str]] = {
    "deep lists": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "deep objects": lambda size: '{"a":' * (size // 6) + "1" + "}" * (size // 6),
    "objects": lambda size: f"[{','.join(['{}'] * (size // 3))}]",
    "keys": lambda size: json.dumps({f"{n:06}": 0 for n in range(size // 13)}),
    "spaces": lambda size: '{"a' + " " * size + 'b":{}}',
    "suffixes": lambda size: '{"x' + " ai api" * (size // 7) + ' x":{}}',
    "marks": lambda size: '{"' + "-_" * (size // 2) + '":{"error":"' + "@" * 9 + '"}}',
    "tasks": lambda size: '[{"taskId":"user:1-runwayml:' + "-task:" * (size // 6) + '"}]',
    "escapes": lambda size: '["' + "\\u0040" * (size // 6) + '"]',
}
HOLDERS = [
    "%s",
    '{"accounts":%s}',
    '{"available":%s}',
    '{"jobs":%s}',
    '{"error":%s}',
    '{"email":%s}',
]


@pytest.mark.parametrize("lots", LOTS)
def test_a_megabyte_is_read_in_no_time(lots: str) -> None:
    body = (HOLDERS[list(LOTS).index(lots) % 3] % LOTS[lots](MAX_BODY - 100)).encode()
    assert MAX_BODY * 0.9 < len(body) <= MAX_BODY
    for name, read in READERS.items():
        began = time.process_time()
        found = outcome(read, Answer(200, body=body))
        if isinstance(found, Account):
            assert_verdict(judge_account(found, Condition("sora"), "sora"))
        assert time.process_time() - began < 4, name


@pytest.mark.parametrize("lots", LOTS)
def test_a_megabyte_takes_no_more_than_a_hundred(lots: str) -> None:
    body = (HOLDERS[1] % LOTS[lots](MAX_BODY - 100)).encode()
    tracemalloc.start()
    try:
        outcome(read_account, Answer(200, body=body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * MAX_BODY


# What json just takes may be too deep for whoever shows it: both give up at about a thousand.
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("holder", [*HOLDERS, '{"email":%s}', '{"user":{"id":%s}}'])
def test_no_depth_ends_the_reader(name: str, holder: str) -> None:
    for depth in range(860, 1000, 3):  # less what the tests stand on
        for open_, close in (("[", "]"), ('{"a":', "}")):
            body = holder % (open_ * depth + "1" + close * depth)
            outcome(READERS[name], Answer(200, body=body.encode()))
