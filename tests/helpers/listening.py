"""
What a gate without a worker does in an Airflow with the plugins of a folder: a process of its own.

``python -m tests.helpers.listening FILE...`` reads DAG files, and prints as JSON what Airflow has
against each. Where Airflow ends tasks in the triggerer, it also runs the trigger of an open gate
there, with the connection ``useapi_default``, and tells how that ended and what was logged.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from airflow_provider_useapi.compat import SHARES_STREAMS
from airflow_provider_useapi.triggers.useapi import UseApiAccountTrigger
from tests.helpers.dag_runs import read
from tests.helpers.logs import record
from tests.helpers.triggerer import triggerer


async def ended_in_triggerer() -> dict[str, Any]:
    """The event of a gate that is to end there, and its log."""
    with pytest.MonkeyPatch.context() as patch:
        logged = record(patch, UseApiAccountTrigger)
        async with triggerer() as running:
            gate = UseApiAccountTrigger(end_from_trigger=True, xcoms="none")
            event = await running.start(gate)
    return {"event": type(event).__name__, "payload": event.payload, "log": logged}


if __name__ == "__main__":
    found: dict[str, Any] = {"errors": {file: read(file)[1] for file in sys.argv[1:]}}
    if SHARES_STREAMS:
        found |= asyncio.run(ended_in_triggerer())
    sys.stdout.write(json.dumps(found))
