"""The account as users import it: :class:`Account` and its linked accounts by service."""

from __future__ import annotations

from airflow_provider_useapi.api.account import Account, ServiceAccounts

__all__ = ["Account", "ServiceAccounts"]
