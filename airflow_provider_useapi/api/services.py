"""
The catalogue of the AI services behind useapi.net: their names, and where each tells what is busy.

A service has a *slug* (``runwayml``) and the *key* under which ``/v2/account`` lists it
(``Runway AP``). Only four keys are documented; the others follow the titles of the vendor's own
API catalogue. Services come and go, so a name that is not in the table passes through.

Which linked accounts are free right now is told by each service in its own way. A new service is
one entry here, and one reader in :mod:`~airflow_provider_useapi.api.live_readers` only if it speaks
a new dialect. Only lists that useapi.net keeps itself, as far as its pages tell: no endpoint that
signs an account in, claims its daily credits or reads its balance, as ``/accounts/{account}`` may.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Endpoint:
    """
    A page of the API that tells something of a service's linked accounts as they are right now.

    :param path: what to ask for, with its query.
    :param dialect: which reader of :mod:`airflow_provider_useapi.api.live_readers` understands it.
    :param none_on: statuses by which it says that no account is configured.
    :param lists_idle: whether it lists accounts that run nothing as well, so that a missing one is
        unknown and not idle.
    """

    path: str
    dialect: str
    none_on: tuple[int, ...] = ()
    lists_idle: bool = False


@dataclass(frozen=True)
class Service:
    """
    An AI service behind useapi.net, and where it tells which accounts are free.

    :param slug: its name in the paths of the API, and ours.
    :param key: the key that ``/v2/account`` lists it under.
    :param aliases: other spellings of the key or the slug.
    :param live: what to ask for its free capacity; of two, the first tells the running jobs and
        the second lists the accounts. Empty if it cannot be told.
    :param source: the page under https://useapi.net/docs/ that this comes from.
    :param certainty: whether that page says how to count, or it was inferred from what it says.
    :param publishes_limit: whether the API tells how many jobs an account may run at a time.
    :param note: what to know of the numbers, or why there are none.
    :param retired: whether the service is gone.
    """

    slug: str
    key: str
    aliases: tuple[str, ...] = ()
    live: tuple[Endpoint, ...] = ()
    source: str = ""
    certainty: Literal["documented", "inferred"] = "documented"
    publishes_limit: bool = True
    note: str = ""
    retired: bool = False


def _available(slug: str, version: int = 1) -> tuple[Endpoint, ...]:
    return (Endpoint(f"/v{version}/{slug}/scheduler/available", "available"),)


def _accounts(slug: str) -> Endpoint:
    return Endpoint(f"/v1/{slug}/accounts", "accounts", none_on=(404,))


CATALOGUE: tuple[Service, ...] = (
    Service(
        "acemusic",
        "ACE Music API",
        live=(Endpoint("/v1/acemusic/jobs", "list_of_jobs"), _accounts("acemusic")),
        source="api-acemusic-v1/get-acemusic-jobs",
    ),
    Service(
        "dreamina",
        "Dreamina API",
        live=(Endpoint("/v1/dreamina/scheduler", "jobs_by_account"), _accounts("dreamina")),
        source="api-dreamina-v1/get-dreamina-scheduler",
        certainty="inferred",
    ),
    Service(
        "faceswap",
        "InsightFaceSwap API",
        source="api-faceswap-v1/get-faceswap-account",
        note="the answer of its jobs page is not documented",
    ),
    Service(
        "flowmusic",
        "FlowMusic API",
        ("Flow Music API",),
        live=(Endpoint("/v1/flowmusic/jobs", "accounts"), _accounts("flowmusic")),
        source="api-flowmusic-v1/get-flowmusic-jobs",
        certainty="inferred",
        note="asynchronous jobs only",
    ),
    Service(
        "gemini-notebook",
        "Gemini Notebook API",
        live=(Endpoint("/v1/gemini-notebook/jobs", "accounts_inside"),),
        source="api-gemini-notebook-v1/get-gemini-notebook-jobs",
    ),
    Service(
        "google-flow",
        "Google Flow API",
        live=(Endpoint("/v1/google-flow/jobs/?options=summary", "google_flow"),),
        source="api-google-flow-v1/get-google-flow-jobs",
        certainty="inferred",
        publishes_limit=False,
        note="accounts in quarantine are not free",
    ),
    Service(
        "google-vids",
        "Google Vids API",
        live=(
            Endpoint("/v1/google-vids/jobs", "accounts_inside", none_on=(400,), lists_idle=True),
            _accounts("google-vids"),
        ),
        source="api-google-vids-v1/get-google-vids-jobs",
        note="health is taken from its accounts",
    ),
    Service(
        "kling",
        "Kling API",
        ("Kling AI API",),
        live=_available("kling"),
        source="api-kling-v1/get-kling-scheduler-available",
        note="accounts without a free slot may not be listed",
    ),
    Service(
        "ltxstudio",
        "LTX Studio API",
        source="api-ltxstudio-v1/get-ltxstudio-scheduler-available",
        note="retired in June 2025",
        retired=True,
    ),
    Service(
        "luma",
        "Luma API",
        source="api-luma-v1/get-luma-accounts",
        note="gone from the vendor's catalogue since July 2026",
        retired=True,
    ),
    Service(
        "midjourney",
        "Midjourney API",
        source="api-midjourney-v3/get-midjourney-jobs",
        note="discontinued in June 2026",
        retired=True,
    ),
    Service(
        "minimax",
        "MiniMax API",
        live=_available("minimax"),
        source="api-minimax-v1/get-minimax-scheduler-available",
        note="video slots only; images take none",
    ),
    Service(
        "mureka",
        "Mureka API",
        live=(Endpoint("/v1/mureka/jobs", "mureka"),),
        source="api-mureka-v1/get-mureka-jobs",
        certainty="inferred",
        publishes_limit=False,
    ),
    Service(
        "muse",
        "Muse API",
        live=(
            Endpoint("/v1/muse/jobs", "accounts_inside", none_on=(400,), lists_idle=True),
            _accounts("muse"),
        ),
        source="api-muse-v1/get-muse-jobs",
        note="health is taken from its accounts",
    ),
    Service(
        "pixverse",
        "PixVerse API",
        live=_available("pixverse", version=2),
        source="api-pixverse-v2/get-pixverse-scheduler-available",
        note="may offer less than limit minus running",
    ),
    Service(
        "riffusion",
        "Riffusion API",
        source="api-riffusion-v1/get-riffusion-scheduler-available",
        note="decommissioned",
        retired=True,
    ),
    # The documentation's sample has the key without its last letter.
    Service(
        "runwayml",
        "Runway AP",
        ("Runway API",),
        live=(Endpoint("/v1/runwayml/scheduler/", "list_of_tasks"), _accounts("runwayml")),
        source="api-runwayml-v1/get-runwayml-scheduler",
        certainty="inferred",
        note="tasks started on the website are not counted",
    ),
    Service(
        "tempolor",
        "TemPolor API",
        live=_available("tempolor"),
        source="api-tempolor-v1/get-tempolor-scheduler-available",
    ),
)

_SUFFIX = re.compile(r"\s+(?:ai\s+)?api?\s*$")
_SEPARATORS = re.compile(r"[\W_]+")


def _fold(name: str) -> str:
    """What two spellings of one service have in common."""
    text = name.strip().casefold()
    return _SEPARATORS.sub("", _SUFFIX.sub("", text)) or text


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
