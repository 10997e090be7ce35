"""Wheel and source distribution: the same bytes wherever they are built, and no stray in them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_provider_useapi import __version__

ROOT = Path(__file__).parents[2]
NAMED = f"airflow_provider_useapi-{__version__}"

PACKAGE = (
    r"airflow_provider_useapi/([a-z_]+/)*[a-z_]+\.py",
    r"airflow_provider_useapi/py\.typed",
    r"airflow_provider_useapi/audit/report\.html",
    r"airflow_provider_useapi/plugin/static/([a-z_]+\.js|page\.(html|css)|icon\.svg)",
)
WHEEL = (
    *PACKAGE,
    rf"{NAMED}\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)",
)
SOURCES = (
    *PACKAGE,
    r"(benchmarks|dags_examples|tests)/([a-z_]+/)*[a-z_0-9]+\.py",
    r"tests/constraints/airflow-\d\.\d+\.txt",
    r"tests/golden/[a-z_]+\.json",
    r"(benchmarks|docs|tests/distributed)/constraints\.txt",
    r"docs/([a-z-]+\.md|[a-z0-9-]+\.png|conf\.py|static/narrow\.css)",
    r"(CHANGELOG|CONTRIBUTING|README|SECURITY)\.md",
    r"LICENSE|Makefile|PKG-INFO|hatch_build\.py|pyproject\.toml",
    r"\.ci/(run|servers)|\.github/workflows/[a-z]+\.yml|\.gitignore|\.pre-commit-config\.yaml",
)

LITTER = (
    ".airflow/airflow.cfg",
    ".hypothesis/unicode_data/charmap.json",
    ".mypy_cache/CACHEDIR.TAG",
    "airflow_provider_useapi/__pycache__/clock.cpython-311.pyc",
    "build/empty/pyvenv.cfg",
    "dags_examples/__pycache__/daily_audit.cpython-311.pyc",
    "docs/trial/page.md",
    "trial/dags/first_gate.py",
)
"""What a working tree has beside its sources; `.gitignore` names all of it."""


@dataclass(frozen=True)
class Built:
    """
    What one build has made.

    :param wheel: its path.
    :param sdist: the path of the source distribution.
    """

    wheel: Path
    sdist: Path

    def digests(self) -> dict[str, str]:
        paths = (self.wheel, self.sdist)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def packed(self) -> dict[str, int]:
        """The permissions of each file of the wheel, by its name."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {each.filename: each.external_attr >> 16 & 0o7777 for each in archive.infolist()}

    def sources(self) -> dict[str, int]:
        """The permissions of each file of the source distribution, by its name in the tree."""
        with tarfile.open(self.sdist) as archive:
            assert all(each.isfile() for each in archive)
            return {each.name.removeprefix(f"{NAMED}/"): each.mode for each in archive}


def build(tree: Path, folder: Path, umask: int = 0o022, **env: str) -> Built:
    """Both distributions of a tree; without the variable that sets another date on purpose."""
    inherited = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(
        command,
        cwd=tree,
        env={**inherited, **env},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("built"))


def another_tree(tree: Path) -> Path:
    """A copy as somebody else has it: closed to all others, of other times, and worked in."""
    litter = shutil.ignore_patterns(".git", ".*cache", ".airflow", ".venv*", ".hypothesis", "build")
    shutil.copytree(ROOT, tree, ignore=litter)
    for age, path in enumerate(sorted(tree.rglob("*"), reverse=True)):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (1_000_000_000 + age, 1_000_000_000 + age))
    for name in LITTER:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("litter")
    (tree / ".venv").symlink_to(sys.prefix)
    (tree / ".venv-2.11").symlink_to(sys.prefix)
    return tree


def test_they_are_the_same_bytes_wherever_they_are_built(built: Built, tmp_path: Path) -> None:
    tree = another_tree(tmp_path / "a folder of another name")
    settings = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONUTF8": "0"}
    again = build(tree, tmp_path / "dist", umask=0o077, **settings)
    assert again.digests() == built.digests()


def test_the_source_distribution_alone_builds_both_again(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    assert build(tmp_path / NAMED, tmp_path / "dist").digests() == built.digests()


def test_every_file_has_its_place_and_nobody_needs_rights_to_read_it(built: Built) -> None:
    assert list(strays(built.packed(), WHEEL)) == []
    assert list(strays(built.sources(), SOURCES)) == []
    assert set(built.packed().values()) == {0o644}
    modes = built.sources()
    assert {modes.pop(".ci/run"), modes.pop(".ci/servers")} == {0o755}
    assert set(modes.values()) == {0o644}


def test_every_picture_is_shown_on_a_page(built: Built) -> None:
    pages = "".join(path.read_text() for path in (ROOT / "README.md", *ROOT.glob("docs/*.md")))
    pictures = [Path(name).name for name in built.sources() if name.endswith(".png")]
    assert [name for name in pictures if name not in pages] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an unpacked source distribution")
def test_they_hold_what_is_under_version_control_and_no_more(built: Built) -> None:
    command = ["git", "ls-files", "-z"]  # a new file is in it after `git add`
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = set(listed.rstrip("\0").split("\0"))
    assert set(built.sources()) ^ {*tracked, "PKG-INFO"} == set()
    # Airflow looks for a provider's examples inside its package.
    moved = {
        name.replace("dags_examples/", "airflow_provider_useapi/example_dags/") for name in tracked
    }
    package = {name for name in moved if name.startswith("airflow_provider_useapi/")}
    assert {name for name in built.packed() if ".dist-info/" not in name} ^ package == set()


@pytest.mark.parametrize(
    "stray",
    [
        *LITTER,
        ".venv",
        ".venv/bin/python",
        ".coverage",
        "airflow_provider_useapi/.clock.py.swp",
        "airflow_provider_useapi/clock.py~",
        "airflow_provider_useapi/clock.py.orig",
        "airflow_provider_useapi/clock 2.py",
        "airflow_provider_useapi/page.png",
        "airflow_provider_useapi/plugin/static/page.html.bak",
        "notes.md",
        "tests/golden/notes.json.rej",
    ],
)
def test_a_stray_has_no_place(stray: str) -> None:
    assert list(strays([stray], WHEEL)) == list(strays([stray], SOURCES)) == [stray]


def strays(names: Iterable[str], places: tuple[str, ...]) -> Iterable[str]:
    """The names that have no place."""
    return (name for name in names if not any(re.fullmatch(place, name) for place in places))
