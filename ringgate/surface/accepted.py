"""Changes that somebody answers for: a TOML file of waivers, each with an owner, a reason and an end.

    [[accepted]]
    tenant = "aldgate"                          # or "*" for all
    signature = "field removed account.move.post_number"
    owner = "qa"
    reason = "the driver reads account.move.number in 8.0"
    expires = 2027-03-31

A signature is what `ringgate surface compare --json` prints; `*` and `?` stand for any characters. One that has
expired accepts nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringgate.errors import RinggateError
from ringgate.surface.compare import Change


class AcceptedMistake(RinggateError):
    """The file of accepted changes cannot be used; the message lists every mistake with its place."""

    kind = "accepted"


class Acceptance(BaseModel):
    """One waiver. It holds up to and including the day `expires`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tenant: str = Field(min_length=1)
    signature: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: date

    def fits(self, change: Change, tenant: str) -> bool:
        return self.tenant in ("*", tenant) and fnmatchcase(change.signature, self.signature)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    accepted: list[Acceptance] = []


@dataclass(frozen=True, slots=True)
class Judged:
    """Changes apart by who answers for them. `expired` would have fitted, `idle` fits nothing."""

    open: tuple[Change, ...]
    accepted: tuple[tuple[Change, Acceptance], ...]
    expired: tuple[tuple[Change, Acceptance], ...]
    idle: tuple[Acceptance, ...]


def read_accepted(path: Path) -> tuple[Acceptance, ...]:
    """Raises AcceptedMistake with all mistakes at once."""
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AcceptedMistake(f"{path}: {error}") from None
    try:
        return tuple(_File.model_validate(told).accepted)
    except ValidationError as error:
        lines = [f"{path}: {_place(each['loc'])}: {each['msg']}" for each in error.errors(include_input=False)]
        raise AcceptedMistake("\n".join(lines)) from None


def _place(loc: Sequence[int | str]) -> str:
    """`accepted[2].owner`, counted from 1."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def judge(changes: Sequence[Change], waivers: Sequence[Acceptance], tenant: str, today: date) -> Judged:
    """Which changes are accepted today for this tenant. What is compatible needs nobody's word."""
    still, accepted, expired = [], [], []
    used: set[Acceptance] = set()
    for change in changes:
        fitting = [each for each in waivers if each.fits(change, tenant)]
        used.update(fitting)
        valid = next((each for each in fitting if each.expires >= today), None)
        if valid is not None:
            accepted.append((change, valid))
            continue
        still.append(change)
        if fitting:
            expired.append((change, fitting[0]))
    mine = [each for each in waivers if each.tenant in ("*", tenant)]
    return Judged(tuple(still), tuple(accepted), tuple(expired), tuple(each for each in mine if each not in used))
