"""Bodies of answers: the account that the API documents, and any JSON at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

DOCUMENTED: dict[str, Any] = {
    "id": 12345,
    "email": "someone@mail.example.com",
    "created": "2023-07-25T03:02:28.676Z",
    "name": "Your Name",
    "subscriptionIsActive": True,
    "subscriptions": 1,
    "maxAccountsPerAPI": 3,
    "accounts": {
        "Midjourney API": {"total": 3, "active": 2, "error": 1},
        "MiniMax API": {"total": 3, "active": 3},
        "Runway AP": {"total": 1, "active": 1},
        "Riffusion API": {"total": 3, "active": 3},
    },
    "verified": "2023-07-25T03:02:53.252Z",
    "sub": "250405",
}
"""What the page that documents ``GET /v2/account`` shows; it hides the address, this is another."""

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


def any_json(*, depth: int, keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """
    Any JSON value at all: as often a plain one as one that holds others.

    Built layer by layer: ``st.recursive`` gives a value twice as slowly, and hardly a plain one.

    :param depth: how many lists and objects may stand in each other.
    :param keys: the keys of its objects.
    """
    values = _SCALARS
    for _ in range(depth):
        values = _SCALARS | st.lists(values, max_size=3) | st.dictionaries(keys, values, max_size=3)
    return values


def evenly(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value of each as often as of the others; ``|`` counts all the alternatives inside them."""
    return st.sampled_from(strategies).flatmap(lambda chosen: chosen)


JSON = any_json(depth=4, keys=st.text())
