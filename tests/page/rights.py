"""An auth manager for tests, with users who may see different things."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

ADMIN, HALF, NOBODY = "admin", "half", "nobody"
USERS = {ADMIN: "admin", HALF: "viewer", NOBODY: "viewer"}
"""Their roles. ``half`` may read no DAG but one, ``nobody`` neither assets nor tasks."""
THEIR_DAG = "half_audit"


class RightsByDag(SimpleAuthManager):
    """Airflow's simple auth manager, with exceptions for two users."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **kwargs: Any) -> bool:
        """Whether a user may do something with a DAG, or with some DAG if none is named."""
        dag_id = details.id if details else None
        if user.username == NOBODY or (user.username == HALF and dag_id not in (None, THEIR_DAG)):
            return False
        return super().is_authorized_dag(user=user, details=details, **kwargs)

    def is_authorized_asset(self, *, user: Any, **kwargs: Any) -> bool:
        """Whether a user may do something with assets."""
        return user.username != NOBODY and super().is_authorized_asset(user=user, **kwargs)
