"""Changes that somebody answers for: a TOML file of waivers, each with an owner, a reason and an end.

    [[accepted]]
    tenant = "aldgate"                          # or "*" for all
    signature = "field removed account.move.post_number"
    owner = "qa"
    reason = "the driver reads account.move.number in 8.0"
    expires = 2027-03-31                        # the last day on which it holds
    release = "tryton-8-0"                      # optional; for every release without it

A signature is what `ringgate surface compare --json` prints; `*` and `?` stand for any characters. One that has
expired accepts nothing. All mistakes of a file are told at once, each with its key and rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ringgate.domain.waivers import Waiver
from ringgate.inventory import InventoryError
from ringgate.inventory.files import Problem, dotted, faults, read_layer
from ringgate.inventory.kinds import StrictTable
from ringgate.inventory.waivers import WaiverTable
from ringgate.surface.compare import SurfaceChange


class AcceptedMistake(InventoryError):
    """The file of accepted changes cannot be used; `problems` holds every reason."""

    kind = "accepted"


class _File(StrictTable):
    accepted: tuple[WaiverTable, ...] = ()


@dataclass(frozen=True, slots=True)
class SurfaceJudgement:
    """Changes apart by who answers for them. `expired` would have fitted, `idle` fits nothing."""

    open: tuple[SurfaceChange, ...]
    accepted: tuple[tuple[SurfaceChange, Waiver], ...]
    expired: tuple[tuple[SurfaceChange, Waiver], ...]
    idle: tuple[Waiver, ...]


def read_accepted(path: Path) -> tuple[Waiver, ...]:
    """Raises AcceptedMistake with all mistakes at once."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise AcceptedMistake([layer])
    if found := faults(_File, layer.data):
        raise AcceptedMistake([Problem(layer.file, dotted(where), rule, got) for where, rule, got, _ in found])
    return tuple(each.waiver for each in _File.model_validate(layer.data).accepted)


def judge(
    changes: Sequence[SurfaceChange], waivers: Sequence[Waiver], tenant: str, today: date, release: str = ""
) -> SurfaceJudgement:
    """Which changes are accepted today for this tenant, across this release. What is compatible needs nobody's word."""
    still, accepted, expired = [], [], []
    mine = [each for each in waivers if each.is_for(tenant, release)]
    used: set[Waiver] = set()
    for change in changes:
        fitting = [each for each in mine if each.covers(change.signature, tenant, release)]
        used.update(fitting)
        valid = next((each for each in fitting if each.in_force(today)), None)
        if valid is not None:
            accepted.append((change, valid))
            continue
        still.append(change)
        if fitting:
            expired.append((change, fitting[0]))
    return SurfaceJudgement(
        tuple(still), tuple(accepted), tuple(expired), tuple(each for each in mine if each not in used)
    )
