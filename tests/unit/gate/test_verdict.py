from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_useapi.api.account import Account
from airflow_provider_useapi.api.capacity import AccountCapacity, Capacity
from airflow_provider_useapi.api.kept_credits import Kept
from airflow_provider_useapi.api.live_readers import Rows
from airflow_provider_useapi.exceptions import UseApiConfigError, UseApiError
from airflow_provider_useapi.gate.condition import THRESHOLDS, Condition
from airflow_provider_useapi.gate.questions import target_of, verdict
from airflow_provider_useapi.gate.verdict import (
    Verdict,
    judge_account,
    judge_capacity,
    judge_credits,
)

SMALL = st.integers(0, 5)
OF_THE_ACCOUNT = ("min_active_accounts", "max_error_accounts", "min_allocations_left")
CONDITIONS = st.builds(
    Condition, st.just("kling"), **{name: st.none() | SMALL for name in OF_THE_ACCOUNT}
)
LIVE = st.builds(Condition, st.just("kling"), **{name: st.none() | SMALL for name in THRESHOLDS})


def judge(account: Account, condition: Condition, capacity: Capacity | None = None) -> Verdict:
    """The verdict of a whole look."""
    told = judge_account(account, condition, target_of(condition).slug)
    return judge_capacity(told, condition, capacity) if capacity else told


def account(
    active: bool = True, total: int = 3, working: int = 2, error: int = 1, **more: Any
) -> Account:
    return Account.from_json(
        {
            "subscriptionIsActive": active,
            "maxAccountsPerAPI": 3,
            "accounts": {"Kling API": {"total": total, "active": working, "error": error}},
            **more,
        }
    )


def capacity(*free: int | None) -> Capacity:
    accounts = [AccountCapacity(f"{n}@example.com", 9, 0, f, True) for n, f in enumerate(free)]
    return Capacity("kling", tuple(accounts))


def test_without_a_service_only_the_subscription_counts() -> None:
    opened = judge(account(), Condition())
    assert opened.open
    assert opened.opening() == "The gate is open: the subscription is active."
    closed = judge(account(active=False), Condition())
    assert closed.reasons == ("the subscription is not active",)
    assert not closed.open


def test_one_active_account_is_needed_when_nothing_is_stated() -> None:
    opened = judge(account(working=1), Condition("kling"))
    assert opened.open
    assert opened.opening() == "The gate is open: kling: 1 of 3 accounts active."
    closed = judge(account(working=0, error=3), Condition("kling"))
    assert closed.reasons == ("kling: 0 of 3 accounts active, 1 needed",)
    assert judge(account(working=0), Condition("kling", min_active_accounts=0)).open


def test_a_closed_gate_says_every_reason() -> None:
    closed = judge(
        account(active=False, error=2),
        Condition("Kling API", min_active_accounts=3, max_error_accounts=1, min_allocations_left=1),
    )
    assert closed.reasons == (
        "the subscription is not active",
        "kling: 2 of 3 accounts active, 3 needed",
        "kling: 2 accounts in error, 1 allowed",
        "kling: 0 allocations left, 1 needed",
    )


def test_an_unknown_number_of_allocations_is_not_enough() -> None:
    unknown = account(maxAccountsPerAPI=None)
    closed = judge(unknown, Condition("kling", min_allocations_left=0))
    assert closed.reasons == ("kling: allocations left unknown, 0 needed",)


def test_what_the_api_says_of_the_account_is_shown_without_addresses() -> None:
    lapsed = Account.from_json({"error": "x@y.z owes\nmoney"})
    (reason,) = judge(lapsed, Condition()).reasons
    assert reason == "the subscription is not active (*** owes money)"


def test_a_service_that_is_not_listed_counts_as_zero_and_is_warned_of() -> None:
    closed = judge(account(), Condition("klingon"))
    assert closed.reasons == ("klingon: 0 of 0 accounts active, 1 needed",)
    (warning,) = closed.warnings
    assert "'klingon'" in warning
    assert "'Kling API'" in warning
    opened = judge(account(), Condition("muse", min_active_accounts=0, min_allocations_left=3))
    assert opened.open
    assert opened.warnings


def test_the_warning_lists_the_nearest_names_and_not_thousands() -> None:
    services = {f"Service {n} API": {"active": 1} for n in range(5000)}
    services["Klinx\u202e API"] = {"active": 1}
    (warning,) = judge(account(accounts=services), Condition("kling")).warnings
    assert len(warning) < 700
    assert "and 4991 more" in warning
    assert "\u202e" not in warning


@pytest.mark.parametrize("nothing", ["", "  ", 0, [], 3])
def test_a_service_that_renders_to_nothing_is_an_error(nothing: Any) -> None:
    with pytest.raises(UseApiConfigError, match="service of this gate rendered to"):
        target_of(Condition(nothing))


