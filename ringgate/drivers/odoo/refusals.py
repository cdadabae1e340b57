"""Why Odoo refused: whether the user lacks the right, or the books do not allow what they may do.

The kind of the error says it, in whatever language it is worded: an AccessError is a matter of rights, everything else
a reason of the ERP's own. A button that changes nothing says nothing: its state is read back, and that is a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ringgate.domain.errors import Refused
from ringgate.domain.terms import Basis
from ringgate.drivers.odoo.values import link
from ringgate.drivers.odoo.wire import BusinessError, SessionEnded

if TYPE_CHECKING:
    from ringgate.drivers.odoo.sessions import UserSession

RIGHTS_KINDS: Final = frozenset({"AccessError"})
STATES: Final = {
    "account.move": "state",
    "purchase.order": "state",
    "sale.order": "state",
    "project.task": "stage_id",
}
"""Kinds of records that have a state, and the field that holds it."""


class NothingHappened(Refused):
    """The ERP did not say no, and did not do it either: that is its own logic, whoever asked."""

    def __init__(self, verb: str, reason: str, state: str = "", basis: Basis = Basis.PROCESS) -> None:
        super().__init__(verb, reason, state, basis)


def basis_of(error: BusinessError) -> Basis:
    return Basis.RIGHTS if error.error_kind in RIGHTS_KINDS else Basis.RECORDS


@contextmanager
def refusals(verb: str, session: UserSession, model: str = "", record: str = "") -> Iterator[None]:
    """Turns what the ERP refuses inside into `Refused`, with the record's state as read back afterwards."""
    try:
        yield
    except BusinessError as error:
        raise Refused(verb, str(error), state_of(session, model, record), basis_of(error)) from error
    except SessionEnded as error:
        raise Refused(verb, str(error)) from error


def state_of(session: UserSession, model: str, record: str) -> str:
    """The state of a record as this user may see it; "" if there is none to be seen."""
    field = STATES.get(model)
    if not record or field is None:
        return ""
    try:
        rows = session.call(model, "read", ids=[int(record)], fields=[field])
    except (BusinessError, SessionEnded, ValueError):
        return ""
    value = rows[0][field] if rows else ""
    return str(value if isinstance(value, str) else link(value) or "")
