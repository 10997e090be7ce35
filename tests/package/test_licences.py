"""Under which licences that stands which is installed with this package."""

from __future__ import annotations

import re
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tests.package.run_time import direct, needed

ROOT = Path(__file__).parents[2]

ACCEPTED = {
    "Apache 2.0": {"Apache-2.0", "Apache 2.0", "Apache Software License"},
    "BSD": {"BSD-3-Clause", "BSD-2-Clause", "BSD License"},
    "MIT": {"MIT", "MIT License"},
    "MPL 2.0": {"MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"},
    "PSF 2.0": {"PSF-2.0", "Python Software Foundation License"},
}
"""What may be used beside Apache 2.0, each with the names that metadata have for it."""

TABLE = re.compile(r"^\| (`[^|]*) \| [^|]+ \| ([^|`]+) \|$", re.MULTILINE)


def licences(installed: Distribution) -> set[str]:
    """
    The accepted licences that its metadata offer.

    An expression says what counts; before there were any, it was a classifier or a name.
    """
    told = installed.metadata.get_all
    classifiers = [each for each in told("Classifier", []) if each.startswith("License ::")]
    if expressions := told("License-Expression"):
        names = expressions[0].split(" OR ")
    elif classifiers:
        names = [each.split(" :: ")[-1] for each in classifiers]
    else:
        names = told("License", [])
    return {licence for licence, known in ACCEPTED.items() if known & set(names)}


@pytest.mark.parametrize("name", needed())
def test_all_that_is_needed_is_under_an_accepted_licence(name: str) -> None:
    assert licences(needed()[name])


def test_the_documentation_has_each_direct_dependency_with_its_licence() -> None:
    text = (ROOT / "docs" / "versions.md").read_text()
    told = {
        name: licence
        for names, licence in TABLE.findall(text.partition("## What it depends on")[2])
        for name in re.findall(r"`([a-z0-9-]+)`", names)
    }
    installed = {name: " or ".join(sorted(licences(needed()[name]))) for name in direct()}
    assert told == installed


def test_the_documentation_has_the_list_of_accepted_licences() -> None:
    text = (ROOT / "docs" / "versions.md").read_text()
    assert f"{', '.join(list(ACCEPTED)[:-1])} or {list(ACCEPTED)[-1]}" in " ".join(text.split())
