"""What an operator or a trigger says in its own log, which Airflow 3 keeps from the root logger."""

from __future__ import annotations

import logging
from typing import Any

import pytest


class Logged(list[str]):
    """The lines, each behind its level, in order."""


def record(monkeypatch: pytest.MonkeyPatch, kind: type) -> Logged:
    """Keep what objects of a class log during a test."""
    lines = Logged()

    class Recorder(logging.LoggerAdapter[logging.Logger]):
        def log(self, level: int, msg: object, *args: Any, **_: Any) -> None:
            lines.append(f"{logging.getLevelName(level)} {str(msg) % args}")

    monkeypatch.setattr(kind, "log", Recorder(logging.getLogger(kind.__name__)))
    return lines
