"""
What an earlier release has stored, in databases that today's code has to live with.

The files are kept as they were written. A new release may store more, and adds files of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.helpers.bodies import DOCUMENTED

FOLDER = Path(__file__).parents[1] / "golden"

ACCOUNT: dict[str, Any] = {
    **DOCUMENTED,
    "accounts": {
        "Kling API": {"total": 3, "active": 2, "error": 1},
        "MiniMax API": {"total": 3, "active": 3},
        "Runway AP": {"total": 1, "active": 1},
    },
    "error": "Something is wrong with someone@mail.example.com",
}
"""The account that most of it tells of, as the API answered it."""


def golden(name: str) -> dict[str, Any]:
    """The entries of a file, by what they are."""
    entries: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return entries
