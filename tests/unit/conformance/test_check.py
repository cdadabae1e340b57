"""What becomes of a contract, whatever a driver does; and which types its values may have. No ERP is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ringgate.conformance import CONTRACTS, Contract, ContractBroken, VerbStanding, check_contract
from ringgate.conformance.values import check_types
from ringgate.domain.documents import Project, Ref, Task, TimeEntry
from ringgate.domain.errors import ErpUnavailable, Refused, SecretMissing
from ringgate.domain.money import Money
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Capability, Channel, Role
from ringgate.host.undo_journal import Journal
from tests.support.samples import GBP, JPY, tenant

TASK = Task(Ref("task", "7"), "t", Money("100.00", GBP), Decimal("2"))
ENTRY = TimeEntry(Ref("time", "9"), Ref("task", "7"), Decimal("2"), date(2026, 11, 27), "d", "E")


class Puppet:
    """A driver that signs nobody in, and undoes as it is told."""

    channel = Channel.API
    capabilities = frozenset({Capability.SIGN_IN, Capability.UNDO})
    calls, touched = 0, frozenset[str]()

    def __init__(self, undo: Exception | None = None) -> None:
        self.undone: list[Reversal] = []
        self._undo = undo

    def connect(self, *_: Any) -> Puppet:
        return self

    def undo(self, reversal: Reversal) -> str:
        self.undone.append(reversal)
        if self._undo:
            raise self._undo
        return "deleted"

    def close(self) -> None: ...


def contract(function: Any, *needs: Capability, roles: Any = ()) -> Contract:
    return Contract("sample", "It is so.", frozenset(needs), frozenset(roles), function)


def raising(error: Exception) -> Any:
    def function(_trial: Any) -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "standing", "how"),
    [
        (lambda trial: None, VerbStanding.KEPT, ""),
        (raising(ContractBroken("the number is ''")), VerbStanding.BROKEN, "the number is ''"),
        (
            raising(Refused("post_invoice", "no")),
            VerbStanding.BROKEN,
            "it raised Refused: post_invoice was refused: no",
        ),
        (raising(ErpUnavailable("nobody answers")), VerbStanding.UNTRIED, "nobody answers"),
        (raising(SecretMissing("X is not set")), VerbStanding.UNTRIED, "X is not set"),
        (
            raising(AttributeError("no such verb")),
            VerbStanding.BROKEN,
            "it raised AttributeError: no such verb, which is no error of ringgate.domain.errors",
        ),
    ],
)
def test_what_becomes_of_a_contract(function, standing, how, tmp_path: Path):
    driver: Any = Puppet()
    found = check_contract(contract(function), driver, tenant(), Journal(tmp_path))
    assert (found.standing, found.how) == (standing, how)


def test_what_the_driver_does_not_declare_is_missing_and_not_called(tmp_path: Path):
    driver: Any = Puppet()
    found = check_contract(
        contract(raising(ContractBroken("x")), Capability.SURFACE), driver, tenant(), Journal(tmp_path)
    )
    assert (found.standing, found.how) == (VerbStanding.MISSING, "the api driver for sample cannot do surface")


def test_a_role_without_a_user_is_not_tried(tmp_path: Path):
    driver: Any = Puppet()
    alone = contract(raising(ContractBroken("x")), roles=[Role.APPROVER])
    found = check_contract(alone, driver, replace(tenant(), users={}), Journal(tmp_path))
    assert (found.standing, found.how) == (VerbStanding.UNTRIED, "aldgate has no synthetic user for approver")


def written(trial: Any) -> None:
    trial.journal.resolve(trial.journal.register(Reversal("create_project", "project_manager", "RG-x-1")), "5")
    raise ContractBroken("something else")


def test_what_a_broken_contract_wrote_is_undone(tmp_path: Path):
    driver: Any = Puppet()
    found = check_contract(contract(written), driver, tenant(), Journal(tmp_path))
    assert (found.standing, found.how) == (VerbStanding.BROKEN, "something else")
    assert [(each.verb, each.ref) for each in driver.undone] == [("create_project", "5")]


def test_what_cannot_be_undone_is_told(tmp_path: Path):
    driver: Any = Puppet(Refused("create_project", "it stays"))
    found = check_contract(contract(written), driver, tenant(), Journal(tmp_path))
    assert found.how.startswith("something else; what it wrote was left behind: ")
    assert "it stays" in found.how


def test_every_contract_says_what_it_promises_and_what_it_needs():
    assert len(CONTRACTS) > 35
    for each in CONTRACTS.values():
        assert each.sentence.endswith("."), each.id
        assert each.needs, each.id


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (ENTRY, ""),
        (Project(Ref("project", "1"), "p", "c", "open", (TASK,)), ""),
        (replace(ENTRY, hours=2.0), "TimeEntry.hours is a float, not a Decimal of hours"),
        (replace(ENTRY, on=datetime(2026, 11, 27, tzinfo=UTC)), "TimeEntry.on is a datetime, not a date"),
        (replace(ENTRY, ref=Ref("time", 9)), "TimeEntry.ref.id is 9: ids are text"),
        (replace(ENTRY, ref=Ref("time", "")), "TimeEntry.ref.id is '': ids are text"),
        (replace(TASK, rate=Money(100, JPY)), "Task.rate is in JPY, the tenant's is GBP"),
        (Project(Ref("project", "1"), "p", "c", "open", [TASK]), "Project.tasks is a list"),
        (
            Project(Ref("project", "1"), "p", "c", "open", (replace(TASK, planned=8.0),)),
            "Project.tasks[0].planned is",
        ),
    ],
)
def test_the_types_of_values(value: Any, complaint: str):
    if not complaint:
        check_types(value, GBP)
        return
    with pytest.raises(ContractBroken) as caught:
        check_types(value, GBP)
    assert str(caught.value).startswith(complaint)
