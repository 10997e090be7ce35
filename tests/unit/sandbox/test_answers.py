"""What an answer may be written as, and what is refused when it is written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.sandbox_client import PATH


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("503", "write each answer as an Answer, a mapping of its fields or a status such as 503"),
        ([503], "write each answer as"),
        (None, "write each answer as"),
        (True, "write status as a whole number such as 503, not True"),
        ({"stauts": 503}, "unknown: stauts; an Answer has status, headers, "),
        ({"status": "503"}, "write status as a whole number such as 503, not '503'"),
        ({"headers": {"Retry-After": 5}}, 'write headers as str to str, such as {"Retry-After"'),
        ({"headers": [("a", "b")]}, "write headers as str to str"),
        ({"body": {1, 2}}, "write body as bytes, str or what JSON can hold"),
        ({"body": "\ud800"}, "write body as bytes, str or what JSON can hold"),
        ({"delay": -1}, "write delay as seconds, 0 or more, not -1"),
        ({"delay": "1"}, "write delay as seconds"),
        ({"delay": float("nan")}, "write delay as seconds"),
        ({"drip_interval": None}, "write drip_interval as seconds"),
        ({"drip": "head"}, 'write drip as "", "headers" or "body", not \'head\''),
        ({"informational": 103}, "write informational as a tuple of 1xx statuses such as (103,)"),
        ({"informational": (200,)}, "write informational as"),
        ({"cut_off": 1}, "write cut_off as True or False, not 1"),
        ({"oversized": -1}, "write oversized as a number of bytes, 0 or more, not -1"),
        ({"oversized": 1.5}, "write oversized as"),
        ({"reset": True, "cut_off": True}, "set only one of nothing_after, cut_off, reset"),
    ],
)
def test_what_cannot_be_played_is_refused_when_written(answer: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        Sandbox().script(PATH, 503, answer)
