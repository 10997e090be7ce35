"""Other builds of the package: older ones to upgrade from, and some broken on purpose."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build" / "distributed"
PACKAGE = "airflow_provider_useapi"


def package_of(commit: str) -> Path:
    """
    The package of a commit, as pip installs it.

    :param commit: of this repository.
    :return: a folder for PYTHONPATH.
    :raises RuntimeError: if the commit is not there; the message says what to do.
    """
    folder = BUILDS / commit
    if folder.exists():
        return folder
    tree = BUILDS / f"{commit}-tree"
    made = subprocess.run(
        ["git", "worktree", "add", "--force", "--detach", str(tree), commit],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(
            f"{commit} is not in this clone: fetch the whole history (git fetch --unshallow)."
            f" Git says: {made.stderr.strip()}"
        )
    try:
        _install(tree, folder)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
    return folder


def broken(name: str, file: str, old: str, new: str) -> Path:
    """
    This package with one passage changed.

    :param name: of the build.
    :param file: below the package.
    :param old: the passage, which stands there once.
    :param new: what is to stand there.
    :return: a folder for PYTHONPATH.
    :raises ValueError: if the passage is not there, or more than once.
    """
    folder = BUILDS / f"broken-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    broken_file = folder / PACKAGE / file
    text = broken_file.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file} does not hold once what {name} changes: {old!r}")
    broken_file.write_text(text.replace(old, new))
    return folder


def _install(tree: Path, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    unfinished = folder.with_name(f"{folder.name}-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ["--no-deps", "--no-build-isolation", "--target", str(unfinished)]
    subprocess.run([*pip, *options, str(tree)], check=True)
    unfinished.rename(folder)
