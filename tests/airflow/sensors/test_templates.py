"""Which templates may be rendered in a triggerer; test_rendering shows that the rule is true."""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import nodes

from airflow_provider_useapi.sensors.templates import FILTERS, is_template, renders_anywhere

IN_THE_TRIGGERER = (
    "",
    "kling",
    "Kling API",
    "[[ params.x ]]",
    "}} %} #}",
    "{{ 'kling' }}",
    "{{ params.x }}",
    "{{params.x}}-{{ params.y }}",
    "{{ params['x'] }}",
    "{{ params[params.key] }}",
    "{{ params.x.y[0]['z'] }}",
    "{{ params.get('x') }}",
    "{{ params.get('x', 'kling') }}",
    "{{ params.get('x', default=params.y) }}",
    "{{ var.value.x }}",
    "{{ var.value.get('x', 'kling') }}",
    "{{ var.json.x.y }}",
    "{{ var.json.get('x').get('y') }}",
    "{{ dag_run.conf.x }}",
    "{{ dag_run.conf['x'] }}",
    "{{ dag_run.conf.get('x') | default(params.x, true) | lower }}",
    "{{ run_id }}",
    "{{ run_id | replace('_', '-') | trim | upper | string }}",
    "{{ params.x | d('kling') }}",
    "{{ 'useapi_' ~ params.x ~ '' }}",
    "{# about it #}kling",
    "{% raw %}kling{% endraw %}",
)

FOR_A_WORKER = (
    # What a trigger does not have, or reads in another way.
    "{{ ti.xcom_pull(task_ids='up') }}",
    "{{ task_instance.xcom_pull('up') }}",
    "{{ ti.run_id }}",
    "{{ conn.useapi_default.host }}",
    "{{ macros.uuid.uuid4() }}",
    "{{ mine }}",
    "{{ mine() }}",
    "{{ params.x | mine }}",
    "{{ ds }}",
    "{{ dag.dag_id }}",
    "{{ dag_run }}",
    "{{ dag_run.run_id }}",
    "{{ var.x }}",
    "{{ var['value'].x }}",
    "{{ inlet_events }}",
    # Calls, tests, statements, blocks.
    "{{ params.x() }}",
    "{{ params.items() }}",
    "{{ params.x.format('y') }}",
    "{{ get('x') }}",
    "{{ params.get(ti.xcom_pull('up')) }}",
    "{{ params.get('x', default=mine()) }}",
    "{{ params.get(*params.keys) }}",
    "{{ params.get(**params.options) }}",
    "{{ params.x is defined }}",
    "{{ params.x is mine }}",
    "{{ 'kling' if params.x else 'minimax' }}",
    "{% if params.x %}kling{% endif %}",
    "{% for x in params %}{{ x }}{% endfor %}",
    "{% set params = ti %}{{ params.x }}",
    "{% do params.clear() %}",
    "{% filter lower %}KLING{% endfilter %}",
    "{% include 'service.txt' %}",
    "{% macro run_id() %}{% endmacro %}{{ run_id }}",
    # What hides in what is allowed.
    "{{ params[ti.xcom_pull('up')] }}",
    "{{ params[mine] }}",
    "{{ params[:2] }}",
    "{{ params.x | default(mine()) }}",
    "{{ params.x | default(default_value=mine()) }}",
    "{{ params.x | attr('y') }}",
    "{{ params.x | random }}",
    "{{ params.x | ds }}",
    "{{ mine() | lower }}",
    "{{ 'a' ~ mine() }}",
    "{{ params.x }}{{ mine() }}",
    "{{ ['a', mine()] }}",
    "{{ params.x + 1 }}",
    # What is no template.
    "{{ params.x",
    "{{ params.x }",
    "{% endif %}",
    "{{ 1" + "0" * 5000 + " }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
)


@pytest.mark.parametrize("text", IN_THE_TRIGGERER)
def test_what_is_the_same_in_both_may_begin_in_the_triggerer(text: str) -> None:
    assert renders_anywhere(text)


@pytest.mark.parametrize("text", FOR_A_WORKER, ids=lambda text: text[:60])
def test_whatever_else_is_for_a_worker(text: str) -> None:
    assert not renders_anywhere(text)


NAMES = st.sampled_from(
    ["params", "run_id", "var.value", "var.json", "dag_run.conf", "dag_run", "var", "ti", "mine"]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Larger expressions out of smaller ones."""
    names = st.sampled_from(["get", "x", "keys", "xcom_pull", "__class__", "value", "conf"])
    filters = st.sampled_from([*sorted(FILTERS), "attr", "map", "mine", "tojson"])
    form = st.sampled_from
    return st.one_of(
        st.builds("{}.{}".format, inner, names),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}.{}({})".format, inner, names, inner),
        st.builds("{}.get({}, default={})".format, inner, inner, inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("({} | {})".format, inner, filters),
        st.builds("({} | {}({}))".format, inner, filters, inner),
        st.builds("({} {} {})".format, inner, form(["~", "+", "or", "==", "in", ","]), inner),
        st.builds("({} is {})".format, inner, form(["defined", "none", "not mine"])),
        st.builds("({} if {})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
    )


EXPRESSIONS = st.recursive(NAMES | st.sampled_from(["'kling'", "1", "none"]), _grown, max_leaves=6)
PIECES = st.one_of(
    st.text(max_size=6),
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    st.builds("{{{{- {} -}}}}".format, EXPRESSIONS),
    st.builds("{{% if {} %}}a{{% endif %}}".format, EXPRESSIONS),
    st.builds("{{% set x = {} %}}".format, EXPRESSIONS),
    st.builds("{{# {} #}}".format, EXPRESSIONS),
    st.sampled_from(["{%", "%}", "{{", "}}", "{#", "#}", "{% raw %}", "{% endraw %}", "'", "("]),
)
TEMPLATES = st.lists(PIECES, max_size=4).map("".join)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


@given(TEMPLATES | st.text())
@example("{{ params.get(mine()) }}")
@example("{{ params.x is defined }}")
@example("{% set params = ti %}")
def test_no_text_hides_what_is_for_a_worker(text: str) -> None:
    if not renders_anywhere(text):
        return
    # As it stands: nothing but what is put out, `.get(...)` of what is there, and known filters.
    for node in _walk(jinja2.Environment().parse(text)):
        assert not isinstance(node, nodes.Test | nodes.CondExpr | nodes.Slice)
        if isinstance(node, nodes.Stmt):
            assert isinstance(node, nodes.Output)
        if isinstance(node, nodes.Call):
            assert isinstance(node.node, nodes.Getattr)
            assert node.node.attr == "get"
        if isinstance(node, nodes.Filter):
            assert node.name in FILTERS
        if isinstance(node, nodes.Name):
            assert node.name in {"params", "run_id", "var", "dag_run"}


@given(st.text(alphabet="{}%# abc\n"))
def test_what_is_taken_for_text_is_text(text: str) -> None:
    if not is_template(text):
        (body,) = jinja2.Environment().parse(text).body or [nodes.Output([])]
        assert isinstance(body, nodes.Output)
        assert all(isinstance(node, nodes.TemplateData) for node in body.nodes)
