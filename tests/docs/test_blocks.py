"""
Every block of code of every page is run, and every output was produced.

What is done with a block is said by its language:

* ``python`` is run, all blocks of a page one after the other; functions ``test_*`` are called with
  a sandbox. A first line such as ``# dags/first_gate.py`` makes a file of it.
* ``sh`` and ``console`` are run in a shell; the latter shows what was said.
* ``text`` is a line that the package writes: ``test_outputs`` produces it.
* ``ini``, ``json``, ``yaml``, ``sql`` are read as what reads them does.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.connection.settings import read_settings
from airflow_provider_useapi.hooks.connection import settings_of
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.sandbox import Sandbox

from .pages import ROOT, Block, blocks, pages
from .shell import Shell, assert_shown, shell, steps

AIRFLOW = tuple(map(int, metadata.version("apache-airflow").split(".")[:2]))
NEEDS = {
    "docs/events.md": (3, 0),
    "docs/coming-from.md": (3, 0),
    "docs/page.md": (3, 1),
    "docs/command-line.md": (3, 2),
}
"""The first Airflow that a page is for; all others are for each."""

# Whole environments and whole Airflows, which other tests set up; a connection with the token of
# the reader, which is read below.
ELSEWHERE = r"make |pip install |python3 -m venv |\. trial/|export AIRFLOW_CONN_\w+=.*12345-\.\.\."

DIRECTIVES = {"{toctree}", "{include}", "{eval-rst}"}  # for Sphinx
DRAWN = {"docs/architecture.md"}
"""Pages with a drawing, which has no language; its own test looks at it."""


@dataclass
class Reader:
    """
    Somebody who reads a page from top to bottom and does what it says.

    :param sandbox: what ``useapi_default`` leads to.
    :param shell: for the commands.
    :param monkeypatch: of the test.
    """

    sandbox: Sandbox
    shell: Shell
    monkeypatch: pytest.MonkeyPatch
    names: dict[str, Any] = field(default_factory=dict)

    def python(self, block: Block) -> None:
        """Run it, or make a file of it."""
        if block.file:
            path = self.shell.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            self.monkeypatch.syspath_prepend(path.parent)
        code = compile("\n" * (block.line - 1) + block.text, block.page, "exec")
        before = set(self.names)
        exec(code, self.names)
        for name in set(self.names) - before:
            if name.startswith("test_"):
                with Sandbox() as fresh, self.monkeypatch.context() as patch:
                    patch.setenv("AIRFLOW_CONN_USEAPI_DEFAULT", fresh.connection_uri())
                    self.names[name](fresh)

    def sh(self, block: Block) -> None:
        """Run its commands."""
        for command in block.text.splitlines():
            self._command(command)

    def console(self, block: Block) -> None:
        """Run its commands, and compare what they say."""
        for command, shown in steps(self.shell.here(block.text)):
            if (said := self._command(command)) is not None:
                assert_shown(shown, said)

    def text(self, block: Block) -> None:
        """Nothing: ``test_outputs`` does."""

    def ini(self, block: Block) -> None:
        """Every option is one of Airflow's, or of ours, which some of them read late."""
        from airflow.configuration import conf
        from airflow.providers_manager import ProvidersManager

        ProvidersManager().initialize_providers_configuration()
        parser = configparser.ConfigParser()
        parser.read_string(block.text)
        for section in parser.sections():
            assert all(conf.has_option(section, option) for option in parser.options(section))

    def json(self, block: Block) -> None:
        """It is the extra of a connection, or holds connections by id."""
        value = json.loads(block.text)
        if set(value) <= set(fields.DEFAULTS):
            read = read_settings(
                "page", host=None, port=None, login=None, password="user:1-token", extra=value
            )
            assert not read.warnings
        else:
            for conn_id, connection in value.items():
                self._connection(conn_id, json.dumps(connection))

    def yaml(self, block: Block) -> None:
        """A secret of Kubernetes whose data are variables that hold connections."""
        secret = yaml.safe_load(block.text)
        assert (secret["apiVersion"], secret["kind"]) == ("v1", "Secret")
        for name, value in secret["stringData"].items():
            self._connection(name.removeprefix("AIRFLOW_CONN_").lower(), value)

    def sql(self, block: Block) -> None:
        """It is for the database of an Airflow 3."""
        if AIRFLOW >= (3, 0):
            with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db") as database:
                database.execute(f"EXPLAIN {block.text}")

    def _command(self, command: str) -> str | None:
        """Run a command; ``None`` if others do."""
        command = re.sub(r"\s+#.*", "", command)
        if not re.match(ELSEWHERE, command):
            return self.shell.run(command)
        words = shlex.split(command)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        for word in words:  # the constraints of pip, and the like
            assert not word.startswith("tests/") or (ROOT / word).exists()
        return None

    def _connection(self, conn_id: str, value: str) -> None:
        with self.monkeypatch.context() as patch:
            patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", value)
            settings = settings_of(UseApiHook(conn_id))
        assert settings.token == "user:12345-..."
        assert settings.base_url == fields.DEFAULT_HOST
        assert not settings.warnings


