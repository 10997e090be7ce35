from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_useapi.compat import SHOWS_PAGES
from airflow_provider_useapi.connection import fields
from airflow_provider_useapi.hooks.useapi import UseApiHook
from airflow_provider_useapi.provider_info import get_provider_info

AIRFLOW = metadata.version("apache-airflow")
IS_3_2 = tuple(map(int, AIRFLOW.split(".")[:2])) >= (3, 2)
RUN = Path(sys.executable).parent / "airflow"


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("airflow").joinpath(name).read_text())
    return loaded


def test_the_runtime_schema_accepts_it() -> None:
    jsonschema.validate(get_provider_info(), schema("provider_info.schema.json"))


@pytest.mark.skipif(not IS_3_2, reason="the strict schema knows commands from Airflow 3.2 on")
def test_the_strict_schema_accepts_it() -> None:
    strict = schema("provider.yaml.schema.json")
    written_on_release = {"state": "ready", "source-date-epoch": 1, "versions": ["0.1.0"]}
    validator = jsonschema.validators.validator_for(strict)(strict)
    info = {**get_provider_info(), **written_on_release}
    assert [error.message for error in validator.iter_errors(info)] == []


def test_airflow_knows_the_fields_of_a_form_from_3_2_on() -> None:
    of_types = schema("provider.yaml.schema.json")["properties"]["connection-types"]["items"]
    assert ("conn-fields" in of_types["properties"]) == IS_3_2


def test_the_entry_point_is_found_under_the_right_name() -> None:
    (entry,) = metadata.entry_points(
        group="apache_airflow_provider", module="airflow_provider_useapi.provider_info"
    )
    assert entry.load() is get_provider_info
    assert entry.dist is not None
    assert entry.dist.name == get_provider_info()["package-name"]


def test_every_module_that_users_import_is_listed_and_exists() -> None:
    info = get_provider_info()
    for kind in ("hooks", "operators", "sensors"):
        listed = {module for item in info[kind] for module in item["python-modules"]}
        package = importlib.import_module(f"airflow_provider_useapi.{kind}")
        found = {f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)}
        own = {
            f"airflow_provider_useapi.{name}"
            for name in (
                "hooks.calls",
                "hooks.connection",
                "hooks.questions",
                "operators.links",
                "operators.report_file",
                "sensors.deferral",
                "sensors.gate_task",
                "sensors.ending",
                "sensors.on_worker",
                "sensors.pace",
                "sensors.templates",
                "sensors.when_stored",
            )
        }
        assert listed == found - own
        for module in listed:
            importlib.import_module(module)
    (triggers,) = info["triggers"]
    assert triggers["python-modules"] == ["airflow_provider_useapi.triggers.useapi"]


def test_the_hook_says_what_the_provider_info_says() -> None:
    (connection,) = get_provider_info()["connection-types"]
    behaviour = UseApiHook.get_ui_field_behaviour()
    assert connection["connection-type"] == UseApiHook.conn_type == "useapi"
    assert connection["hook-name"] == UseApiHook.hook_name
    assert connection["ui-field-behaviour"] == {
        key.replace("_", "-"): value for key, value in behaviour.items()
    }
    assert list(connection["conn-fields"]) == [field.name for field in fields.EXTRA_FIELDS]
    module, _, name = connection["hook-class-name"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is UseApiHook
    assert UseApiHook.default_conn_name == "useapi_default"
    assert UseApiHook.conn_name_attr == "useapi_conn_id"


def test_the_widgets_of_older_airflows_come_from_the_same_table() -> None:
    pytest.importorskip("flask_appbuilder", reason="Airflow 3.2+ builds the form from metadata")
    widgets = UseApiHook.get_connection_form_widgets()
    assert list(widgets) == [field.name for field in fields.EXTRA_FIELDS]
    from wtforms import BooleanField, IntegerField, PasswordField, StringField

    # Airflow drops a hook with a field of any other class.
    known = (BooleanField, IntegerField, PasswordField, StringField)
    assert all(widget.field_class in known for widget in widgets.values())


def airflow_command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [RUN, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "useapi" not in done.stderr.lower(), done.stderr
    return done


@pytest.mark.usefixtures("airflow_db")
def test_the_commands_of_airflow_know_the_provider() -> None:
    assert "airflow-provider-useapi" in airflow_command("providers", "list", "-o", "plain").stdout
    full = airflow_command(
        "providers", "get", "airflow-provider-useapi", "--full", "-o", "json"
    ).stdout
    assert "airflow_provider_useapi.hooks.useapi.UseApiHook" in full
    hooks = airflow_command("providers", "hooks", "-o", "json").stdout
    (ours,) = [h for h in json.loads(hooks[hooks.index("[") :]) if h["connection_type"] == "useapi"]
    assert ours["class"] == "airflow_provider_useapi.hooks.useapi.UseApiHook"
    assert "useapi_conn_id" in ours.values()


@pytest.mark.usefixtures("airflow_db")
def test_airflow_takes_the_commands_from_3_2_on() -> None:
    done = subprocess.run([RUN, "useapi", "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == IS_3_2
    assert ("check" in done.stdout) == IS_3_2


@pytest.mark.usefixtures("airflow_db")
def test_the_commands_of_airflow_know_the_plugin() -> None:
    (ours,) = plugins()
    if not SHOWS_PAGES:
        assert not ours.get("external_views")
        return
    assert [view["url_route"] for view in ours["external_views"]] == ["useapi"]
    assert [application["url_prefix"] for application in ours["fastapi_apps"]] == ["/useapi"]
    (ours,) = plugins(AIRFLOW__USEAPI__PAGE="False")
    assert (ours["external_views"], ours["fastapi_apps"]) == ([], [])


def plugins(**env: str) -> list[dict[str, Any]]:
    """What ``airflow plugins`` tells of ours."""
    told = airflow_command("plugins", "--output", "json", **env).stdout
    listed = json.loads(told[told.index("[") :])
    return [each for each in listed if each["name"] == "useapi"]


@pytest.mark.usefixtures("airflow_db")
def test_the_test_button_works_from_the_command_line() -> None:
    from airflow_provider_useapi.sandbox import Sandbox

    with Sandbox() as sandbox:
        done = airflow_command(
            "connections",
            "test",
            "useapi_default",
            AIRFLOW__CORE__TEST_CONNECTION="Enabled",
            AIRFLOW_CONN_USEAPI_DEFAULT=sandbox.connection_uri(),
        )
        assert "Connection success!" in done.stdout
        assert len(sandbox.requests) == 1
