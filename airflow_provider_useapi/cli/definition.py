"""
The commands ``airflow useapi ...`` (Airflow 3.2+): what they are called and what they take.

Every ``airflow`` command of every user imports this module, so it imports next to nothing.
"""

from __future__ import annotations

from airflow.cli.cli_config import (
    ARG_OUTPUT,
    ARG_VERBOSE,
    ActionCommand,
    Arg,
    CLICommand,
    GroupCommand,
    lazy_load_command,
    positive_int,
)

from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID
from airflow_provider_useapi.gate.condition import THRESHOLDS

_COMMANDS = "airflow_provider_useapi.cli.commands"
_COUNT = positive_int(allow_zero=True)


def _limit(name: str, about: str) -> str:
    return f"{'Maximum' if name.startswith('max_') else 'Minimum'} number of {about}"


ARG_CONN_ID = Arg(
    ("--conn-id",), help=f"Airflow connection (default: {DEFAULT_CONN_ID})", default=DEFAULT_CONN_ID
)
ARG_JOBS_PER_ACCOUNT = Arg(
    ("--jobs-per-account",),
    help="Jobs a linked account may run at a time, for services that publish no limit",
    type=positive_int(allow_zero=False),
)
ARGS_THRESHOLDS = tuple(
    Arg((f"--{name.replace('_', '-')}",), help=_limit(name, about), type=_COUNT)
    for name, about in THRESHOLDS.items()
)
_SERVICE = "Slug or key of a service, such as kling"


def get_useapi_commands() -> list[CLICommand]:
    """The command group, for ``cli`` in the provider info."""
    every = (ARG_CONN_ID, ARG_OUTPUT, ARG_VERBOSE)
    return [
        GroupCommand(
            name="useapi",
            help="Show and check a useapi.net account",
            subcommands=(
                ActionCommand(
                    name="account",
                    help="Show the account and its linked accounts",
                    description=(
                        "Show the linked accounts of each service; with -o json or yaml the whole"
                        " account, personal fields replaced by ***. Exits with 2 on an error."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.account"),
                    args=every,
                ),
                ActionCommand(
                    name="check",
                    help="Check once whether a gate would be open",
                    description=(
                        "Check once, with the thresholds of UseApiAccountSensor. Exits with 0 if"
                        " the gate is open, 1 if it is closed, 2 on an error."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.check"),
                    args=(
                        Arg(
                            ("--service",),
                            help=f"{_SERVICE} (default: check the subscription alone)",
                        ),
                        *ARGS_THRESHOLDS,
                        ARG_JOBS_PER_ACCOUNT,
                        *every,
                    ),
                ),
                ActionCommand(
                    name="capacity",
                    help="Show the free job slots of a service right now",
                    description=(
                        "Show the linked accounts of a service with their free job slots. Exits"
                        " with 2 on an error."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.capacity"),
                    args=(Arg(("service",), help=_SERVICE), ARG_JOBS_PER_ACCOUNT, *every),
                ),
                ActionCommand(
                    name="accounts",
                    help="Show which linked accounts are in trouble, and why",
                    description=(
                        "Show the linked accounts, each by a hint of its address, with health,"
                        " reason, job limit and the expiry of its login. Exits with 2 if something"
                        " cannot be read."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.accounts"),
                    args=(
                        Arg(("service",), help=f"{_SERVICE} (default: all)", nargs="?"),
                        Arg(
                            ("--credits",),
                            help="Ask the services for plan and credits, one live request for each"
                            " account",
                            action="store_true",
                        ),
                        *every,
                    ),
                ),
            ),
        )
    ]
