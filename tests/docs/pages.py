"""
The pages of the documentation, and what stands in them: blocks, links, names of tests.

Every block has a language, which says how it is tested: see ``test_blocks``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """
    A block of code.

    :param page: the path of its page, from the root of the repository.
    :param line: where its first line stands.
    :param language: what is written behind the fence.
    :param text: what stands in it.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        """The path in a first line such as ``# dags/first_gate.py``, or nothing."""
        named = re.match(r"# (\S+\.py)\n", self.text)
        return named[1] if named else ""


@cache
def pages(root: Path = ROOT) -> dict[str, str]:
    """
    The text of each page, by its path from the root.

    :param root: of the repository.
    """
    paths = [*root.glob("*.md"), *(root / "docs").glob("*.md")]
    return {str(path.relative_to(root)): path.read_text() for path in sorted(paths)}


def blocks(page: str) -> list[Block]:
    """
    The blocks of a page, in order.

    :param page: its path from the root.
    """
    text = pages()[page]
    return [
        Block(
            page,
            text.count("\n", 0, found.start(3)) + 1,
            found[2],
            re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE),
        )
        for found in _FENCE.finditer(text)
    ]


def prose(text: str) -> str:
    """
    A page without its blocks of code.

    :param text: of the page.
    """
    return _FENCE.sub("", text)
