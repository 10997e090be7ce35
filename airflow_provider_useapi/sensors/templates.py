"""
Which templates a triggerer renders as a worker does.

A trigger knows the run, its parameters and variables, but it pulls no XComs and has nothing of what
a DAG adds to Jinja. Decided on Jinja's syntax tree, by a list of what is the same in both; whatever
is not on it is for a worker.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

KNOWN = frozenset({"params", "run_id", "dag_run.conf", "var.json", "var.value"})
"""What a template may name: these, what is in them (``.x``, ``["x"]``) and what they ``.get()``."""

FILTERS = frozenset({"d", "default", "lower", "replace", "string", "trim", "upper"})
"""The filters that it may use."""

_DELIMITERS = ("{{", "{%", "{#")


def is_template(text: str) -> bool:
    """
    Whether Jinja, as Airflow sets it up, may find more in a field than text.

    :param text: as it stands in the DAG file.
    """
    return any(delimiter in text for delimiter in _DELIMITERS)


@lru_cache(maxsize=256)
def renders_anywhere(text: str) -> bool:
    """
    Whether a field renders to the same in a triggerer and on a worker.

    :param text: as it stands in the DAG file, of a DAG that adds nothing to Jinja.
    """
    if not is_template(text):
        return True
    from jinja2 import TemplateError

    try:
        body = _environment().parse(text).body
    except (TemplateError, ValueError, RecursionError):
        return False  # a worker tells what is wrong with it
    return all(map(_is_known, body))


def _is_known(node: nodes.Node) -> bool:
    from jinja2 import nodes

    match node:
        case nodes.TemplateData() | nodes.Const():
            return True
        case nodes.Output() | nodes.Concat():
            return all(map(_is_known, node.nodes))
        case nodes.Name(name=name):
            return name in KNOWN
        case nodes.Getattr(node=nodes.Name(name=name), attr=attribute) if name not in KNOWN:
            return f"{name}.{attribute}" in KNOWN
        case nodes.Getattr(node=inner):
            return _is_known(inner)
        case nodes.Getitem(node=inner, arg=key):
            return _is_known(inner) and _is_known(key)
        case nodes.Filter(node=nodes.Expr() as inner, name=name):
            return name in FILTERS and _is_known(inner) and _has_known_arguments(node)
        case nodes.Call(node=nodes.Getattr(node=inner, attr="get")):
            return _is_known(inner) and _has_known_arguments(node)
    return False


def _has_known_arguments(node: nodes.Call | nodes.Filter) -> bool:
    if node.dyn_args or node.dyn_kwargs:
        return False
    return all(map(_is_known, [*node.args, *(keyword.value for keyword in node.kwargs)]))


@cache
def _environment() -> Environment:
    from jinja2 import Environment

    return Environment(autoescape=False)  # noqa: S701 - it only parses
