"""The audit operators against the sandbox, through whole task runs where history counts."""

from __future__ import annotations

import logging
import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Asset, AssetAlias

from airflow_provider_useapi import assets
from airflow_provider_useapi.compat.assets import newest_extras
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiConnectionNotFoundError,
    UseApiUnavailableError,
)
from airflow_provider_useapi.operators import report_file
from airflow_provider_useapi.operators.audit import UseApiAuditOperator as Audit
from airflow_provider_useapi.operators.useapi import UseApiAuditCheckOperator, UseApiAuditOperator
from airflow_provider_useapi.sandbox import Answer, Sandbox
from tests.helpers.clock import MovableClock
from tests.helpers.dag_runs import load, run

ROOT = Path(__file__).parents[3]
PATH = "/v2/account"
HAS_TASK_SDK = hasattr(Asset, "name")
STUDIO = "studio/a+b.c"


@pytest.fixture
def dags(
    airflow_db: None, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, Any]:
    """The DAGs of the tests, with two connections of the same sandbox and no history of them."""
    for number, name in enumerate(("useapi_default", "useapi_studio")):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", sandbox.connection_json())
        # Another account than that of the tests before: their events are no baseline.
        sandbox.account["id"] = abs(hash((str(tmp_path), number))) % 10**9
    return load("tests/dags/audits.py")


def states(instances: dict[tuple[str, int], Any]) -> dict[tuple[str, int], str]:
    return {key: str(instance.state) for key, instance in instances.items()}


def returned(instances: dict[tuple[str, int], Any], index: int = -1) -> dict[str, Any]:
    pulled: dict[str, Any] = instances["audit", index].xcom_pull(
        task_ids="audit", map_indexes=index
    )
    return pulled


def codes(audit: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in audit["findings"]]


def test_a_mapped_audit_is_compared_with_the_last_one_of_its_connection(
    dags: dict[str, Any], sandbox: Sandbox
) -> None:
    first = run(dags["audits"])
    assert set(states(first).values()) == {"success"}
    audit = returned(first, 0)
    assert sorted(audit) == ["findings", "snapshot", "summary", "version"]
    assert audit["snapshot"]["conn_id"] == "useapi_default"
    assert returned(first, 1)["snapshot"]["conn_id"] == "useapi_studio"
    assert codes(audit) == ["UA002", "UA003", "UA003", "UA003", "UA008"]

    sandbox.account["accounts"]["MiniMax API"] = {"total": 3, "error": 3}
    del sandbox.account["accounts"]["Runway AP"]
    second = run(dags["audits"])
    assert codes(returned(second, 1))[:2] == ["UA002", "UA002"]
    assert {"UA005", "UA006"} <= set(codes(returned(second, 1)))
    assert [instance.try_number for instance in second.values()] == [1] * 4
    assert states(second) == {
        ("audit", 0): "success",
        ("audit", 1): "success",
        ("check", 0): "failed",
        ("check", 1): "failed",
    }


def test_a_templated_audit_finds_what_a_mapped_one_recorded(
    dags: dict[str, Any], sandbox: Sandbox
) -> None:
    recorded = returned(run(dags["audits"]), 0)
    later = returned(run(dags["audit_templated"]))
    since = {finding["since"] for finding in later["findings"]}
    assert since == {recorded["snapshot"]["checked_at"]}
    assert later["snapshot"]["checked_at"] > recorded["snapshot"]["checked_at"]


def test_a_warning_fails_a_check_that_is_told_so(dags: dict[str, Any], sandbox: Sandbox) -> None:
    instances = run(dags["audit_templated"])
    assert states(instances) == {("audit", -1): "success", ("check", -1): "failed"}
    assert instances["check", -1].try_number == 1
    sandbox.account.update(accounts={"Kling API": {"total": 1, "active": 1}}, sub=None)
    assert set(states(run(dags["audit_templated"])).values()) == {"failed", "success"}, "UA006"
    assert set(states(run(dags["audit_templated"])).values()) == {"success"}


