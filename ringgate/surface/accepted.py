"""Changes that somebody answers for: a TOML file of waivers, each with an owner, a reason and an end.

    [[accepted]]
    tenant = "aldgate"                          # or "*" for all
    signature = "field removed account.move.post_number"
    owner = "qa"
    reason = "the driver reads account.move.number in 8.0"
    expires = 2027-03-31

A signature is what `ringgate surface compare --json` prints; `*` and `?` stand for any characters. One that has
expired accepts nothing. All mistakes of a file are told at once, each with its key and rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field

from ringgate.inventory import InventoryError
from ringgate.inventory.files import Problem, dotted, faults, read_layer
from ringgate.inventory.kinds import Name, StrictTable
from ringgate.surface.compare import SurfaceChange


class AcceptedMistake(InventoryError):
    """The file of accepted changes cannot be used; `problems` holds every reason."""

    kind = "accepted"


class SurfaceWaiver(StrictTable):
    """One waiver."""

    tenant: Name = Field(description="The tenant that it is for, or * for all.", examples=["aldgate"])
    signature: Name = Field(description="The change's signature; * and ? stand for any characters.")
    owner: Name = Field(description="Who answers for it.", examples=["qa"])
    reason: Name = Field(description="Why the change does no harm.")
    expires: date = Field(description="The last day on which it holds.", examples=["2027-03-31"])

    def fits(self, change: SurfaceChange, tenant: str) -> bool:
        return self.tenant in ("*", tenant) and fnmatchcase(change.signature, self.signature)


class _File(StrictTable):
    accepted: tuple[SurfaceWaiver, ...] = ()


@dataclass(frozen=True, slots=True)
class SurfaceJudgement:
    """Changes apart by who answers for them. `expired` would have fitted, `idle` fits nothing."""

    open: tuple[SurfaceChange, ...]
    accepted: tuple[tuple[SurfaceChange, SurfaceWaiver], ...]
    expired: tuple[tuple[SurfaceChange, SurfaceWaiver], ...]
    idle: tuple[SurfaceWaiver, ...]


def read_accepted(path: Path) -> tuple[SurfaceWaiver, ...]:
    """Raises AcceptedMistake with all mistakes at once."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise AcceptedMistake([layer])
    if found := faults(_File, layer.data):
        raise AcceptedMistake([Problem(layer.file, dotted(where), rule, got) for where, rule, got, _ in found])
    return _File.model_validate(layer.data).accepted


def judge(
    changes: Sequence[SurfaceChange], waivers: Sequence[SurfaceWaiver], tenant: str, today: date
) -> SurfaceJudgement:
    """Which changes are accepted today for this tenant. What is compatible needs nobody's word."""
    still, accepted, expired = [], [], []
    used: set[SurfaceWaiver] = set()
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
    return SurfaceJudgement(
        tuple(still), tuple(accepted), tuple(expired), tuple(each for each in mine if each not in used)
    )
