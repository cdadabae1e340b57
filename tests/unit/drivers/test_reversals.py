"""A reversal is taken back by who wrote, else by who keeps such records; a marker is found whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ringgate.domain.errors import Refused
from ringgate.domain.reversal import NOTHING_TO_UNDO, Reversal
from ringgate.domain.terms import Role
from ringgate.drivers.reversals import ReversalRunner, carries


class NoRight(Exception):
    """What this ERP raises to who may not."""


@contextmanager
def refusing(verb: str, session: Role) -> Iterator[None]:
    try:
        yield
    except NoRight as error:
        raise Refused(verb, f"{session} may not") from error


class Undo(ReversalRunner[Role]):
    """Of an ERP where a session is the role itself, and only some roles may take anything back."""

    def __init__(self, *may: Role, done: list[str] | None = None) -> None:
        super().__init__(lambda role: role, refusing, {"post_invoice": self._posted})
        self._may, self._done, self.tried = may, ["credited"] if done is None else done, []

    def _posted(self, session: Role, _reversal: Reversal) -> list[str]:
        self.tried.append(session)
        if session not in self._may:
            raise NoRight
        return self._done


def reversal(role: Role, verb: str = "post_invoice") -> Reversal:
    return Reversal(verb, role.value, "RG-7-1")


def test_who_wrote_takes_back() -> None:
    undo = Undo(Role.PROJECT_MANAGER, Role.ACCOUNTANT, done=["credited", "settled"])
    assert undo.take_back(reversal(Role.PROJECT_MANAGER)) == "credited, settled"
    assert undo.tried == [Role.PROJECT_MANAGER]


def test_where_the_writer_may_not_who_keeps_such_records_does() -> None:
    undo = Undo(Role.ACCOUNTANT)
    assert undo.take_back(reversal(Role.PROJECT_MANAGER)) == "credited"
    assert undo.tried == [Role.PROJECT_MANAGER, Role.ACCOUNTANT]


def test_what_nobody_may_take_back_is_refused_and_tried_once_by_each() -> None:
    undo = Undo()
    with pytest.raises(Refused, match="accountant may not"):
        undo.take_back(reversal(Role.CONSULTANT))
    assert undo.tried == [Role.CONSULTANT, Role.ACCOUNTANT]
    with pytest.raises(Refused):
        undo.take_back(reversal(Role.ACCOUNTANT))
    assert undo.tried == [Role.CONSULTANT, Role.ACCOUNTANT, Role.ACCOUNTANT]


def test_where_there_is_nothing_that_is_said() -> None:
    assert Undo(Role.ACCOUNTANT, done=[]).take_back(reversal(Role.ACCOUNTANT)) == NOTHING_TO_UNDO
    assert Undo().take_back(reversal(Role.ACCOUNTANT, "create_project")) == NOTHING_TO_UNDO


@pytest.mark.parametrize(
    ("text", "found"),
    [("Dock [RG-7-1]", True), ("INV/2026/00001 RG-7-1", True), ("Dock [RG-7-12]", False), ("", False)],
)
def test_a_marker_is_found_whole_or_not_at_all(text: str, found: bool) -> None:
    assert carries(text, "RG-7-1") is found
