"""Whatever arguments a trigger was stored with: what it waits for is clear, or an error of ours."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given

from airflow_provider_useapi.exceptions import UseApiConfigError
from airflow_provider_useapi.gate.questions import Target
from airflow_provider_useapi.triggers.useapi import (
    UseApiAccountEventTrigger,
    UseApiAccountTrigger,
)
from tests.helpers.golden import golden
from tests.helpers.odd_json import assert_line, decoded, written

STORED = [
    each["kwargs"]
    for name in ("triggers", "triggers_with_credits")
    for each in golden(name).values()
]
KEYS = sorted({name for stored in STORED for name in stored})


@given(written(KEYS, lambda write: write.body(*STORED)))
@example('{"service": ["kling"], "names_service": true}')
@example('{"service": "kling", "min_free_accounts": {"canary.person@example.org": "\\udfff"}}')
@example('{"service": {"kling": 1}, "min_free_job_slots": 1}')
def test_any_arguments_name_a_target_or_what_is_wrong(stored: str) -> None:
    found = decoded(stored)
    names: dict[str, Any] = found if isinstance(found, dict) else {}
    arguments = {name: names[name] for name in KEYS if name in names}
    gate = UseApiAccountTrigger(
        **{name: value for name, value in arguments.items() if name not in EVENT_ONLY}
    )
    for trigger in (gate, UseApiAccountEventTrigger(**watched(arguments))):
        target = trigger.target()
        assert isinstance(target, Target | UseApiConfigError)
        if isinstance(target, UseApiConfigError):
            assert_line(str(target), longest=500)
        assert trigger.is_live in (True, False)
        path, again = trigger.serialize()
        assert type(trigger)(**again).serialize() == (path, again)


EVENT_ONLY = ("fire_on", "emit_initial")


def watched(arguments: dict[str, Any]) -> dict[str, Any]:
    """Those that a watcher takes."""
    names = UseApiAccountEventTrigger().serialize()[1]
    return {name: value for name, value in arguments.items() if name in names}
