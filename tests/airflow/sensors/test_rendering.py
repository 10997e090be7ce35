"""What may be rendered in a triggerer, rendered by Airflow's own classes there and on a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jinja2
import pytest
from airflow.providers.common.compat.sdk import DAG
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_useapi.compat import SHARES_STREAMS
from airflow_provider_useapi.sensors.templates import FILTERS, renders_anywhere
from airflow_provider_useapi.sensors.useapi import UseApiAccountSensor

pytestmark = [
    pytest.mark.skipif(not SHARES_STREAMS, reason="Airflow renders fields of triggers from 3.3 on"),
    pytest.mark.usefixtures("variables"),
]

PARAMS: dict[str, Any] = {
    "service": "Kling API",
    "number": 3,
    "nothing": None,
    "list": ["a", "b"],
    "own": {"service": "minimax", "x": [1, {"y": "z"}]},
    "template": "{{ run_id }}",
}
CONF: dict[str, Any] = {"service": "from conf", "x": {"y": ["ü", 1.5, True]}, "number": 7}
VARIABLES = {"service": "  Runway AP ", "settings": json.dumps({"service": "kling", "x": [1, 2]})}

KEYS = st.sampled_from(
    ["service", "own", "number", "nothing", "list", "x", "y", "missing", "template"]
)


def _reached(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quoted = KEYS.map("'{}'".format)
    argument = quoted | inner
    filters = st.sampled_from(sorted(FILTERS - {"replace", "d", "default"}))
    return st.one_of(
        st.builds("{}.{}".format, inner, KEYS),
        st.builds("{}[{}]".format, inner, quoted | st.just("0") | inner),
        st.builds("{}.get({})".format, inner, argument),
        st.builds("{}.get({}, {})".format, inner, argument, argument),
        st.builds("({} | {})".format, inner, filters),
        st.builds("({} | default({}))".format, inner, argument),
        st.builds("({} | d({}, true))".format, inner, argument),
        st.builds("({} | replace('a', {}))".format, inner, argument),
        st.builds("({} ~ {})".format, inner, argument),
    )


ROOTS = st.sampled_from(
    ["params", "run_id", "dag_run.conf", "var.value.service", "var.json.settings", "'a'"]
) | st.sampled_from(
    ["params.own", "params.service", "var.value.get('service')", "var.json.get('missing')"]
)
RENDERED = st.lists(
    st.recursive(ROOTS, _reached, max_leaves=4).map("{{{{ {} }}}}".format)
    | st.text(alphabet=" -_abü\n", max_size=3),
    min_size=1,
    max_size=3,
).map("".join)


def outcome(where: str, template: str, conf: dict[str, Any] | None) -> object:
    """What the fields of a gate render to, or the class of the error."""
    from tests.helpers import rendering

    with DAG("rendered", schedule=None, params={**PARAMS, "number": 2}) as dag:
        UseApiAccountSensor(
            task_id="gate",
            useapi_conn_id="{{ params.number }}",
            service=template,
            params={"number": PARAMS["number"]},
            deferrable=True,
            start_from_trigger=True,
        )
    try:
        found = getattr(rendering, f"rendered_{where}")(dag, conf)
    except Exception as error:  # noqa: BLE001 - whichever, it is to be the same
        return type(error)
    return found.useapi_conn_id, found.service


@pytest.fixture(scope="module")
def variables() -> Iterator[None]:
    """Airflow's variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(f"AIRFLOW_VAR_{name.upper()}", value)
        yield


@given(RENDERED, st.sampled_from([CONF, {}, None]))
@example("a{{ params.missing }}", None)
@example("{{ params.template }}", None)
@example("{{ dag_run.conf.get('service') }}", None)
def test_it_is_the_same_in_both(template: str, conf: dict[str, Any] | None) -> None:
    assert renders_anywhere(template)
    assert outcome("in_triggerer", template, conf) == outcome("on_worker", template, conf)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ params.service }}", "from conf"),
        ("{{ params['own'].get('service') | upper }}", "MINIMAX"),
        ("{{ var.value.service | trim }}", "Runway AP"),
        ("{{ var.json.settings.service }}", "kling"),
        ("{{ dag_run.conf.get('service', 'x') | replace('from ', '') }}", "conf"),
        ("{{ run_id }}", "manual__2026"),
        ("{{ params.missing | default('kling') }}", "kling"),
        ("a{{ params.missing }}", jinja2.UndefinedError),
        ("{{ dag_run.conf.missing }}", jinja2.UndefinedError),
    ],
)
def test_it_is_what_was_meant(template: str, expected: Any) -> None:
    found = outcome("in_triggerer", template, CONF)
    assert found == (expected if isinstance(expected, type) else ("7", expected))
