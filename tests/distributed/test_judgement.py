"""That the judgement of a scenario sees what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.distributed.judgement import Expectation, Looks, Observation, judge, worst
from tests.distributed.plan import Mode, allowed_looks, gates_of, modes
from tests.distributed.states import Change, Instance

OPENED = 1000.0
SUCCESS = (Change(OPENED - 60, 1, "deferred"), Change(OPENED + 5, 1, "success"))
GATE = Instance("gates_00", "deferred_0", -1, "success", 1, has_result=True, changes=SUCCESS)
WELL = Observation(
    gates=[GATE],
    tried={Mode.DEFERRED: 1},
    opened=OPENED,
    during=[Looks(3, 3)],
    after=[Looks(2, 8)],
    events=[1],
    followers=[1],
)


def test_nothing_is_wrong_when_all_is_well() -> None:
    found = judge(WELL, Expectation())
    assert not found.faults
    assert [count.name for count in found.counts] == ["deferred", "control", "audits"]


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        (replace(GATE, state="deferred"), "deferred: 1 of 1 lost"),
        (replace(GATE, state="failed"), "deferred: 1 of 1 ended wrong"),
        (replace(GATE, state="skipped"), "deferred: 1 of 1 ended wrong"),
        (replace(GATE, has_result=False), "deferred: 1 of 1 ended wrong"),
        (replace(GATE, changes=SUCCESS * 2), "deferred: 1 of 1 ended wrong"),
        (
            replace(GATE, changes=(Change(OPENED - 1, 1, "success"),)),
            "deferred: 1 of 1 ended wrong",
        ),
        (replace(GATE, try_number=2), "deferred: 1 of 1 needed another try"),
    ],
)
def test_a_gate_that_did_not_end_as_it_must(gate: Instance, fault: str) -> None:
    assert list(judge(replace(WELL, gates=[gate]), Expectation()).faults) == [fault]


def test_a_gate_that_never_was_is_lost() -> None:
    assert list(judge(replace(WELL, gates=[]), Expectation()).faults) == ["deferred: 1 of 1 lost"]


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        (replace(WELL, during=[Looks(4, 3)]), "gates_00: 4 requests during the fault, not 3"),
        (replace(WELL, after=[Looks(9, 8)]), "gates_00: 9 requests after the fault, not 8"),
        (replace(WELL, recovery=None), "not looked after again within 90 s"),
        (replace(WELL, recovery=91.0), "not looked after again within 90 s"),
        (replace(WELL, events=[2], followers=[2]), "watcher 0: 2 events, not 1 to 1"),
        (replace(WELL, events=[0], followers=[0]), "watcher 0: 0 events, not 1 to 1"),
        (replace(WELL, followers=[0]), "watcher 0: 0 runs followed 1 events"),
        (
            replace(WELL, audits=[Instance("audits", "audit_0", -1, "failed", 1)]),
            "audits: 0 lost, 1 wrong",
        ),
        (replace(WELL, waited=False), "not every gate waited in time"),
    ],
)
def test_what_else_may_be_wrong(seen: Observation, fault: str) -> None:
    assert list(judge(seen, Expectation()).faults) == [fault]


def test_what_waits_longer_by_contract_is_looked_after_later() -> None:
    patient = Expectation(patience=300)
    assert not judge(replace(WELL, recovery=389.0), patient).faults
    assert list(judge(replace(WELL, recovery=391.0), patient).faults) == [
        "not looked after again within 390 s"
    ]


def test_another_try_after_a_killed_worker_is_airflows_own() -> None:
    seen = replace(WELL, gates=[replace(GATE, try_number=2)])
    found = judge(seen, Expectation(retried=frozenset({Mode.DEFERRED})))
    assert not found.faults
    assert found.counts[0].retried == 1


def test_what_becomes_of_the_control_group_is_told_and_no_fault() -> None:
    control = [Instance("control", "poke_0", -1, "failed", 3)]
    found = judge(replace(WELL, control=control), Expectation())
    assert not found.faults
    assert (found.counts[1].wrong, found.counts[1].retried) == (1, 1)


def test_the_worst_connection_is_the_one_nearest_to_its_limit() -> None:
    assert worst([Looks(5, 14), Looks(4, 5), Looks(9, 20)]) == Looks(4, 5)
    assert worst([]) is None


def test_two_hundred_gates_wait_in_every_mode_on_twenty_connections() -> None:
    assert sum(modes(20).values()) == 200
    assert all(modes(20).values())
    assert all(sum(gate.instances for gate in gates_of(number)) == 10 for number in range(20))


def test_a_look_an_interval_of_each_who_looks_is_allowed() -> None:
    # Two triggerers; beside them one that is rescheduled every 45 s, one that pokes, nobody.
    assert [allowed_looks(number, 30, 2) for number in (0, 1, 3)] == [9, 12, 8]
