"""An audit as lines for a task log: every line stands for itself, whatever shows them."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_useapi.audit.account_rows import account_rows
from airflow_provider_useapi.audit.finding import Finding
from airflow_provider_useapi.audit.rows import rows
from airflow_provider_useapi.audit.snapshot import MAX_SERVICES, Snapshot

_ACCOUNTS = ("service", "", "account", "login until", "credits", "what is wrong")
_HEAD = ("service", "active", "error", "total", "left", "since last")


def table(snapshot: Snapshot) -> Iterator[str]:
    """
    The linked accounts of each service, with the change since the last audit.

    :param snapshot: of an audit.
    """
    known = snapshot.last_known
    if known is None:
        yield "No data on the linked accounts yet."
        return
    if known is not snapshot:
        yield f"The response lists no linked accounts; the last known ones, of {known.checked_at}:"
    every = rows(snapshot)
    cells = [_HEAD]
    for row in every[:MAX_SERVICES]:
        service = row.service
        left = "?" if service.allocations_left is None else str(service.allocations_left)
        counts = ("-",) * 4
        if not row.is_gone:
            left = f"{row.over} over" if row.over else left
            counts = (str(service.active), str(service.error), str(service.total), left)
        cells.append((service.slug, *counts, row.news))
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    for first, *others in cells:
        aligned = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield f"{first.ljust(widths[0])}  {'  '.join(aligned)}".rstrip()
    if len(every) > MAX_SERVICES:
        yield f"and {len(every) - MAX_SERVICES} more services"
    yield from _linked(known)


def _linked(snapshot: Snapshot) -> Iterator[str]:
    """Each linked account in a line, those in trouble first."""
    cells = [_ACCOUNTS]
    for slug in snapshot.linked:
        shown, left_out = account_rows(snapshot, slug)
        for row in shown:
            wrong = "; ".join(row.troubles)
            cells.append((slug, row.mark, row.name, row.login_until, row.credits, wrong))
        if left_out:
            cells.append((slug, "", f"and {left_out} more", "", "", ""))
    if len(cells) == 1:
        return
    yield ""
    widths = [max(len(line[column]) for line in cells) for column in range(len(_ACCOUNTS))]
    for line_cells in cells:
        padded = (cell.ljust(width) for cell, width in zip(line_cells, widths, strict=True))
        yield "  ".join(padded).rstrip()


def line(finding: Finding, checked_at: str | None = None) -> str:
    """
    A finding in a line.

    :param finding: what was found.
    :param checked_at: when the audit was, to say of a finding that it is new.
    """
    about = f" {finding.service}" if finding.service else ""
    since = "new" if finding.since == checked_at else f"since {finding.since[:16]}Z"
    return f"{finding.code} {finding.severity}{about}: {finding.message} ({since})"