def test_the_xcom_of_an_open_gate() -> None:
    assert judge(account(error=0), Condition("kling")).to_xcom("now") == {
        "service": "Kling API",
        "slug": "kling",
        "subscription_is_active": True,
        "total": 3,
        "active": 2,
        "error": 0,
        "allocations_left": 0,
        "free_accounts": None,
        "free_job_slots": None,
        "in_trouble": None,
        "checked_at": "now",
    }
    alone = judge(account(), Condition()).to_xcom("now")
    assert alone["service"] is alone["slug"] is alone["total"] is None
    assert alone["subscription_is_active"] is True


def test_what_is_free_is_asked_for_last_and_only_where_a_live_threshold_is_stated() -> None:
    live = Condition("kling", min_free_job_slots=3)
    assert live.is_live and Condition("kling", min_free_accounts=0).is_live
    assert not Condition("kling", 1, 2, 3).is_live

    def asked(found: Account, condition: Condition) -> list[str]:
        """The live endpoints that a look asks."""
        told, asking = [], verdict(found, target_of(condition))
        try:
            question = next(asking)
            while True:
                told.append(question.path)
                question = asking.send(Rows())
        except StopIteration:
            return told

    assert asked(account(), live) == ["/v1/kling/scheduler/available", "/v1/kling/accounts"]
    assert asked(account(), Condition("kling")) == []
    for closed in (account(active=False), account(working=0)):
        assert asked(closed, live) == []


def test_a_gate_opens_with_enough_free_job_slots() -> None:
    opened = judge(account(), Condition("kling", min_free_job_slots=3), capacity(3, 0))
    assert opened.open
    assert opened.opening() == (
        "The gate is open: kling: 2 of 3 accounts active, 1 free, with 3 free job slots."
    )
    told = opened.to_xcom("now")
    assert (told["free_accounts"], told["free_job_slots"]) == (1, 3)
    assert "example.com" not in str((opened, told))


def test_each_shortfall_of_what_is_free_is_a_reason() -> None:
    wanted = Condition("kling", min_active_accounts=3, min_free_accounts=2, min_free_job_slots=40)
    assert judge(account(), wanted, capacity(3, 0)).reasons == (
        "kling: 2 of 3 accounts active, 3 needed",
        "kling: 1 free accounts, 2 needed",
        "kling: 3 free job slots, 40 needed",
    )
    assert judge(account(), Condition("kling", min_free_accounts=2), capacity(9, 0)).reasons == (
        "kling: 1 free accounts, 2 needed",
    )
    assert judge(account(), Condition("kling", min_free_accounts=2), capacity(1, 1)).open


def broken(*ids: str) -> Capacity:
    """Accounts that are signed out, and one that is full."""
    accounts = [
        AccountCapacity(each, 5, 0, 0, False, f"signed out: {n}") for n, each in enumerate(ids)
    ]
    return Capacity("kling", (AccountCapacity("full1@example.com", 5, 5, 0, True), *accounts))


def test_a_closed_gate_says_which_account_cannot_be_used_and_why() -> None:
    found = broken("studio1@gmail.com")
    closed = judge(account(), Condition("kling", min_free_job_slots=1), found)
    assert closed.reasons == (
        "kling: 0 free job slots, 1 needed",
        "kling: st***o1@gmail.com cannot be used (signed out: 0)",
    )
    assert closed.to_xcom("now")["in_trouble"] == ["st***o1@gmail.com"]
    opened = judge(account(), Condition("kling", min_free_job_slots=0), found)
    assert opened.open
    assert opened.opening().endswith(
        "with 0 free job slots; kling: st***o1@gmail.com cannot be used (signed out: 0)."
    )
    healthy = judge(account(), Condition("kling", min_free_job_slots=0), capacity(1))
    assert healthy.to_xcom("now")["in_trouble"] == []


def test_many_accounts_in_trouble_are_not_all_told_and_stay_apart() -> None:
    found = broken(*(f"factory.{n:03}.main@gmail.com" for n in range(60)))
    closed = judge_capacity(
        judge_account(account(), Condition("kling", min_free_accounts=1), "kling"),
        Condition("kling", min_free_accounts=1),
        found,
        12345,
    )
    assert len(closed.reasons) == 1 + 5 + 1
    assert closed.reasons[-1] == "kling: 55 more accounts cannot be used"
    named = closed.to_xcom("now")["in_trouble"]
    assert len(set(named)) == 50
    assert all(name.startswith("fa***in@gmail.com #") for name in named)


SOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kept", "reasons"),
    [
        ({"a": Kept(SOON, 500)}, []),
        ({"a": Kept(SOON, 499), "b": Kept(SOON, 900)}, []),
        ({"a": Kept(SOON, 300), "b": Kept(SOON, 300)}, ["one 300, two 300"]),
        (
            {"a": Kept(SOON, 900, "PAYGATE_TIER_NOT_PAID")},
            ["one 900, no paid plan (PAYGATE_TIER_NOT_PAID), two unknown"],
        ),
        (
            {"a": Kept(SOON, failed="503."), "c": Kept(SOON, 900)},
            ["one unknown (503.), two unknown"],
        ),
    ],
)
def test_one_account_has_to_have_the_credits(kept: dict[str, Kept], reasons: list[str]) -> None:
    wanted = Condition("kling", min_credits=500)
    told = judge_account(account(), wanted, "kling")
    found = judge_credits(told, wanted, {"a": "one", "b": "two"}, kept)
    said = "kling: 500 credits needed on one account: "
    assert list(found.reasons) == [f"{said}{each}" for each in reasons]
    assert found.kept == kept
    none = judge_credits(told, wanted, {}, kept)
    assert none.reasons == ("kling: no account can be used, 500 credits needed on one",)
    many = judge_credits(told, wanted, {f"x{n}": f"n{n}" for n in range(9)}, kept)
    assert many.reasons[0].endswith("n4 unknown and 4 more")


