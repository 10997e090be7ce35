"""The page on the architecture speaks of what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airflow_provider_useapi"
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_.]*)*(?:\.py|/))`", PAGE))
    assert len(named) > 20
    for name in named:
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), name


def test_it_names_every_room() -> None:
    rooms = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__.py"}
    (table,) = re.findall(r"## Rooms\n(.*?)\n## ", PAGE, re.DOTALL)
    assert rooms == set(re.findall(r"`([\w.]+/?)`", table.replace("`airflow useapi ...`", "")))


def test_its_floors_are_those_of_the_linter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in contracts["contracts"] if "exhaustive_ignores" in each]
    there = [set(re.findall(r"(?<!\()\b\w+\b", floor)) for floor in layers]
    (listed,) = re.findall(r"The floors, from the top:\n\n(.*?)\n\n", PAGE, re.DOTALL)
    shown = [set(re.findall(r"`(\w+)`", line)) for line in listed.splitlines()]
    assert shown == there
    (picture,) = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    assert all(room in picture for floor in there for room in floor)
