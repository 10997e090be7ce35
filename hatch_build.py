"""
The addresses of this project: the one place where they go.

The metadata's links are made from them, and the README of the package index, which knows no files
beside it. As long as there is no address, links to files are plain text there, and pictures are
left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

REPOSITORY = ""
"""The address of the repository's files in a browser, up to the branch, with a slash at its end."""
DOCUMENTATION = ""
"""The address of the documentation."""

_PICTURE = re.compile(r"!\[[^\]]*\]\((?![a-z]+:)[^)]*\)\n*")
_LINK = re.compile(r"(!?\[([^\]]*)\])\((?![a-z]+:|#)([^)]*)\)")


class AddressHook(MetadataHookInterface):
    """Adds what depends on the addresses to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """
        Set ``readme`` and ``urls``.

        :param metadata: the table ``project`` of pyproject.toml.
        """
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": with_addresses(text)}
        addresses = {"Repository": REPOSITORY, "Documentation": DOCUMENTATION}
        metadata["urls"] = {name: address for name, address in addresses.items() if address}


def with_addresses(text: str, repository: str = REPOSITORY) -> str:
    """
    A page that leads to files of the repository, for readers who do not have them beside it.

    :param text: of the page.
    :param repository: the address of the files; empty if there is none.
    """
    if repository:
        return _LINK.sub(rf"\1({repository}\3)", text)
    return _LINK.sub(r"\2", _PICTURE.sub("", text))
