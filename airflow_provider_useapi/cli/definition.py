"""
The commands ``airflow useapi ...`` (Airflow 3.2+): what they are called and what they take.

Every ``airflow`` command of every user imports this module, so it imports nothing else of ours.
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

_COMMANDS = "airflow_provider_useapi.cli.commands"
_COUNT = positive_int(allow_zero=True)

ARG_CONN_ID = Arg(
    ("--conn-id",), help="Airflow connection (default: useapi_default)", default="useapi_default"
)
ARG_JOBS_PER_ACCOUNT = Arg(
    ("--jobs-per-account",),
    help="Jobs a linked account may run at a time, for services that publish no limit",
    type=positive_int(allow_zero=False),
)
ARGS_THRESHOLDS = tuple(
    Arg((f"--{name}",), help=help_text, type=_COUNT)
    for name, help_text in (
        ("min-active-accounts", "At least so many linked accounts are active (default: 1)"),
        ("max-error-accounts", "At most so many are in error"),
        ("min-allocations-left", "The subscription allows at least so many more"),
        ("min-free-accounts", "At least so many have a free job slot right now"),
        ("min-free-job-slots", "At least so many job slots are free right now"),
    )
)
_SERVICE = "Slug or key of a service, such as kling"


def get_useapi_commands() -> list[CLICommand]:
    """The command group, for ``cli`` in the provider info."""
    every = (ARG_CONN_ID, ARG_OUTPUT, ARG_VERBOSE)
    return [
        GroupCommand(
            name="useapi",
            help="Look at a useapi.net account",
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
                    help="Look once whether a gate would be open",
                    description=(
                        "Look once, as UseApiAccountSensor does, with its thresholds. Exits with 0"
                        " if the gate is open, 1 if it is closed, 2 on an error."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.check"),
                    args=(
                        Arg(("--service",), help=f"{_SERVICE}; the subscription alone if missing"),
                        *ARGS_THRESHOLDS,
                        ARG_JOBS_PER_ACCOUNT,
                        *every,
                    ),
                ),
                ActionCommand(
                    name="capacity",
                    help="Show what is free at a service right now",
                    description=(
                        "Show the linked accounts of a service with their free job slots. Exits"
                        " with 2 on an error."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.capacity"),
                    args=(Arg(("service",), help=_SERVICE), ARG_JOBS_PER_ACCOUNT, *every),
                ),
            ),
        )
    ]
