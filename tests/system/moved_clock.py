"""
A clock that every process of a local Airflow looks at, and that a test moves by whole days.

Airflow has no such switch. It asks what time it is at a few places, and those are handed this
clock instead: its own ``utcnow()``, from which all dates in its database come; the supervisor and
the runner of a task, which note when it began and ended; what stamps a line of a log; and the clock
of this package. Nothing else is moved: tokens and time-outs go on by real time. While nothing runs
the clock may go back as well as on; a scheduler then lives without heartbeats until it has caught
up.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from types import ModuleType, SimpleNamespace

from airflow_provider_useapi import clock

_UNTIL_THE_END = ExitStack()
"""What is entered and not left as long as the process lives."""


class ClockFile:
    """
    How far the clock is moved, where every process can read it.

    :param file: holds the seconds; it need not exist yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def move(self, ahead: timedelta) -> None:
        """Set by how much the clock is ahead of real time; before it, if negative."""
        written = self._file.with_suffix(".new")
        written.write_text(str(ahead.total_seconds()))
        written.replace(self._file)  # at once: no reader finds half of it

    @property
    def ahead(self) -> timedelta:
        """By how much the clock is ahead of real time."""
        try:
            return timedelta(seconds=float(self._file.read_text()))
        except FileNotFoundError:
            return timedelta()

    def now(self, tz: tzinfo | None = None) -> dt.datetime:
        """The present, as this clock shows it."""
        return dt.datetime.now(tz) + self.ahead

    def install(self, home: Path) -> None:
        """
        Let every process of an Airflow follow it.

        :param home: the Airflow home.
        """
        settings = home / "config" / "airflow_local_settings.py"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(
            '"""Read by Airflow in every process, before anything else."""\n'
            "from pathlib import Path\n\n"
            "from tests.system.moved_clock import ClockFile\n\n"
            f"ClockFile(Path({str(self._file)!r})).follow()\n"
        )

    def follow(self) -> None:
        """Look at this clock from now on, in this process and those that are forked from it."""
        import structlog.processors
        from airflow._shared.timezones import timezone
        from airflow.sdk._shared.timezones import timezone as timezone_of_tasks
        from airflow.sdk.execution_time import supervisor, task_runner

        now = self.now

        class Moved(dt.datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
                return now(tz)

        moved_module = SimpleNamespace(**{**vars(dt), "datetime": Moved})
        _replace(timezone, "dt", moved_module)
        _replace(timezone_of_tasks, "dt", moved_module)
        _replace(structlog.processors, "datetime", moved_module)
        # These two tell others of the type datetime, which has to stay itself.
        moved_zone = SimpleNamespace(utc=_MovedZone(self))
        _replace(supervisor, "timezone", moved_zone)
        _replace(task_runner, "timezone", moved_zone)
        _UNTIL_THE_END.enter_context(clock.using(_Moved(self)))


class _MovedZone(tzinfo):
    """What ``datetime.now()`` makes a moment of this clock of, in UTC."""

    def __init__(self, clock_file: ClockFile) -> None:
        self._file = clock_file

    def fromutc(self, moment: dt.datetime) -> dt.datetime:
        """The moment that this clock shows at a moment of real time."""
        return moment.replace(tzinfo=UTC) + self._file.ahead

    def utcoffset(self, moment: dt.datetime | None) -> timedelta:
        """Nothing: it is UTC."""
        return timedelta()

    def dst(self, moment: dt.datetime | None) -> None:
        """No summer time."""

    def tzname(self, moment: dt.datetime | None) -> str:
        """What it is."""
        return "UTC"


class _Moved(clock.Clock):
    """The package's clock, moved as far as a file says."""

    def __init__(self, clock_file: ClockFile) -> None:
        self._file = clock_file

    def time(self) -> float:
        """Seconds since the epoch."""
        return super().time() + self._file.ahead.total_seconds()


def _replace(module: ModuleType, name: str, replacement: object) -> None:
    """Replace a name of a module, which has to be there: a later Airflow may have another."""
    if not hasattr(module, name):
        raise AttributeError(f"{module.__name__} has no {name}: it asks elsewhere for the time")
    setattr(module, name, replacement)
