"""
What a waiting gate remembers of its looks.

Pure: the clock comes in as an argument. A worker that pokes keeps a :class:`Memory` in the
process; one that is rescheduled keeps it in the task's own store, where Airflow has one; one that
is deferred hands it to its trigger, and gets it back with the time-out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_useapi.api.kept_credits import KeptCredits, from_note, to_note
from airflow_provider_useapi.connection.mark import Mark
from airflow_provider_useapi.exceptions import UseApiError
from airflow_provider_useapi.gate import messages
from airflow_provider_useapi.gate.verdict import Verdict

if TYPE_CHECKING:
    from airflow_provider_useapi.connection.settings import Settings

REPEAT_AFTER = timedelta(minutes=10)
"""An unchanged finding is logged again after so long."""

_FAR = timedelta(days=3650)
_MOMENTS = ("not_before", "refused_until", "ends")


@dataclass(frozen=True)
class Memory:
    """
    What is known of a gate that has not opened.

    :param reasons: why it was closed at the last look that got an answer.
    :param error: why the last look got none; empty if it got one.
    :param not_before: when the API wants to be asked again.
    :param refused_until: when a refused token is tried once more; ``None`` if it is not refused.
    :param ends: when the time is up: a token that is refused then is refused for good.
    :param mark: of the base URL and token of the last look; ``None`` if they are not known.
    :param kept: credits that were read with those, to be kept for a while.
    :param is_taken_over: whether another process began this gate, so long ago that it has been
        answered.
    :param said: the finding that was logged last.
    :param said_at: when that was.
    """

    reasons: tuple[str, ...] = ()
    error: str = ""
    not_before: datetime | None = None
    refused_until: datetime | None = None
    ends: datetime | None = None
    mark: Mark | None = None
    kept: KeptCredits = field(default_factory=dict, hash=False)
    is_taken_over: bool = False
    said: tuple[tuple[str, ...], str] | None = None
    said_at: datetime | None = None

    @property
    def has_looked(self) -> bool:
        """Whether there was a look before."""
        return bool(self.reasons or self.error) or self.is_taken_over

    @property
    def was_answered(self) -> bool:
        """Whether the API has told of the account before."""
        return bool(self.reasons) or self.is_taken_over

    def closed(self, verdict: Verdict) -> Memory:
        """After a look that found the gate closed."""
        kept = self.kept if verdict.kept is None else verdict.kept
        return replace(
            self,
            reasons=verdict.reasons,
            error="",
            not_before=None,
            refused_until=None,
            kept=kept,
        )

    def failed(self, error: UseApiError, now: datetime) -> Memory:
        """After a look that got no answer that counts."""
        wait = error.retry_after
        # Past ten years a date overflows; no sensor waits that long.
        held = now + min(_FAR, timedelta(seconds=min(wait, 1e9))) if wait is not None else None
        return replace(self, error=str(error), not_before=held)

    def is_held(self, now: datetime) -> bool:
        """
        Whether it is too early to ask the API with the base URL and token of the last look.

        It sent ``Retry-After``, or refused the token: only other settings, or time, help.
        """
        return self.held_until is not None and now < self.held_until

    @property
    def held_until(self) -> datetime | None:
        """When :meth:`is_held` ends."""
        untils = [until for until in (self.not_before, self.refused_until) if until is not None]
        return max(untils, default=None)

    def only_hold(self) -> Memory:
        """What still counts for another try of the task: ``Retry-After``, and nothing else."""
        if self.not_before is None:
            return Memory()
        return Memory(error=self.error, not_before=self.not_before, mark=self.mark)

    def used_by(self, settings: Settings) -> Memory:
        """
        What counts of it for a connection: one with another base URL or token is not held back.

        :param settings: of the connection as it is now.
        """
        if self.mark is None:  # an older release: whoever was held is held
            return self
        if self.mark.fits(settings):
            return replace(self, mark=Mark.of(settings))
        return replace(self, not_before=None, refused_until=None, mark=None, kept={})

    def ending(self, end: datetime) -> Memory:
        """With the time-out, which is told once: a refused token is tried then at the latest."""
        end = self.ends or end
        until = self.refused_until and min(self.refused_until, end)
        return replace(self, ends=end, refused_until=until)

    def is_news(self, now: datetime) -> bool:
        """Whether the finding is worth a line in the log."""
        if self.said != (self.reasons, self.error) or self.said_at is None:
            return True
        return now - self.said_at >= REPEAT_AFTER

    def told(self, now: datetime) -> Memory:
        """After the finding was logged."""
        return replace(self, said=(self.reasons, self.error), said_at=now)

    def timed_out(self, timeout: float) -> str:
        """What a gate says when its time is up."""
        return messages.timed_out(timeout, self.reasons, self.error)

    def to_note(self) -> dict[str, Any]:
        """What another process has to know, as JSON."""
        moments = {name: moment.isoformat() for name in _MOMENTS if (moment := getattr(self, name))}
        return {
            "reasons": list(self.reasons),
            "error": self.error,
            "not_before": "",
            **moments,
            **(self.mark.to_note() if self.mark else {}),
            **({"credits": to_note(self.kept)} if self.kept else {}),
        }

    @classmethod
    def from_note(cls, note: object) -> Memory:
        """The reverse of :meth:`to_note`; a note that cannot be read is an empty memory."""
        try:
            fields: dict[str, Any] = dict(note)  # type: ignore[call-overload]
            not_before, refused_until, ends = (_moment(fields.get(name)) for name in _MOMENTS)
            return cls(
                reasons=tuple(map(str, fields["reasons"])),
                error=str(fields["error"]),
                not_before=not_before,
                refused_until=refused_until,
                ends=ends,
                mark=Mark.from_note(fields),
                kept=from_note(fields.get("credits")),
            )
        except (TypeError, ValueError, KeyError):
            return cls()


def _moment(written: object) -> datetime | None:
    if not written:
        return None
    moment = datetime.fromisoformat(str(written))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
