"""
The mark of a base URL and token: it identifies the two without revealing them.

Answers that are kept, and ``Retry-After``, belong to one base URL and token. What is kept of the
two outside the process is a keyed digest, with its key beside it: it can be compared with settings
that one has, and tells nothing else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_useapi.connection.settings import Settings

_OWN_SALT = secrets.token_bytes(16)


@dataclass(frozen=True)
class Mark:
    """
    The mark of a base URL and token.

    :param salt: the random key of the digest, 32 hex digits.
    :param digest: of the base URL, NUL and the token, 16 hex digits.
    """

    salt: str = field(repr=False)
    digest: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings, salt: bytes = _OWN_SALT) -> Mark:
        """
        The mark of settings; within a process equal marks are the same base URL and token.

        :param salt: the key of the digest, 16 bytes.
        """
        text = f"{settings.base_url}\0{settings.token}".encode()
        return cls(salt.hex(), blake2b(text, digest_size=8, key=salt).hexdigest())

    def fits(self, settings: Settings) -> bool:
        """Whether it is the mark of these settings, whoever made it."""
        return Mark.of(settings, bytes.fromhex(self.salt)) == self

    def to_note(self) -> dict[str, str]:
        """The stored form."""
        return {"mark": self.digest, "salt": self.salt}

    @classmethod
    def from_note(cls, note: object) -> Mark | None:
        """The reverse of :meth:`to_note`; ``None`` where there is none, as in older releases."""
        digest, salt = (
            note.get(key) if isinstance(note, dict) else None for key in ("mark", "salt")
        )
        if not isinstance(digest, str) or not isinstance(salt, str):
            return None
        try:
            return cls(salt, digest) if len(bytes.fromhex(salt)) == 16 else None
        except ValueError:
            return None
