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
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
