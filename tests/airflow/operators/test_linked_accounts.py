"""Audits of linked accounts against the sandbox: two days of whole task runs, and what gets out."""

from __future__ import annotations

import json
import logging
import secrets
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_useapi.audit.snapshot import read_snapshot
from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.operators.report_file import write_report
from airflow_provider_useapi.operators.useapi import UseApiAuditOperator
from airflow_provider_useapi.sandbox import Answer, LinkedAccount, Sandbox
from airflow_provider_useapi.sandbox.account_lists import SECRET
from tests.helpers.clock import MovableClock
from tests.helpers.dag_runs import load, run
from tests.helpers.logs import record

A_DAY = 86400.0
CAPTCHAS = "/v1/google-flow/accounts/captcha-providers"
ONE, TWO, THREE = (f"studio{n}@mail.example.com" for n in (1, 2, 3))


def look(operator: UseApiAuditOperator, last: Any = None) -> Any:
    """The snapshot of an audit, without a history that Airflow keeps."""
    from airflow_provider_useapi.audit.rules import audited

    return audited(operator._look(None), last, min_credits=operator.min_credits)


def audit(**arguments: Any) -> UseApiAuditOperator:
    return UseApiAuditOperator(task_id="audit", **arguments)


@pytest.fixture
def quiet(sandbox: Sandbox) -> Sandbox:
    """A sandbox with nothing to find."""
    sandbox.account.update(accounts={}, sub=None, maxAccountsPerAPI=50)
    sandbox.link("kling", LinkedAccount(ONE), LinkedAccount(TWO))
    return sandbox


# --- Two days -------------------------------------------------------------------------------------


