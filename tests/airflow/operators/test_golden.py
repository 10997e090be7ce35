"""The XCom of an account that an earlier release stored: tasks that read it find all of it."""

from __future__ import annotations

from airflow_provider_useapi.operators.useapi import UseApiAccountOperator
from airflow_provider_useapi.sandbox import Sandbox
from tests.helpers.golden import ACCOUNT, golden


def test_the_operator_returns_what_it_returned(sandbox: Sandbox) -> None:
    sandbox.account = dict(ACCOUNT)
    assert UseApiAccountOperator(task_id="account").execute({}) == golden("account_xcom")