@pytest.fixture
def reader(
    tmp_path: Path, airflow_db: None, useapi_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    """A reader with a sandbox as it is on the command line."""
    for service, accounts in list(useapi_sandbox.capacity.items()):
        useapi_sandbox.link(service, *accounts)
    bundle = {
        "name": "page",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(tmp_path / "dags")},
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    with shell(
        tmp_path, Path(os.environ["AIRFLOW_HOME"]), useapi_sandbox.connection_uri()
    ) as running:
        yield Reader(useapi_sandbox, running, monkeypatch)


@pytest.mark.timeout(300)  # every command of Airflow takes seconds, more on a busy machine
@pytest.mark.parametrize("page", pages())
def test_a_page_can_be_followed_from_top_to_bottom(reader: Reader, page: str) -> None:
    if NEEDS.get(page, (0, 0)) > AIRFLOW:
        pytest.skip(f"this page is for Airflow {'.'.join(map(str, NEEDS[page]))} and later")
    if page == "docs/coming-from.md" and util.find_spec("airflow.providers.http") is None:
        pytest.skip("HttpSensor is not here: `make docs` runs this page")
    if AIRFLOW >= (3, 3) and runs_airflow(page) and util.find_spec("sphinx") is None:
        pytest.skip("each command of Airflow takes seconds: `make docs` runs this page")
    for block in blocks(page):
        follow(reader, block)


def runs_airflow(page: str) -> bool:
    """Whether a page has commands of Airflow that are run."""
    return any(
        re.search(r"^(\$ )?(if )?airflow ", block.text, re.MULTILINE)
        for block in blocks(page)
        if block.language in ("sh", "console")
    )


def follow(reader: Reader, block: Block) -> None:
    """Do what a block says."""
    if block.language in DIRECTIVES:
        return
    if not block.language:
        assert block.page in DRAWN, f"{block.page}:{block.line} has no language"
        return
    kind: Callable[[Block], None] | None = getattr(reader, block.language, None)
    assert kind is not None, f"nothing runs {block.language!r}: {block.page}:{block.line}"
    kind(block)


EXPORTS = [
    line
    for page in pages()
    for block in blocks(page)
    for line in re.findall(
        r"^export (AIRFLOW_CONN_\w+='.*user.*12345-\.\.\..*')$", block.text, re.MULTILINE
    )
]


@pytest.mark.parametrize("line", EXPORTS)
def test_the_connections_can_be_read(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    name, _, value = line.partition("=")
    monkeypatch.setenv(name, value.strip("'"))
    settings = settings_of(UseApiHook())
    assert settings.token == "user:12345-..."
    assert settings.base_url == fields.DEFAULT_HOST
    assert not settings.warnings


def test_the_connections_are_shown_as_json_and_as_uri() -> None:
    assert {line.partition("='")[2][0] for line in EXPORTS} == {"{", "u"}
