"""
``python -m tests.distributed.broken``: that each check of the scenarios can fail.

Each build of the package is broken on purpose, in one passage. Some connections of gates and what
else waits run on it through a scenario, and the check that is there for it has to say so.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from tests.distributed.builds import broken
from tests.distributed.cluster import COMPONENTS
from tests.distributed.runner import play, workload
from tests.distributed.scenarios import scenario

CONNECTIONS = 4
"""No gate on a worker asks on the last of them: who stays away there is missed."""


@dataclass(frozen=True)
class Break:
    """
    A build that is broken on purpose.

    :param name: what it does wrong.
    :param file: below the package.
    :param old: what stands there.
    :param new: what stands there instead.
    :param scenario: in which it shows.
    :param says: what the judgement has to say then, a part of it.
    """

    name: str
    file: str
    old: str
    new: str
    scenario: str
    says: str


BREAKS = (
    Break(
        "never-ends",
        "triggers/deferred_gate.py",
        "is_over = isinstance(ending, Opened)",
        'await __import__("asyncio").Event().wait()\n        is_over = isinstance(ending, Opened)',
        "triggerer-killed",
        "lost",
    ),
    Break(
        "opens-early",
        "gate/verdict.py",
        "reasons = [] if account.subscription_is_active else [messages.lapsed(account.error)]",
        "reasons: list[str] = []",
        "triggerer-killed",
        "ended wrong",
    ),
    Break(
        "gives-up",
        "api/responses.py",
        '5: (UseApiUnavailableError, "server error")',
        '5: (UseApiRequestError, "server error")',
        "api-unavailable",
        "ended wrong",
    ),
    Break(
        "tells-nothing",
        "triggers/task_end.py",
        '{} if trigger.xcoms == "none" else {"return_value": value}',
        "{}",
        "triggerer-killed",
        "ended wrong",
    ),
    Break(
        "needs-two-tries",
        "sensors/useapi.py",
        "        ending = from_payload(event)",
        '        if context["ti"].try_number == 1:\n'
        '            raise RuntimeError("broken")\n'
        "        ending = from_payload(event)",
        "triggerer-killed",
        "needed another try",
    ),
    Break(
        "asks-often",
        "triggers/shared_poll.py",
        "self._due = look.taken + wait",
        "self._due = look.taken + wait / 5",
        "api-unavailable",
        "requests",
    ),
    Break(
        "stays-away",
        "triggers/shared_poll.py",
        "            return self.interval\n",
        "            return 3600.0\n",
        "api-unavailable",
        "not looked after again",
    ),
    Break(
        "fires-at-every-look",
        "triggers/asset_watcher.py",
        "if fires(previous, state, self.fire_on, emit_initial=self.emit_initial):",
        "if state == OPEN:",
        "triggerer-killed",
        "events, not",
    ),
    Break(
        "cannot-audit",
        "operators/audit.py",
        "        asset = account_asset(self.useapi_conn_id)",
        "        from airflow.sdk.exceptions import AirflowFailException\n"
        "        raise AirflowFailException(self.useapi_conn_id)",
        "triggerer-killed",
        "audits:",
    ),
)


def main() -> int:
    """Play each; 1 if a check has let one pass."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.distributed.broken", description=main.__doc__
    )
    names = [each.name for each in BREAKS]
    parser.add_argument("breaks", nargs="*", metavar="BREAK", help=", ".join(names))
    chosen = parser.parse_args().breaks or names
    passed = []
    with workload(CONNECTIONS) as load:
        for each in BREAKS:
            if each.name not in chosen:
                continue
            package = broken(each.name, each.file, each.old, each.new)
            load.cluster.replace(package, *COMPONENTS)
            load.cluster.wait_healthy()
            faults = play(scenario(each.scenario), load).judgement.faults
            if not any(each.says in fault for fault in faults):
                passed.append(each.name)
            print(f"{each.name}: {'; '.join(faults) or 'NOT SEEN'}", flush=True)
    if passed:
        print(f"not seen: {', '.join(passed)}", flush=True)
    return int(bool(passed))


if __name__ == "__main__":
    sys.exit(main())
