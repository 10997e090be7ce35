"""Operators that read the useapi.net account behind an Airflow connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_useapi.connection.fields import DEFAULT_CONN_ID
from airflow_provider_useapi.exceptions import (
    UseApiConfigError,
    UseApiConnectionNotFoundError,
    UseApiError,
)
from airflow_provider_useapi.operators.audit import UseApiAuditOperator
from airflow_provider_useapi.operators.audit_check import UseApiAuditCheckOperator
from airflow_provider_useapi.operators.links import PAGE_LINKS
from airflow_provider_useapi.redaction import PERSONAL

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

__all__ = ["UseApiAccountOperator", "UseApiAuditCheckOperator", "UseApiAuditOperator"]


class UseApiAccountOperator(BaseOperator):
    """
    Push the account to XCom.

    The value holds the documented fields of ``GET /v2/account`` under their documented names and,
    as ``services``, the linked accounts by slug:
    ``{"kling": {"name", "total", "active", "error", "allocations_left"}}``. With
    ``multiple_outputs=True`` each of them that the API sent is an XCom of its own.

    Airflow stores XComs unmasked, so personal fields are replaced by ``"***"`` unless asked for.
    A permanent error (a refused token, a wrong connection) fails the task without retries; a
    transient one leaves the task to Airflow's ``retries``.

    :param useapi_conn_id: id of the connection. (templated)
    :param redact: documented names of fields whose values are replaced.
    :param require_active_subscription: fail, without retries, if the subscription is not active.
    """

    template_fields: Sequence[str] = ("useapi_conn_id",)
    operator_extra_links = PAGE_LINKS
    ui_color = "#dcecf7"

    def __init__(
        self,
        *,
        useapi_conn_id: str = DEFAULT_CONN_ID,
        redact: Sequence[str] = PERSONAL,
        require_active_subscription: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.useapi_conn_id = useapi_conn_id
        self.redact = _field_names(redact)
        self.require_active_subscription = require_active_subscription

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask once, with the retries of the connection, and return the account."""
        from airflow_provider_useapi.hooks.useapi import UseApiHook

        try:
            with UseApiHook(self.useapi_conn_id) as hook:
                account = hook.get_account()
        except UseApiConnectionNotFoundError:
            raise  # Airflow says so as well while its database is away: its retries apply
        except UseApiError as e:
            if e.permanent:
                raise AirflowFailException(str(e)) from e
            raise
        counts = ", ".join(f"{s.slug} {s.active}/{s.total}" for s in account.services.values())
        state = "active" if account.subscription_is_active else "not active"
        self.log.info("The subscription is %s; accounts active: %s.", state, counts or "none")
        values = account.to_dict(self.redact)
        if self.require_active_subscription and not account.subscription_is_active:
            said = f": {values['error']}" if values["error"] else "."
            raise AirflowFailException(
                f"Connection {self.useapi_conn_id!r}: the subscription is not active{said}"
            )
        if getattr(self, "multiple_outputs", False):
            # Airflow 3.0 cannot push None; a key that is not there is pulled as None anyway.
            return {key: value for key, value in values.items() if value is not None}
        return values


def _field_names(redact: Sequence[str]) -> tuple[str, ...]:
    """Refuse a name that would redact nothing: a typo there shows what should be hidden."""
    from airflow_provider_useapi.api.account import FIELDS
    from airflow_provider_useapi.api.service_names import nearest_first

    if isinstance(redact, str):
        raise UseApiConfigError(f"redact must be a list of names; write redact=[{redact!r}].")
    for name in redact:
        if name not in FIELDS:
            near = nearest_first(str(name), FIELDS)[0]
            raise UseApiConfigError(
                f"redact contains {name!r}, which is not a field; did you mean {near!r}?"
            )
    return tuple(redact)
