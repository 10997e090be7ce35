"""What the pages say of the code is so, and nothing they point to is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.gate.condition import CREDITS, FIELDS, THRESHOLDS

from . import links
from .pages import ROOT, pages, prose

_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    assert list(links.lost_links(page)) == []


def test_a_link_that_leads_nowhere_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "# One heading\n[1](#one-heading) [2](#two) [3](here.md#no) [4](gone.md) ![5](gone.png)"
    (tmp_path / "here.md").write_text(f"{text}\n[6](https://example.com/) `[7](code)`\n")
    assert links.main(tmp_path) == 1
    told = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["#two", "here.md#no", "gone.md", "gone.png"]


@pytest.mark.parametrize("page", pages())
def test_every_test_that_is_named_exists(page: str) -> None:
    for file, name in _TEST.findall(prose(pages()[page])):
        assert re.search(
            rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE
        ), name


@pytest.mark.parametrize("page", ["reliability", "security", "versions"])
def test_every_promise_names_its_test(page: str) -> None:
    tables = re.findall(
        r"^\|.*\| shown by \|\n\|[-|]+\n((?:\|.*\n)+)", pages()[f"docs/{page}.md"], re.MULTILINE
    )
    assert tables
    for row in "".join(tables).splitlines():
        assert _TEST.search(row), row


def test_every_field_of_the_form_is_listed() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| `(\w+)` \|([^|]*)\|", pages()["docs/connection.md"], re.MULTILINE
    )
    told = {name: (label, default.strip("` ")) for label, name, default in rows}
    for name, label in fields.RELABELING.items():
        assert told.pop(name)[0] == label
    default = {None: "", False: "false"}
    assert {name: label for name, (label, _) in told.items()} == {
        field.name: field.label for field in fields.EXTRA_FIELDS
    }
    for field in fields.EXTRA_FIELDS:
        if field.name != "proxy":  # what is in the environment
            assert told[field.name][1] == default.get(field.default, str(field.default)), field.name


def test_every_threshold_is_listed() -> None:
    gate = re.findall(r"^\| `(\w+)` \|", pages()["docs/gate.md"], re.MULTILINE)
    assert set(gate) >= set(THRESHOLDS)
    options = {f"`--{name.replace('_', '-')}`" for name in (*FIELDS, CREDITS)}
    assert all(option in pages()["docs/command-line.md"] for option in options)


def test_the_readme_is_short() -> None:
    """A screen and a half."""
    assert len(pages()["README.md"].splitlines()) <= 90


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = re.findall(r"^[a-z-]+$", pages()["docs/index.md"], re.MULTILINE)
    assert sorted([*listed, "index"]) == sorted(
        Path(page).stem for page in pages() if page.startswith("docs/")
    )


@pytest.mark.parametrize("workflow", ["audit", "ci", "release", "weekly"])
def test_workflows_call_targets_that_there_are(workflow: str) -> None:
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    runs = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    called = [run.split()[1] for run in runs if run.startswith("make ")]
    assert called
    made = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(called) <= set(made)


def test_every_target_is_in_the_table_for_contributors() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    told = re.findall(r"`make ([\w-]+)", pages()["CONTRIBUTING.md"])
    assert set(phony[1].split()) == set(told)
