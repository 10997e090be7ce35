"""
What this package needs to run, beside Airflow, as it is installed here.

What Airflow itself asks for is Airflow's to choose, and is there before this package is: it counts
only where this package, or something that it asks for, asks for it as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "airflow-provider-useapi"
AIRFLOW = "apache-airflow"


def direct() -> set[str]:
    """The names in pyproject.toml, as the installed metadata has them."""
    return {canonicalize_name(each.name) for each in asked_for(distribution(OURS))}


def needed() -> dict[str, Distribution]:
    """All that is asked for, by name: what this package asks for, what that asks for, and so on."""
    found: dict[str, Distribution] = {}
    open_ends = list(asked_for(distribution(OURS)))
    followed = set()
    while open_ends:
        requirement = open_ends.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in followed:
            continue
        followed.add((name, frozenset(requirement.extras)))
        found[name] = distribution(name)
        if name != AIRFLOW:
            open_ends += asked_for(found[name], requirement.extras)
    return dict(sorted(found.items()))


def asked_for(asking: Distribution, extras: set[str] | None = None) -> Iterator[Requirement]:
    """
    What a distribution asks for, on this Python.

    :param asking: an installed one.
    :param extras: of it.
    """
    for line in asking.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if not marker or any(marker.evaluate({"extra": each}) for each in {"", *(extras or ())}):
            yield requirement
