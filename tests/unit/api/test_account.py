from __future__ import annotations

import json
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import FIELDS, Account
from tests.helpers.bodies import DOCUMENTED, JSON


def test_the_documented_answer() -> None:
    account = Account.from_json(DOCUMENTED)
    assert account.id == 12345
    assert account.subscription_is_active is True
    assert account.max_accounts_per_api == 3
    assert account.renewed_on == pendulum.date(2025, 4, 5)
    assert list(account.services) == ["midjourney", "minimax", "runwayml", "riffusion"]
    midjourney = account.service("Midjourney API")
    assert midjourney is not None
    assert (midjourney.total, midjourney.active, midjourney.error) == (3, 2, 1)
    assert midjourney.allocations_left == 0
    runway = account.service("RUNWAYML")
    assert runway is not None
    assert (runway.name, runway.slug, runway.allocations_left) == ("Runway AP", "runwayml", 2)
    assert account.service("kling") is None
    assert hash(account) == hash(Account.from_json(DOCUMENTED))


def test_a_repr_shows_no_personal_data() -> None:
    shown = repr(Account.from_json({**DOCUMENTED, "replyUrl": "https://hook.example/key"}))
    assert "example" not in shown
    assert "Your Name" not in shown


@pytest.mark.parametrize("odd", [None, "", "no", 1, "true", [True], {"a": 1}, 0.0])
def test_only_true_is_an_active_subscription(odd: object) -> None:
    assert Account.from_json({"subscriptionIsActive": odd}).subscription_is_active is False
    assert Account.from_json({}).subscription_is_active is False


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"total": 3, "active": 2, "error": 1}, (3, 2, 1)),
        ({"total": 3}, (3, 0, 0)),
        ({"active": 2, "error": 1}, (3, 2, 1)),
        ({}, (0, 0, 0)),
        (None, (0, 0, 0)),
        ("three", (0, 0, 0)),
        ({"total": "3", "active": 2.0}, (3, 2, 0)),
        ({"total": True, "active": -1, "error": 1.5}, (0, 0, 0)),
        ({"total": float("nan"), "active": float("inf")}, (0, 0, 0)),
    ],
)
def test_a_count_that_cannot_be_read_is_zero(counts: object, expected: tuple[int, ...]) -> None:
    found = Account.from_json({"accounts": {"Kling API": counts}}).service("kling")
    assert found is not None
    assert (found.total, found.active, found.error) == expected
    assert found.allocations_left is None


def test_allocations_left_is_never_below_zero() -> None:
    body = {"maxAccountsPerAPI": 3, "accounts": {"Kling API": {"total": 5, "active": 5}}}
    found = Account.from_json(body).service("kling")
    assert found is not None
    assert found.allocations_left == 0


def test_a_typo_and_its_correction_are_one_service() -> None:
    body = {"accounts": {"Runway AP": {"total": 1, "active": 1}, "Runway API": {"total": 2}}}
    account = Account.from_json(body)
    assert list(account.services) == ["runwayml"]
    assert account.services["runwayml"].total == 3


@pytest.mark.parametrize(
    ("sub", "renewed"),
    [
        ("250405", pendulum.date(2025, 4, 5)),
        ("991231", pendulum.date(2099, 12, 31)),
        ("250230", None),
        ("2504", None),
        ("25040５", None),
        (250405, None),
        (None, None),
    ],
)
def test_the_renewal_date(sub: object, renewed: pendulum.Date | None) -> None:
    assert Account.from_json({"sub": sub}).renewed_on == renewed


def test_to_dict_has_the_documented_fields_and_nothing_else() -> None:
    values = Account.from_json({**DOCUMENTED, "undocumented": 1}).to_dict()
    assert set(values) == {*FIELDS, "services"}
    for key, value in DOCUMENTED.items():
        if key != "accounts":
            assert values[key] == value
    assert values["accounts"]["MiniMax API"] == {"total": 3, "active": 3, "error": 0}
    assert values["services"]["minimax"] == {
        "name": "MiniMax API",
        "total": 3,
        "active": 3,
        "error": 0,
        "allocations_left": 0,
    }
    assert values["replyUrl"] is None


def test_to_dict_redacts() -> None:
    body = {**DOCUMENTED, "error": "someone@mail.example.com must verify"}
    values = Account.from_json(body).to_dict(redact=("email", "name", "replyUrl"))
    assert (values["email"], values["name"], values["replyUrl"]) == ("***", "***", None)
    assert values["error"] == "*** must verify"
    assert "mail.example" not in json.dumps(values)
    whole = Account.from_json(body).to_dict()
    assert whole["error"] == body["error"]


@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), JSON))
def test_any_json_object_is_an_account(body: dict[str, Any]) -> None:
    account = Account.from_json(body)
    for found in account.services.values():
        assert min(found.total, found.active, found.error) >= 0
        assert account.service(found.slug) == found
    dumped = json.dumps(account.to_dict(), ensure_ascii=False, allow_nan=False)
    dumped.encode()
    assert "\\u0000" not in dumped


@given(st.dictionaries(st.text(), JSON))
def test_any_service_name_can_be_asked_for(accounts: dict[str, Any]) -> None:
    account = Account.from_json({"accounts": accounts})
    for key in accounts:
        cleaned = key.encode("utf-8", "replace").decode().replace("\0", "�")
        assert account.service(cleaned) is not None
