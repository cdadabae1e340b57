"""Taking reversals back, as far as it is the same for every ERP: by whose rights, and which records carry a marker.

class Undo(ReversalRunner[UserSession]):
    def __init__(self, session_of: Callable[[Role], UserSession]) -> None:
        super().__init__(session_of, refusals, {"create_project": self._projects, "enter_time": self._time})
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final, Generic, TypeVar

from ringgate.domain.errors import Refused
from ringgate.domain.reversal import NOTHING_TO_UNDO, Reversal
from ringgate.domain.terms import Role

Session = TypeVar("Session")

KEEPERS: Final = {
    "create_project": Role.PROJECT_MANAGER,
    "enter_time": Role.CONSULTANT,
    "request_purchase": Role.CONSULTANT,
    "draft_invoice": Role.ACCOUNTANT,
    "post_invoice": Role.ACCOUNTANT,
    "credit_invoice": Role.ACCOUNTANT,
    "pay_invoice": Role.ACCOUNTANT,
    "record_supplier_invoice": Role.ACCOUNTANT,
    "post_entry": Role.ACCOUNTANT,
}
"""Who keeps the records that a verb makes."""


class ReversalRunner(Generic[Session]):
    """`session_of` gives the session of a role; `refusing(verb, session)` turns what the ERP refuses into `Refused`.
    `reverse` has a function for each verb: it takes a session and says what was done, each in a few words.
    """

    def __init__(
        self,
        session_of: Callable[[Role], Session],
        refusing: Callable[[str, Session], AbstractContextManager[None]],
        reverse: Mapping[str, Callable[[Session, Reversal], list[str]]],
    ) -> None:
        self._session_of, self._refusing, self._reverse = session_of, refusing, reverse

    def take_back(self, reversal: Reversal) -> str:
        """What was done, in a few words; `NOTHING_TO_UNDO` where there was nothing. Raises Refused if it cannot be
        taken back."""
        if reversal.verb not in self._reverse:
            return NOTHING_TO_UNDO
        writer, keeper = Role(reversal.role), KEEPERS[reversal.verb]
        try:
            done = self._by(writer, reversal)
        except Refused:
            # Who was refused, or has lost a right that they should never have had, may not even look. Who keeps such
            # records can, and takes back what there is.
            if keeper is writer:
                raise
            done = self._by(keeper, reversal)
        return ", ".join(done) or NOTHING_TO_UNDO

    def _by(self, role: Role, reversal: Reversal) -> list[str]:
        session = self._session_of(role)
        with self._refusing(f"undo {reversal.verb}", session):
            return self._reverse[reversal.verb](session, reversal)


def carries(text: str, marker: str) -> bool:
    """Whether a text carries a marker as a whole: RG-7-1 is not in "RG-7-12"."""
    return bool(re.search(re.escape(marker) + r"(?![\w])", text))
