"""What `make audit` makes of the answers of pip-audit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.package.run_time import AIRFLOW, needed
from tests.package.vulnerabilities import main

FOUND = {
    "id": "PYSEC-2026-1",
    "fix_versions": ["9.9", "10.1"],
    "aliases": ["CVE-2026-12345"],
    "description": "It can be made to wait.",
}


@pytest.fixture
def told() -> list[dict[str, Any]]:
    """What pip-audit says of each version where all is well."""
    return [
        {"name": name, "version": each.version, "vulns": []}
        for name, each in needed().items()
        if name != AIRFLOW
    ]


def pip_audit(folder: Path, output: str = "", error: str = "", code: int = 0) -> str:
    """A command that ends as pip-audit has ended."""
    command = folder / "pip-audit"
    said = f"print({output!r}); print({error!r}, file=sys.stderr); sys.exit({code})"
    command.write_text(f"#!{sys.executable}\nimport sys; {said}\n")
    command.chmod(0o755)
    return str(command)


def test_it_ends_well_where_each_version_was_told_to_be_safe(
    told: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(pip_audit(tmp_path, json.dumps({"dependencies": told, "fixes": []}))) == 0
    count = len(needed()) - 1
    assert (
        f"{count} of {count} dependencies audited, vulnerabilities found: 0."
        in capsys.readouterr().out
    )


def test_a_vulnerability_is_named_with_the_release_that_ends_it(
    told: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told[0]["vulns"] = [FOUND]
    assert main(pip_audit(tmp_path, json.dumps({"dependencies": told, "fixes": []}), code=1)) == 1
    line = capsys.readouterr().out.splitlines()[0]
    about = f"{told[0]['name']} {told[0]['version']}"
    assert line == f"{about}: PYSEC-2026-1, CVE-2026-12345; fixed in 9.9, 10.1"


def test_what_is_skipped_is_not_audited(
    told: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # As it ends where the index answers 404 instead of what is known: well, for pip-audit.
    name, number = told[0]["name"], told[0]["version"]
    told[0] = {"name": name, "skip_reason": "Dependency not found on PyPI"}
    assert main(pip_audit(tmp_path, json.dumps({"dependencies": told, "fixes": []}))) == 1
    said = capsys.readouterr().out
    assert f"NOT AUDITED: {name} {number}. Of the first: Dependency not found on PyPI" in said


def test_what_is_left_out_is_not_audited(
    told: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = told.pop()
    assert main(pip_audit(tmp_path, json.dumps({"dependencies": told, "fixes": []}))) == 1
    assert f"NOT AUDITED: {left['name']} {left['version']}." in capsys.readouterr().out


def test_without_a_service_nothing_is_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = "Traceback\nrequests.exceptions.ConnectionError: Failed to resolve the name"
    assert main(pip_audit(tmp_path, error=error, code=1)) == 1
    said = capsys.readouterr().out
    assert "Of the first: requests.exceptions.ConnectionError: Failed to resolve the name" in said
    assert f"0 of {len(needed()) - 1} dependencies audited" in said
