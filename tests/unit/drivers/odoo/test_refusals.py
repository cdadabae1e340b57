"""A refusal is typed by the kind of the ERP's error, never by its words, and carries the state read back."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ringgate.domain.errors import Refused
from ringgate.domain.terms import Basis
from ringgate.drivers.odoo.refusals import refusals
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.drivers.odoo.wire import BusinessError, SessionEnded


class Session:
    """Answers every call with `row`, or raises it."""

    def __init__(self, row: Any) -> None:
        self.row = row

    def call(self, *_: Any, **__: Any) -> Any:
        if isinstance(self.row, Exception):
            raise self.row
        return [self.row]


def session(row: Any) -> UserSession:
    return cast(UserSession, Session(row))


@pytest.mark.parametrize(
    ("kind", "basis"),
    [("AccessError", Basis.RIGHTS), ("UserError", Basis.RECORDS), ("ValidationError", Basis.RECORDS)],
)
def test_rights_are_told_from_records_by_the_kind_of_the_error(kind: str, basis: Basis) -> None:
    with (
        pytest.raises(Refused, match="Nein") as caught,
        refusals("post", session({"state": "draft"}), "account.move", "4"),
    ):
        raise BusinessError(kind, "Nein.")
    assert (caught.value.basis, caught.value.state, caught.value.verb) == (basis, "draft", "post")


def test_a_state_that_may_not_be_read_is_left_out() -> None:
    with (
        pytest.raises(Refused) as caught,
        refusals("post", session(BusinessError("AccessError", "No.")), "account.move", "4"),
    ):
        raise BusinessError("AccessError", "No.")
    assert caught.value.state == ""


def test_a_session_that_was_ended_is_a_refusal() -> None:
    with pytest.raises(Refused), refusals("who_am_i", session({})):
        raise SessionEnded("gone")
