"""Something that an audit found wrong: its code, how severe it is, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from airflow_provider_useapi.audit.stored import as_declared

CRITICAL, WARNING = "critical", "warning"
SEVERITIES = (CRITICAL, WARNING)
"""Worst first."""


@dataclass(frozen=True)
class Finding:
    """
    Something that an audit found wrong, and since when.

    :param code: its stable name, such as ``UA002``.
    :param severity: ``critical`` or ``warning``.
    :param service: the slug of the service, ``None`` if it is about the whole account.
    :param message: what is wrong, with the numbers.
    :param since: when an audit found it first and every one since, ISO 8601.
    :param ref: which linked account it is about, ``None`` if it is about none.
    """

    code: str
    severity: str
    service: str | None
    message: str
    since: str = ""
    ref: str | None = None

    @property
    def about(self) -> tuple[str | None, ...]:
        """What makes it the same finding as one of another audit."""
        return (
            (self.code, self.service) if self.ref is None else (self.code, self.service, self.ref)
        )

    def to_dict(self) -> dict[str, Any]:
        """What is stored and told of it; ``ref`` only where it is about a linked account."""
        told = asdict(self)
        return told if self.ref is not None else {k: v for k, v in told.items() if k != "ref"}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Finding:
        """
        The reverse of :meth:`to_dict`. What a newer release has added is left alone.

        :raises TypeError: if it is something else.
        """
        names = {each.name for each in fields(cls)}
        return as_declared(cls(**{name: value for name, value in stored.items() if name in names}))


def read_findings(audit: Any) -> list[Finding] | None:
    """
    Read the findings of what an audit returned.

    :param audit: the value of an XCom, whoever pushed it.
    :return: ``None`` if it is not that of an audit.
    """
    try:
        findings = list(map(Finding.from_dict, audit["findings"]))
        is_audit = isinstance(audit["summary"], str)
    except (TypeError, KeyError, IndexError, AttributeError):
        return None
    return findings if is_audit and all(each.severity in SEVERITIES for each in findings) else None
