"""
Links from page to page: ``python -m tests.docs.links``, a part of ``make lint``.

Every link and picture leads to a file of the repository, and every anchor to a heading. Addresses
in the web are not asked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from .pages import ROOT, pages, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")


def main(root: Path = ROOT) -> int:
    """
    Print every link that leads nowhere; return the exit code.

    :param root: of the repository.
    """
    lost = [f"{page}: {target}" for page in pages(root) for target in lost_links(page, root)]
    for line in lost:
        print(f"{line} leads nowhere", file=sys.stderr)
    return bool(lost)


def lost_links(page: str, root: Path = ROOT) -> Iterator[str]:
    """
    The links of a page that lead nowhere.

    :param page: its path from the root.
    :param root: of the repository.
    """
    for target in _LINK.findall(_CODE.sub("", prose(pages(root)[page]))):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = ((root / page).parent / path).resolve() if path else root / page
        if (
            not file.exists()
            or not file.is_relative_to(root)
            or (anchor and anchor not in anchors(file.read_text()))
        ):
            yield target


def anchors(text: str) -> set[str]:
    """
    The anchors of the headings of a page, as repository browsers and the site make them.

    :param text: of the page.
    """
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


if __name__ == "__main__":
    sys.exit(main())
