"""The README where no files stand beside it, as on the package index."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def hatch_build(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.delitem(sys.modules, "hatch_build", raising=False)
    import hatch_build

    return hatch_build


def targets(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]*)\)", text)


def test_without_an_address_it_leads_to_no_file(hatch_build: ModuleType) -> None:
    shown = hatch_build.with_addresses(README, "")
    assert targets(README) != targets(shown) == ["https://useapi.net/"]
    assert "![" not in shown
    assert "* A first gate in five minutes, from nothing." in shown.splitlines()
    assert len(shown.splitlines()) >= len(README.splitlines()) - 2


def test_with_an_address_every_file_is_there(hatch_build: ModuleType) -> None:
    shown = targets(hatch_build.with_addresses(README, "https://example.com/files/"))
    assert all(target.startswith("https://") for target in shown)
    assert len(shown) == len(targets(README))
    assert "https://example.com/files/docs/gate-waiting.png" in shown
