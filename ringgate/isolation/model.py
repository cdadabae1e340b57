"""What a tenant keeps to itself, who tries to see it, and what an attempt came to.

Two kinds of people try. To who comes to a tenant with another tenant's session, or with none, every call must be
refused (`barred`). Who asks their own tenant for a record of ours is answered, since ids coincide between databases:
there the content decides, and no text that only our records carry may be in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringgate.domain.documents import Ref


class AttemptKind(StrEnum):
    """How somebody may get at a record."""

    READ = "read"
    SEARCH = "search"
    EXPORT = "export"
    REPORT = "report"
    WRITE = "write"


class AttemptOutcome(StrEnum):
    """What came of an attempt. The last three are leaks; `nothing` is one for who is barred."""

    REFUSED = "was refused"
    NOTHING = "told nothing of it"
    ACCEPTED = "was answered"
    DISCLOSED = "disclosed"
    CHANGED = "was carried out"


LEAKS = frozenset({AttemptOutcome.ACCEPTED, AttemptOutcome.DISCLOSED, AttemptOutcome.CHANGED})


@dataclass(frozen=True, slots=True)
class PrivateRecord:
    """A record that a tenant keeps to itself. `tells` are texts that stand on it and on no other tenant's
    records, the one of its own first: a marker, or the company's name.

    `made` says that this run made it, so that an attempt to change it does no harm: it is taken back with the run.
    """

    ref: Ref
    tells: tuple[str, ...]
    made: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt on one or several records of a kind. `by` is who refused (401, 404, an error of the ERP);
    `shown` the text that should not have been, `told` all that was answered, for people with a right to it."""

    way: AttemptKind
    things: tuple[PrivateRecord, ...]
    came: AttemptOutcome
    by: str = ""
    shown: str = ""
    told: str = ""

    @property
    def leaks(self) -> bool:
        return self.came in LEAKS

    def __str__(self) -> str:
        which = ", ".join(thing.ref.id for thing in self.things)
        what = f'{self.came} "{self.shown}"' if self.shown else str(self.came)
        return f"{self.way} of {self.things[0].ref.kind} {which} {what}"
