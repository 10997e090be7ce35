"""The names of services: slug and key, in whatever spelling users and the API write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_provider_useapi.api.endpoints import Service
from airflow_provider_useapi.api.json_values import text
from airflow_provider_useapi.api.services import CATALOGUE

# Begun at the first white space of a run, and possessive: a megabyte of it is read once.
_SUFFIX = re.compile(r"(?<!\s)\s++(?:ai\s++)?api?\s*$")
_SEPARATORS = re.compile(r"[\W_]+")


def _fold(name: str) -> str:
    """What two spellings of one service have in common."""
    folded = name.strip().casefold()
    return _SEPARATORS.sub("", _SUFFIX.sub("", folded)) or text(folded) or ""


_SLUGS = {
    _fold(spelling): service.slug
    for service in CATALOGUE
    for spelling in (service.slug, service.key, *service.aliases)
}
_BY_SLUG = {service.slug: service for service in CATALOGUE}


def slug_of(name: str) -> str:
    """
    The slug of a service, from its slug or key in any case; a new service gets one in their style.

    :param name: what a user wrote or the API listed: ``"kling"``, ``"Kling API"``, ``"Runway AP"``.
    """
    folded = _fold(name)
    return _SLUGS.get(folded, folded)


def service_of(name: str) -> Service | None:
    """
    The entry of a service; ``None`` if the catalogue has none.

    :param name: slug or key, in any case.
    """
    return _BY_SLUG.get(slug_of(name))


def nearest_first(name: str, names: Iterable[str]) -> list[str]:
    """Sort ``names`` by how much they look like ``name``, for "did you mean"."""
    from difflib import SequenceMatcher  # costs a DAG file 2 ms that only an odd name needs

    wanted = _fold(name)

    def distance(other: str) -> tuple[float, str]:
        return -SequenceMatcher(None, wanted, _fold(other)).ratio(), other

    return sorted(names, key=distance)
