"""
A whole Airflow to look around in: sandbox, examples, a fortnight of audits, gates that wait.

``make airflow`` runs it until Ctrl-C. Its Airflow home, ``.airflow/look-around``, is kept, and with
it the fortnight: the next start only has to start Airflow.
"""

from __future__ import annotations

import shutil
import sys
import time
from importlib.metadata import version

from .demo import say
from .fortnight import (
    AUDIT,
    COMPONENTS,
    DAYS,
    connections,
    dags_in,
    let_gates_wait,
    live_it,
    sandboxes,
    settle,
)
from .history import ROOT, environment
from .stack import LocalAirflow, LocalAirflowError

HOME = ROOT / ".airflow" / "look-around"
LIVED = HOME / "fortnight"
"""There once the fortnight is."""


def main() -> int:
    """Run it until it is interrupted, and return the exit code."""
    say(f"Starting Airflow {version('apache-airflow')} in {HOME.relative_to(ROOT)} ...")
    if not LIVED.exists():  # a fortnight that was interrupted would be lived on top of
        shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True, exist_ok=True)
    try:
        with (
            sandboxes() as found,
            LocalAirflow(
                HOME, dags_in(HOME), {**environment(HOME), **connections(found)}, COMPONENTS
            ) as airflow,
        ):
            if LIVED.exists():
                settle(found)
            else:
                for day in live_it(airflow, found):
                    say(f"  day {day.number} of {DAYS}, {day.began:%d %B}: audited")
                let_gates_wait(airflow)
                LIVED.touch()
            say(f"\n{airflow.url}/plugin/useapi shows what audits recorded and which gates wait.")
            say(
                f"The audits are the runs of the DAG {AUDIT}. Ctrl-C ends it all; the home is kept."
            )
            while True:
                time.sleep(3600)
    except LocalAirflowError as error:
        print(f"\nIt failed. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nAirflow is stopped.", file=sys.stderr)
        return 0


if __name__ == "__main__":
    sys.exit(main())
