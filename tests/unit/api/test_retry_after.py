from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given

from airflow_provider_useapi.api.retry_after import retry_after, unbelieved
from tests.helpers.odd_json import Writer, decoded, written

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("20", 20.0),
        (" 20 ", 20.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("60", 60.0),
        ("120", 120.0),
        ("121", 121.0),
        ("86400", 86400.0),
        ("86401", None),
        ("1772366400", None),  # an epoch time
        ("3600000", None),  # milliseconds
        ("9" * 35, None),
        ("-10", None),
        ("+10", None),
        ("", None),
        (None, None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("9" * 400, None),
        ("²", None),
        ("20, 30", None),
        ("soon", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30.0),
        ("Zun, 29 Sep 2099", None),
        (format_datetime(NOW + timedelta(days=1), usegmt=True), 86400.0),
        (format_datetime(NOW + timedelta(days=1, seconds=1), usegmt=True), None),
        ("Sun, 01 Mar 100000 12:00:00 GMT", None),
        ("Sun, 41 Mar 2026 12:00:00 GMT", None),
    ],
)
def test_the_header(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, {}, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2026-03-01T12:00:45Z", 45.0),
        ("2026-03-01T12:00:45.500Z", 45.5),
        ("2026-03-01T12:00:45", 45.0),
        ("2026-03-01T13:00:45+01:00", 45.0),
        ("2020-01-01T00:00:00Z", 0.0),
        ("2026-03-02T12:00:00Z", 86400.0),
        ("2026-03-02T12:00:01Z", None),
        ("2126-03-01T12:00:00Z", None),
        ("2023-08-316T21:03:28.558Z", None),
        ("", None),
        (20, None),
        (None, None),
        ([], None),
    ],
)
def test_the_body(value: object, seconds: float | None) -> None:
    assert retry_after(None, {"retryAfter": value}, NOW) == seconds


def test_the_later_of_the_two_wins() -> None:
    assert retry_after("10", {"retryAfter": "2026-03-01T12:00:45Z"}, NOW) == 45.0
    assert retry_after("60", {"retryAfter": "2026-03-01T12:00:45Z"}, NOW) == 60.0
    assert retry_after("soon", {"retryAfter": "2026-03-01T12:00:45Z"}, NOW) == 45.0


def test_what_is_not_believed_leaves_the_other_and_is_said() -> None:
    assert retry_after("9999999", {"retryAfter": "2026-03-01T12:00:45Z"}, NOW) == 45.0
    assert retry_after("20", {"retryAfter": "2099-03-01T12:00:45Z"}, NOW) == 20.0
    assert unbelieved("9999999", {}, NOW)
    assert unbelieved("20", {"retryAfter": "2099-03-01T12:00:45Z"}, NOW)
    assert not unbelieved("20", {"retryAfter": "2026-03-01T12:00:45Z"}, NOW)


PARTS = [
    "Thu,", "Thu", "01", "32", "Jan", "2026", "99999", "12:00:45", "25:61:61", "GMT", "+9999", "Z",
    "-0000", "20", "1.5", "-1", "1e9", "T", ":", ",", "2026-03-01", "9" * 400, "9" * 5000, "\t",
]  # fmt: skip


def dates(write: Writer) -> tuple[str | None, object]:
    """What a header and a body hold, which may be nearly a date."""
    random = write.random

    def text() -> str:
        parts = [random.choice(PARTS) for _ in range(random.randrange(8))]
        return random.choice((" ", "")).join([*parts, write.text() * (random.random() < 0.2)])

    value = text() if random.random() < 0.7 else decoded(write.value())
    return random.choice((None, text(), text(), write.text())), value


@given(written(["retryAfter"], dates))
def test_any_form_gives_seconds_or_nothing(drawn: tuple[str | None, object]) -> None:
    header, value = drawn
    for now in (NOW, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        seconds = retry_after(header, {"retryAfter": value}, now)
        assert seconds is None or 0 <= seconds <= 86400
        assert isinstance(unbelieved(header, {"retryAfter": value}, now), bool)