def test_no_credits_at_all_are_asked_of_one_that_is_known() -> None:
    wanted = Condition("kling", min_credits=0)
    told = judge_account(account(), wanted, "kling")
    assert judge_credits(told, wanted, {"a": "one"}, {"a": Kept(SOON, 0)}).open
    assert not judge_credits(told, wanted, {"a": "one"}, {"a": Kept(SOON)}).open


def test_unknown_is_never_enough() -> None:
    wanted = Condition("kling", min_free_accounts=0, min_free_job_slots=0)
    assert judge(account(), wanted, capacity(9, None)).reasons == (
        "kling: free accounts unknown, 0 needed",
        "kling: free job slots unknown, 0 needed",
    )


def test_a_lapsed_subscription_found_at_the_live_look_closes_the_gate() -> None:
    refused = Capacity("kling", refused="Subscription required by a@b.c")
    verdict = judge(account(), Condition("kling", min_free_job_slots=0), refused)
    assert verdict.reasons == ("the subscription is not active (Subscription required by ***)",)
    assert verdict.subscription_is_active is False
    assert not verdict.open
    lapsed = judge(account(active=False), Condition("kling", min_free_job_slots=0), refused)
    assert lapsed.reasons == ("the subscription is not active",)


@pytest.mark.parametrize("name", list(THRESHOLDS))
@pytest.mark.parametrize("value", [-1, True, 1.0, "2", [1]])
def test_a_threshold_is_a_whole_number(name: str, value: object) -> None:
    with pytest.raises(UseApiConfigError, match=f"{name} must be a whole number of at least 0"):
        Condition("kling", **{name: value})  # type: ignore[arg-type]


def test_a_threshold_needs_a_service() -> None:
    with pytest.raises(UseApiConfigError, match="max_error_accounts needs a service"):
        Condition(max_error_accounts=0)
    assert Condition("kling", max_error_accounts=0)
    assert Condition("{{ params.service }}", max_error_accounts=0)
    assert Condition()
    assert issubclass(UseApiConfigError, ValueError)
    assert issubclass(UseApiConfigError, UseApiError)


def test_a_limit_of_jobs_needs_a_service_and_something_that_uses_it() -> None:
    assert Condition("google-flow", min_free_accounts=1, jobs_per_account=1)
    with pytest.raises(UseApiConfigError, match="min_free_accounts, jobs_per_account needs a serv"):
        Condition(min_free_accounts=1, jobs_per_account=1)
    with pytest.raises(UseApiConfigError, match="jobs_per_account needs a service"):
        Condition(jobs_per_account=1)
    with pytest.raises(UseApiConfigError, match="add min_free_job_slots or min_free_accounts"):
        Condition("google-flow", min_active_accounts=1, jobs_per_account=1)
    for bad in (0, -1, True, 1.5, "2"):
        with pytest.raises(UseApiConfigError, match="jobs_per_account must be a whole number"):
            Condition("google-flow", min_free_accounts=1, jobs_per_account=bad)  # type: ignore[arg-type]


@given(st.lists(st.none() | SMALL, max_size=3), LIVE)
def test_the_rule_of_a_gate(free: list[int | None], wanted: Condition) -> None:
    alone = judge(account(), wanted)
    verdict = judge(account(), wanted, capacity(*free))
    assert verdict.reasons[: len(alone.reasons)] == alone.reasons

    def enough(there: int | None, least: int | None) -> bool:
        return least is None or (there is not None and there >= least)

    there = capacity(*free)
    holds = enough(there.free_accounts, wanted.min_free_accounts)
    holds &= enough(there.free_job_slots, wanted.min_free_job_slots)
    assert verdict.open == (not alone.reasons and holds)


@given(SMALL, SMALL, CONDITIONS)
def test_one_more_working_account_never_closes_a_gate(
    working: int, error: int, condition: Condition
) -> None:
    few = judge(account(total=9, working=working, error=error), condition)
    more = judge(account(total=9, working=working + 1, error=error), condition)
    assert more.open or not few.open


@given(SMALL, SMALL, SMALL, CONDITIONS)
def test_an_inactive_subscription_closes_every_gate_and_adds_one_reason(
    total: int, working: int, error: int, condition: Condition
) -> None:
    numbers = {"total": total, "working": working, "error": error}
    active = judge(account(**numbers), condition)
    lapsed = judge(account(active=False, **numbers), condition)
    assert not lapsed.open
    assert len(lapsed.reasons) == len(active.reasons) + 1
