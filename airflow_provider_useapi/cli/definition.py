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
        ("min-active-accounts", "Minimum number of active linked accounts (default: 1)"),
        ("max-error-accounts", "Maximum number of linked accounts in error"),
        ("min-allocations-left", "Minimum number of linked accounts that can still be added"),
        ("min-free-accounts", "Minimum number of linked accounts with a free job slot right now"),
        ("min-free-job-slots", "Minimum number of free job slots right now"),
    )
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
            ),
        )
    ]