@pytest.mark.parametrize("status", [401, 402, 404, 596, 301])
def test_an_answer_without_an_account_is_a_result(
    dags: dict[str, Any], sandbox: Sandbox, status: int
) -> None:
    before = returned(run(dags["audits"]), 0)
    sandbox.script(PATH, *[status] * 2)
    instances = run(dags["audits"])
    assert states(instances)["audit", 0] == "success"
    assert states(instances)["check", 0] == "failed"
    refused = returned(instances, 0)
    assert codes(refused) == (["UA001", "UA007"] if status == 402 else ["UA009"])
    assert refused["snapshot"]["baseline"] == before["snapshot"]
    assert refused["snapshot"]["account_id"] is None
    # Back again, the comparison is with what was known last.
    del sandbox.account["accounts"]["Runway AP"]
    after = returned(run(dags["audits"]), 0)
    assert [f["code"] for f in after["findings"] if f["service"] == "runwayml"] == ["UA006"]
    assert "baseline" not in after["snapshot"]


def test_no_answer_is_no_result(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = sandbox.connection_uri(max_attempts=2)
    monkeypatch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", uri)
    sandbox.script(PATH, 503, Answer(reset=True), Answer(reset=True))
    with pytest.raises(UseApiUnavailableError):
        UseApiAuditOperator(task_id="audit").execute({})
    assert len(sandbox.requests) == 3, "a kept connection that was dead is no attempt"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"services": "kling"}, r"services must be a list .*\['kling', 'minimax'\]"),
        ({"services": [1]}, "services must be a list"),
        ({"services": ["kling", " "]}, "services must be a list"),
    ],
)
def test_what_cannot_be_asked_fails_without_retries(
    sandbox: Sandbox, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(AirflowFailException, match=message):
        UseApiAuditOperator(task_id="audit", **arguments).execute({})
    assert sandbox.requests == []


@pytest.mark.parametrize("retries", [0, 3])
def test_a_connection_that_is_not_found_is_for_the_retries_of_the_task(retries: int) -> None:
    with pytest.raises(UseApiConnectionNotFoundError, match="'missing' is not defined"):
        UseApiAuditOperator(task_id="audit", useapi_conn_id="missing", retries=retries).execute({})


@pytest.mark.parametrize("days", [-1, True, 1.0, "35", None])
def test_the_age_of_a_renewal_is_a_whole_number(days: Any) -> None:
    with pytest.raises(UseApiConfigError, match="renewal_max_age_days must be a whole number"):
        UseApiAuditOperator(task_id="audit", renewal_max_age_days=days)


def test_the_severity_to_fail_on_is_checked_in_the_dag_file() -> None:
    with pytest.raises(UseApiConfigError, match="fail_on must be 'critical' or 'warning'"):
        UseApiAuditCheckOperator(task_id="check", audit={}, fail_on="error")


@pytest.mark.parametrize(
    "audit",
    [
        None,
        [],
        "text",
        1,
        ["text"],
        {"findings": []},
        {"summary": "", "findings": [{"code": "UA001", "severity": "fatal"}]},
        {"summary": "", "findings": [{"code": "U", "severity": "x", "service": "", "message": ""}]},
    ],
)
def test_a_check_of_something_else_fails_and_says_what_to_write(audit: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"such as audit=audit\.output"):
        UseApiAuditCheckOperator(task_id="check", audit=audit).execute({})


def test_a_check_takes_several_audits(dags: dict[str, Any], sandbox: Sandbox) -> None:
    instances = run(dags["audits"])
    audits = [returned(instances, 0), returned(instances, 1)]
    UseApiAuditCheckOperator(task_id="check", audit=audits).execute({})
    with pytest.raises(AirflowFailException) as failed:
        UseApiAuditCheckOperator(task_id="check", audit=audits, fail_on="warning").execute({})
    lines = str(failed.value).splitlines()
    assert lines[0].startswith("useapi_default: 5 warnings (UA002 midjourney, UA003")
    assert lines[1].startswith("UA002 warning midjourney: 1 of 3")
    assert lines[6].startswith("useapi_studio: 5 warnings")
    assert lines[-1].startswith("UA008 warning: last renewed 2025-04-05")


def test_a_service_that_was_never_there_is_warned_of(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []

    class Recorder(logging.LoggerAdapter[logging.Logger]):
        def log(self, level: int, msg: object, *args: Any, **_: Any) -> None:
            warnings.append(f"{logging.getLevelName(level)} {str(msg) % args}")

    monkeypatch.setattr(UseApiAuditOperator, "log", Recorder(logging.getLogger("audit")))
    audit = UseApiAuditOperator(task_id="audit", services=["minimaxx", "Runway AP"])
    audit._look(audit._wanted())
    (warning,) = warnings
    assert warning.startswith("WARNING The account lists no service 'minimaxx'")
    assert "it lists 'MiniMax API'" in warning


def test_what_the_audit_before_found_is_not_new(
    dags: dict[str, Any], sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    for broken, new in ((1, True), (1, False), (2, False)):
        sandbox.account.update(accounts={"Kling API": {"total": 3, "error": broken}}, sub=None)
        snapshot = returned(run(dags["audits"]), 0)["snapshot"]
        name = "triggering_asset_events" if HAS_TASK_SDK else "triggering_dataset_events"
        event = type("Event", (), {"extra": snapshot})
        foreign = type("Event", (), {"extra": {"from_trigger": True}})
        found = assets.new_findings({name: {"asset": [foreign, event]}})
        expected = [("useapi_default", "UA002", "kling"), ("useapi_default", "UA003", "kling")]
        got = [(each["conn_id"], each["code"], each["service"]) for each in found]
        assert got == (expected if new else [])
    assert assets.new_findings({}) == []


def test_the_asset_of_an_account() -> None:
    asset = assets.account_asset(STUDIO)
    assert asset.uri == "useapi://account/studio%2Fa%2Bb.c"
    assert assets.account_asset(STUDIO) == asset
    assert assets.account_asset().uri == "useapi://account/useapi_default"
    if HAS_TASK_SDK:
        assert asset.name == f"useapi/{STUDIO}"


def test_the_history_is_that_of_the_asset_newest_first(
    dags: dict[str, Any], sandbox: Sandbox
) -> None:
    if HAS_TASK_SDK:
        pytest.skip("only a running task can ask for events; the mapped audits above do")
    runs = [returned(run(dags["audits"]), 0)["snapshot"]["checked_at"] for _ in range(3)]
    extras = list(newest_extras(assets.account_asset("useapi_default")))
    assert [extra["checked_at"] for extra in extras[:3]] == runs[::-1]


def write_report(path: str, **arguments: Any) -> None:
    audit = UseApiAuditOperator(task_id="audit", **arguments)
    report_file.write_report(audit._look(None), path)


@pytest.mark.parametrize("form", ["{}/reports/audit.html", "file://{}/reports/audit.html"])
def test_the_report_is_written_where_it_was_asked_for(
    sandbox: Sandbox, tmp_path: Path, form: str
) -> None:
    write_report(form.format(tmp_path))
    assert "MiniMax API" in (tmp_path / "reports" / "audit.html").read_text()


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("~/audit.html", "audit.html"),
        ("~/not/there yet/audit.html", "not/there yet/audit.html"),
        ("~/reports/", "reports/useapi_default.html"),
        ("~/", "useapi_default.html"),
        ("~/a~b/~.html", "a~b/~.html"),
        ("file://~/reports/audit.html", "reports/audit.html"),
    ],
)
def test_a_tilde_is_the_home_of_the_user_that_the_worker_runs_as(
    useapi_sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    file: str,
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(elsewhere)
    write_report(path)
    assert "MiniMax API" in (home / file).read_text()
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("has_variable", [True, False])
def test_a_tilde_with_a_name_is_the_home_of_that_user(
    useapi_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_variable: bool
) -> None:
    user = pwd.getpwuid(os.getuid())
    if not has_variable:
        monkeypatch.delenv("HOME", raising=False)
    up = "../" * len(Path(user.pw_dir).parts)
    write_report(f"~{user.pw_name if has_variable else ''}/{up}{tmp_path}/audit.html")
    assert "MiniMax API" in (tmp_path / "audit.html").read_text()


def test_a_home_that_there_is_not_is_said(
    useapi_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="report_path is '~nobody-at-all/x/"):
        write_report("~nobody-at-all/x/")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["{}/~/audit.html", "{}/x/~root/audit.html", "file://{}/~/a.html"])
def test_a_tilde_further_on_is_a_name(useapi_sandbox: Sandbox, tmp_path: Path, path: str) -> None:
    write_report(path.format(tmp_path))
    assert "MiniMax API" in Path(path.removeprefix("file://").format(tmp_path)).read_text()


def test_a_folder_takes_a_report_of_each_connection(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STUDIO/A", sandbox.connection_json())
    for conn_id in ("useapi_default", "studio/a"):
        write_report(f"{tmp_path}/reports/", useapi_conn_id=conn_id)
    reports = {path.name for path in (tmp_path / "reports").iterdir()}
    assert reports == {"useapi_default.html", "studio%2Fa.html"}


def test_a_report_goes_to_object_storage(sandbox: Sandbox) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    try:
        ObjectStoragePath("memory://audits").exists()
    except ValueError:
        pytest.skip("Airflow before 3.2 knows no object storage that needs no server")
    for url in ("memory://audits/today.html", "memory://audits/~/today.html"):
        write_report(url)
        assert "MiniMax API" in ObjectStoragePath(url).read_text()


def test_the_alias_stands_in_the_dag_file_beside_other_outlets() -> None:
    alias, other = AssetAlias(assets.ALIAS), assets.account_asset("other")
    mapped = UseApiAuditOperator.partial(task_id="audit", outlets=[other])
    for outlets in (mapped.kwargs["outlets"], Audit(task_id="a", outlets=[other, alias]).outlets):
        assert outlets == [other, alias]
    assert Audit(task_id="a").outlets == [alias]


def test_users_import_them_from_one_place() -> None:
    assert UseApiAuditOperator is Audit
    assert set(UseApiAuditOperator.template_fields) >= {"useapi_conn_id", "services", "report_path"}


GAUGES = """
try:
    import airflow.sdk.serde  # on Airflow 3 it sets up the metrics, as it does in every task
except ImportError:
    pass
from airflow_provider_useapi import metrics
from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.audit.rules import audited
from airflow_provider_useapi.audit.snapshot import Snapshot

MOMENT = "2026-11-15T06:00:00+00:00"

def look(name):
    accounts = {"Kling API": {"total": 3, "active": 2, "error": 1}, name: {}}
    body = {"id": 12345, "email": "a@b.c", "subscriptionIsActive": True, "accounts": accounts}
    return Snapshot.of_account(Account.from_json(body), "team.a/studio", MOMENT)

now = audited(look("Flow_🎬 X API"), audited(look("Muse API"), None))
metrics.send(now)
metrics.send(audited(Snapshot.of_refusal("refused", "conn", MOMENT), now))
"""


@pytest.mark.parametrize("tagged", ["True", "False"])
def test_the_gauges_as_a_statsd_server_gets_them(tagged: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        env = {
            **os.environ,
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(server.getsockname()[1]),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": tagged,
        }
        subprocess.run([sys.executable, "-c", GAUGES], env=env, check=True, cwd=ROOT, timeout=60)
        server.setblocking(False)
        received = []
        while True:
            try:
                received.append(server.recv(1000).decode())
            except BlockingIOError:
                break
    gauges = [text.removeprefix("airflow.") for text in received if "useapi" in text]
    plain = [gauge for gauge in gauges if "," not in gauge and gauge.count(".") > 1]
    assert plain == [
        "useapi.accounts.team_a_studio.kling.total:3|g",
        "useapi.accounts.team_a_studio.kling.active:2|g",
        "useapi.accounts.team_a_studio.kling.error:1|g",
        *(
            f"useapi.accounts.team_a_studio.{service}.{state}:0|g"
            for service in ("flowx", "muse")
            for state in ("total", "active", "error")
        ),
    ]
    if tagged == "True":
        tags = "conn_id=team_a_studio,service=kling,state=active"
        assert f"useapi.accounts,{tags}:2|g" in gauges
    assert len(gauges) == 2 * len(plain)
