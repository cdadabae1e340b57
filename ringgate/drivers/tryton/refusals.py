"""Why Tryton refused: whether the user lacks the right, or the books do not allow what they may do.

The ERP words both alike, in the user's language. So it is asked afterwards what the user may do:

    basis_of(session, error)       # Basis.RIGHTS: none of their groups may press the button that bills a project
"""

from __future__ import annotations

from typing import Final

from ringgate.domain.errors import Refused
from ringgate.domain.terms import Basis
from ringgate.drivers.tryton.sessions import NotThere, UserSession
from ringgate.drivers.tryton.wire import BusinessError

VERBS: Final = {
    **dict.fromkeys(("create", "write", "delete"), ""),
    **dict.fromkeys(("read", "search", "search_read", "search_count", "export_data"), "read"),
}
"""Methods that a right on the model itself allows, and the right's name where it is another; else it is a button."""


class NothingHappened(Refused):
    """The ERP did not say no, and did not do it either: that is its own logic, whoever asked."""

    def __init__(self, verb: str, reason: str, state: str = "") -> None:
        super().__init__(verb, reason, state, Basis.PROCESS)


def basis_of(session: UserSession, error: BusinessError) -> Basis:
    """Rights if the user may not do what was refused; else what the ERP holds, for it gave a reason of its own."""
    if isinstance(error, NotThere) or not error.method.startswith("model."):
        return Basis.RECORDS
    model, _, action = error.method.removeprefix("model.").rpartition(".")
    return Basis.RECORDS if _may(session, model, action) else Basis.RIGHTS


def _may(session: UserSession, model: str, action: str) -> bool:
    access = session.call("model.ir.model.access.get_access", [model])[model]
    if action in VERBS:
        return bool(access[VERBS[action] or action])
    dialect = session.client.dialect
    button = [(dialect.model_of_a_rule, "=", model), ("name", "=", action)]
    rows = session.call("model.ir.model.button.search_read", button, 0, 1, None, ["groups"])
    if not rows or not rows[0]["groups"]:
        return bool(access["write"])
    own = session.call("model.res.user.get_preferences", True)["groups"]
    return not set(own).isdisjoint(rows[0]["groups"])
