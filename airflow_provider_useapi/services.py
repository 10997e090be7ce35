"""
The names of the AI services behind useapi.net.

A service has a *slug* (``runwayml``) and the *key* under which ``/v2/account`` lists it
(``Runway AP``). Only four keys are documented; the others follow the titles of the vendor's own
API catalogue. Services come and go, so a name that is not in the table passes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """
    One AI service.

    :param slug: its name in the paths of the API, and ours.
    :param key: the key that ``/v2/account`` lists it under.
    :param aliases: other spellings of the key or the slug.
    """

    slug: str
    key: str
    aliases: tuple[str, ...] = ()


CATALOGUE: tuple[Service, ...] = (
    Service("acemusic", "ACE Music API"),
    Service("dreamina", "Dreamina API"),
    Service("faceswap", "InsightFaceSwap API"),
    Service("flowmusic", "FlowMusic API", ("Flow Music API",)),
    Service("gemini-notebook", "Gemini Notebook API"),
    Service("google-flow", "Google Flow API"),
    Service("google-vids", "Google Vids API"),
    Service("kling", "Kling API", ("Kling AI API",)),
    Service("ltxstudio", "LTX Studio API"),
    Service("luma", "Luma API"),
    Service("midjourney", "Midjourney API"),
    Service("minimax", "MiniMax API"),
    Service("mureka", "Mureka API"),
    Service("muse", "Muse API"),
    Service("pixverse", "PixVerse API"),
    Service("riffusion", "Riffusion API"),
    # The documentation's sample has the key without its last letter.
    Service("runwayml", "Runway AP", ("Runway API",)),
    Service("tempolor", "TemPolor API"),
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


def slug_of(name: str) -> str:
    """
    The slug of a service, from its slug or key in any case; a new service gets one in their style.

    :param name: what a user wrote or the API listed: ``"kling"``, ``"Kling API"``, ``"Runway AP"``.
    """
    folded = _fold(name)
    return _SLUGS.get(folded, folded)


def nearest_first(name: str, names: Iterable[str]) -> list[str]:
    """Sort ``names`` by how much they look like ``name``, for "did you mean"."""
    from difflib import SequenceMatcher  # costs a DAG file 2 ms that only an odd name needs

    wanted = _fold(name)

    def distance(other: str) -> tuple[float, str]:
        return -SequenceMatcher(None, wanted, _fold(other)).ratio(), other

    return sorted(names, key=distance)
