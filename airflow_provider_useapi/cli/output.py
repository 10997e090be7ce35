"""
How the commands print: rows in one of Airflow's own formats, sentences to standard error.

A reader that leaves early, such as ``head``, must not change the exit code, which is the verdict.
"""

from __future__ import annotations

import functools
import os
import select
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TextIO

from airflow.cli.simple_table import AirflowConsole

from airflow_provider_useapi.redaction import public_text

ERROR = 2
"""The exit code of an error. Python's own for a crash is 1, which is that of a closed gate."""

DATA = ("json", "yaml")
"""The formats that keep numbers and booleans as they are."""

HINT = "account"
"""The column that names a linked account."""


def print_rows(rows: Sequence[Mapping[str, Any]], output: str) -> None:
    """
    Print to standard output. Names from the API are hostile to a terminal, too.

    :param rows: with the same keys each.
    :param output: ``table``, ``json``, ``yaml`` or ``plain``.
    """
    console = _Console()
    # print_as() would make text of numbers and booleans, which is good for a table only.
    as_data: dict[str, Callable[[Any], None]] = dict(
        zip(DATA, (console.print_as_json, console.print_as_yaml), strict=True)
    )
    show = as_data.get(output)
    if show is None:
        show = functools.partial(console.print_as, output=output)
        rows = [{key: _cell(key, value, output) for key, value in row.items()} for row in rows]
    _write(sys.stdout, functools.partial(show, rows))


def say(text: str) -> None:
    """Print to standard error: the output may go on to another program."""
    _write(sys.stderr, functools.partial(print, text, file=sys.stderr))


def fail(text: str) -> NoReturn:
    """Say what is wrong, and end the process with the exit code of an error."""
    say(text)
    sys.exit(ERROR)


def let_go_of_the_unread() -> None:
    """Discard what nobody reads any more: logs go to these streams, too, and would fail."""
    for stream in (sys.stdout, sys.stderr):
        if _is_unread(stream):
            _empty_into_nothing(stream)


class _Console(AirflowConsole):
    """Airflow's console, but for a reader that leaves early: that would end the process with 1."""

    def on_broken_pipe(self) -> None:
        """Pass on the error that is being handled."""
        raise


def _write(stream: TextIO | None, write: Callable[[], None]) -> None:
    """
    Write what nobody needs to read: the exit code tells the verdict all the same.

    :param stream: where to; ``None`` if it was closed before the process began.
    :param write: does it.
    """
    if stream is None:
        return
    try:
        write()
        stream.flush()
    except BrokenPipeError:
        _empty_into_nothing(stream)


def _is_unread(stream: TextIO | None) -> bool:
    """Whether the reader of a pipe has left already."""
    if stream is None:
        return False
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)  # asks for no event: errors are always reported
    except OSError:  # no file at all
        return False
    return bool(poll.poll(0))


def _empty_into_nothing(stream: TextIO) -> None:
    """Discard what nobody reads, also what Python would fail to write when it ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def _cell(key: str, value: object, output: str) -> object:
    from rich.markup import escape

    if not isinstance(value, str):
        return value
    # The hint of an account is fit to be shown, and looks like an address.
    shown = value if key == HINT else public_text(value, limit=500)
    return escape(shown) if output == "table" else shown