def test_what_one_day_finds_the_next_one_compares_with(
    airflow_db: None, quiet: Sandbox, monkeypatch: pytest.MonkeyPatch, airflow_clock: MovableClock
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_STUDIO", quiet.connection_json())
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_THIRD", quiet.connection_json())
    quiet.account["id"] = secrets.randbelow(10**9)  # which no test before has audited
    one, two = quiet.capacity["kling"]
    one.credits = 120
    dag = load("tests/dags/audits.py")["audit_linked_accounts"]
    days = []
    for broken, whole in ((one, two), (two, one)):
        broken.health, whole.health = "Session expired", "OK"
        instances = run(dag)
        told = instances["audit", 0].xcom_pull(task_ids="audit", map_indexes=0)
        days.append(read_snapshot(told["snapshot"]))
        failed = [str(instances["check", index].state) == "failed" for index in range(3)]
        assert failed == [broken is two] * 3, "who has enough is signed out then"
        airflow_clock.sleep(A_DAY)
    yesterday, today = days
    assert yesterday and today
    found = {(f.code, f.message.split(":")[0]): f.since for f in today.findings}
    assert found == {
        ("UA010", "st***o2@mail.example.com"): today.checked_at,
        ("UA012", "st***o1@mail.example.com"): yesterday.checked_at,
    }
    assert [f.code for f in today.new_findings] == ["UA010"]


# --- One audit ------------------------------------------------------------------------------------


def test_each_service_is_one_request_and_credits_one_an_account(quiet: Sandbox) -> None:
    look(audit())
    assert [request.path for request in quiet.requests] == ["/v2/account", "/v1/kling/accounts"]
    quiet.requests.clear()
    look(audit(min_credits={"kling": 1}))
    assert len(quiet.requests) == 4
    quiet.requests.clear()
    look(audit(linked_accounts=False))
    assert [request.path for request in quiet.requests] == ["/v2/account"]
    assert quiet.connections == 3, "one for each audit"


def test_what_cannot_be_read_is_said_and_is_no_finding(
    quiet: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = record(monkeypatch, UseApiAuditOperator)
    gone = Answer(status=404, body={"error": "Endpoint not found", "hint": {}})
    for answer in (503, 401, 402, gone, Answer(body="<html>"), Answer(reset=True)):
        quiet._scripts.clear()
        quiet.script("/v1/kling/accounts", answer, answer)  # a dead connection is tried once more
        snapshot = look(audit())
        assert snapshot.findings == ()
        assert lines[-1].startswith("WARNING Not read: kling: Connection 'useapi_default': ")
        assert snapshot.to_extra()["unread"][0] in lines[-1]


def test_captchas_that_nobody_solves(quiet: Sandbox) -> None:
    quiet.link("google-flow", LinkedAccount(THREE))
    assert look(audit()).findings == ()
    quiet.captcha = {}
    assert [f.code for f in look(audit()).findings] == ["UA014"]
    quiet.captcha = {"freeCaptchaCredits": 3}
    assert look(audit()).findings == ()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"min_credits": 500}, "a number for each service, such as"),
        ({"min_credits": {"kling": "500"}}, r"min_credits\['kling'\] must be a whole number"),
        ({"min_credits": {"dreamina": 1}}, "claims the free daily credits"),
        ({"min_credits": {"muse": 1}}, "no number of credits"),
        ({"min_credits": {"kling": 1}, "linked_accounts": False}, "needs linked_accounts"),
        ({"session_min_days": -1}, "session_min_days must be a whole number"),
    ],
)
def test_a_slip_is_told_in_the_dag_file(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(UseApiConfigError, match=says):
        audit(**arguments)


def test_no_page_with_a_side_effect_is_asked_for(sandbox: Sandbox) -> None:
    for slug, accounts in list(sandbox.capacity.items()):
        sandbox.link(slug, *accounts)
    numbers = ("google-flow", "kling", "minimax", "mureka", "pixverse", "runwayml")
    snapshot = look(audit(min_credits=dict.fromkeys(numbers, 1)))
    assert snapshot.unread == ()
    assert set(snapshot.linked) == set(sandbox.capacity)
    for slug in numbers:
        assert [each.credits for each in snapshot.linked[slug].accounts] == [1000, 1000]
    assert not any(account.has_claimed for account in sandbox.capacity["dreamina"])
    assert not any(account.codes_mailed for account in sandbox.capacity["muse"])


def is_redacted(extra: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether Airflow redacts something by its key, whatever was masked by its value before."""
    try:
        from airflow.sdk._shared.secrets_masker import _secrets_masker, redact
    except ImportError:
        try:
            from airflow.sdk.execution_time.secrets_masker import _secrets_masker, redact
        except ImportError:
            from airflow.utils.log.secrets_masker import _secrets_masker, redact
    monkeypatch.setattr(_secrets_masker(), "replacer", None)
    return bool(redact(extra) != extra)


def test_airflow_redacts_no_key_of_a_snapshot(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.break_down()
    snapshot = look(audit(min_credits={"kling": 500, "google-flow": 9}))
    extra = json.loads(json.dumps(snapshot.to_extra()))
    assert {"UA010", "UA012", "UA014"} <= {finding["code"] for finding in extra["findings"]}
    assert not is_redacted(extra, monkeypatch)
    assert is_redacted({**extra, "token": "x"}, monkeypatch), "it would notice"


def test_nothing_of_the_bodies_gets_out_of_an_audit(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    # The sandbox's own half of the conversation is not ours; Airflow 2.11 prints it.
    caplog.set_level(logging.INFO, logger="airflow_provider_useapi.sandbox.server")
    canary = secrets.token_hex(8)
    for slug in list(sandbox.capacity):
        prefix = "US:" if slug == "dreamina" else ""
        words = f"Sign {canary}-two@mail.example.com in again"
        sandbox.link(
            slug,
            LinkedAccount(f"{prefix}{canary}-one@mail.example.com"),
            LinkedAccount(f"{prefix}{canary}-two@mail.example.com", health=words, credits=1),
        )
    numbers = ("google-flow", "kling", "minimax", "mureka", "pixverse", "runwayml")
    operator = audit(min_credits=dict.fromkeys(numbers, 500), report_path=f"{tmp_path}/a.html")
    snapshot = look(operator)
    operator._tell(snapshot, "summary")
    write_report(snapshot, operator.report_path or "")
    sandbox.script("/v1/kling/accounts", Answer(status=500, body={"error": f"{canary}@x.y"}))
    failed = look(operator, snapshot)
    shown = [snapshot.to_extra(), failed.to_extra(), repr(snapshot), failed.findings]
    ours = [each.getMessage() for each in caplog.records if "sandbox" not in each.name]
    text = json.dumps(shown, default=str) + "".join(ours) + "".join(capfd.readouterr())
    text += (tmp_path / "a.html").read_text()
    assert f"{canary[:2]}***ne@mail.example.com" in text, "the search finds nothing at all"
    assert "UA012" in text
    for hidden in (canary, SECRET, "pay.example.com"):
        assert hidden not in text


def test_a_connection_that_cannot_be_used_fails_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", "useapi://:@x")
    with pytest.raises(AirflowFailException):
        look(audit())
