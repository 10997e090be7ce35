"""What Airflow reads to learn what this package adds to it; loads nothing else of the package."""

from __future__ import annotations

from typing import Any

from airflow_provider_useapi.connection import fields

_PACKAGE = "airflow_provider_useapi"
_INTEGRATION = "useapi.net"


def get_provider_info() -> dict[str, Any]:
    """The provider info, for the entry point ``apache_airflow_provider``."""
    return {
        "package-name": "airflow-provider-useapi",
        "name": "useapi.net",
        "description": "Gate, read and audit a `useapi.net <https://useapi.net/>`__ account.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://useapi.net/docs",
                "tags": ["service"],
            }
        ],
        "hooks": _modules("hooks.useapi"),
        "operators": _modules("operators.audit", "operators.audit_check", "operators.useapi"),
        "sensors": _modules("sensors.useapi"),
        "triggers": _modules("triggers.useapi"),
        "connection-types": [
            {
                "connection-type": fields.CONN_TYPE,
                "hook-class-name": f"{_PACKAGE}.hooks.useapi.UseApiHook",
                "hook-name": fields.HOOK_NAME,
                "ui-field-behaviour": {
                    name.replace("_", "-"): value
                    for name, value in fields.field_behaviour().items()
                },
                "conn-fields": fields.conn_fields(),
            }
        ],
        "config": {
            "useapi": {
                "description": "What this provider adds to Airflow's own UI.",
                "options": {
                    "page": {
                        "description": "Whether it shows the page useapi.net (Airflow 3.1+).",
                        "version_added": None,
                        "type": "boolean",
                        "example": None,
                        "default": "True",
                    }
                },
            }
        },
        "cli": [f"{_PACKAGE}.cli.definition.get_useapi_commands"],
    }


def _modules(*names: str) -> list[dict[str, Any]]:
    modules = [f"{_PACKAGE}.{name}" for name in names]
    return [{"integration-name": _INTEGRATION, "python-modules": modules}]
