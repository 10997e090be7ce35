"""The extra fields of the connection form for Airflow before 3.2, from the same table."""

from __future__ import annotations

from typing import Any

from airflow_provider_useapi.form import EXTRA_FIELDS


def connection_form_widgets() -> dict[str, Any]:
    """WTForms fields by the name of the extra; imports what only those versions of Airflow have."""
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
