"""
The fields of the connection, in one table.

Airflow 3.2 and later build the form from the provider info, earlier ones ask the hook; both read
this table, and so does the code that reads a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONN_TYPE = "useapi"
DEFAULT_CONN_ID = "useapi_default"
DEFAULT_HOST = "https://api.useapi.net"
HOOK_NAME = "useapi.net"

HIDDEN_FIELDS = ("schema", "login", "port", "extra")
RELABELING = {"password": "API token", "host": "Base URL"}
PLACEHOLDERS = {"password": "user:12345-...", "host": DEFAULT_HOST}


@dataclass(frozen=True)
class ExtraField:
    """
    One key of the connection's ``extra``.

    :param name: the key.
    :param label: what the form calls it.
    :param kind: its type in the words of JSON Schema.
    :param description: what it does, for the form.
    :param default: what counts when it is not set.
    :param limits: further words of JSON Schema.
    """

    name: str
    label: str
    kind: str
    description: str
    default: Any = None
    limits: tuple[tuple[str, Any], ...] = ()


EXTRA_FIELDS: tuple[ExtraField, ...] = (
    ExtraField(
        "timeout",
        "Timeout (s)",
        "number",
        "Seconds for a whole request, from connecting to the last byte.",
        default=30,
        limits=(("minimum", 0.1),),
    ),
    ExtraField(
        "max_attempts",
        "Attempts",
        "integer",
        "Maximum number of attempts of one call of the hook or an operator.",
        default=3,
        limits=(("minimum", 1),),
    ),
    ExtraField("proxy", "Proxy", "string", "URL of an HTTP proxy: http://proxy.example.com:3128."),
    ExtraField(
        "verify",
        "Verify TLS",
        "string",
        "true, false, or the path of a CA bundle.",
        default="true",
    ),
    ExtraField(
        "client_cert",
        "Client certificate",
        "string",
        "Path of a PEM file with the client certificate.",
    ),
    ExtraField(
        "client_key",
        "Client key",
        "string",
        "Path of the PEM file with its key, if that is another file.",
    ),
    ExtraField(
        "allow_http",
        "Allow plain http",
        "boolean",
        "Allow http:// to other machines, which sends the token unencrypted.",
        default=False,
    ),
)

DEFAULTS = {field.name: field.default for field in EXTRA_FIELDS}


def field_behaviour() -> dict[str, Any]:
    """How the form shows the standard fields, for the hook of Airflow before 3.2."""
    return {
        "hidden_fields": list(HIDDEN_FIELDS),
        "relabeling": dict(RELABELING),
        "placeholders": dict(PLACEHOLDERS),
    }


def conn_fields() -> dict[str, dict[str, Any]]:
    """The extra fields as ``conn-fields`` of the provider info (Airflow 3.2+)."""
    return {
        field.name: {
            "label": field.label,
            "description": field.description,
            "schema": {
                "type": [field.kind, "null"],
                **({} if field.default is None else {"default": field.default}),
                **dict(field.limits),
            },
        }
        for field in EXTRA_FIELDS
    }


def connection_form_widgets() -> dict[str, Any]:
    """The extra fields as WTForms fields by name; imports what only Airflow before 3.2 has."""
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from flask_babel import lazy_gettext
    from wtforms import BooleanField, IntegerField, StringField
    from wtforms.validators import NumberRange, Optional

    # Airflow knows four classes of field, none for fractions, and drops a hook that uses another.
    kinds = {"number": StringField, "integer": IntegerField, "string": StringField}
    fields: dict[str, Any] = {}
    for field in EXTRA_FIELDS:
        label, about = lazy_gettext(field.label), field.description
        if field.kind == "boolean":
            fields[field.name] = BooleanField(label, default=field.default, description=about)
            continue
        minimum = dict(field.limits).get("minimum") if field.kind == "integer" else None
        fields[field.name] = kinds[field.kind](
            label,
            validators=[Optional()] + ([NumberRange(min=minimum)] if minimum is not None else []),
            widget=BS3TextFieldWidget(),
            default=field.default,
            description=about,
        )
    return fields
