"""What may differ: tolerances, and waivers that somebody answers for and that end.

    [tolerances]
    posting = "0.00"            # an amount of a ledger line may differ by this much
    balance = "0.00"            # an account in a period by this much

    [[waivers]]
    tenant = "aldgate"          # or "*"
    signature = "sequence:next:*"
    owner = "finance-team"
    reason = "numbers restart with the new year's series"
    expires = 2027-01-31        # the last day on which it holds
    release = "tryton-8-0"      # optional; for every release without it

All mistakes of a file are told at once, each with its key and rule. An expired waiver covers nothing and is a failure
of its own; one that covered nothing is remarked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ringgate.domain.waivers import Waiver, by_force
from ringgate.fingerprint.difference import Difference
from ringgate.inventory import InventoryError
from ringgate.inventory.files import Problem, dotted, faults, read_layer
from ringgate.inventory.kinds import Exact, StrictTable
from ringgate.inventory.waivers import WaiverTable

Amount = Annotated[Exact, Field(ge=0)]
_NIL = Decimal(0)


class Tolerances(StrictTable):
    """By how much values may differ, by section. Nothing may, unless it is said here."""

    posting: Amount = Field(_NIL, description="Amounts of ledger lines.", examples=["0.01"])
    document: Amount = Field(_NIL, description="Amounts of invoices, requests and payments.", examples=["0.01"])
    balance: Amount = Field(_NIL, description="An account's balance in a period.", examples=["0.05"])
    hours: Amount = Field(_NIL, description="Hours of one time entry.", examples=["0.001"])
    project: Amount = Field(_NIL, description="Rates and planned hours of projects.", examples=["0.01"])

    def of(self, section: str) -> Decimal:
        """A section's tolerance; nil for those whose values are no amounts."""
        return getattr(self, section, _NIL) if section in type(self).model_fields else _NIL


class _File(StrictTable):
    tolerances: Tolerances = Tolerances()
    waivers: tuple[WaiverTable, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparisonPolicy:
    """What a whole policy file says."""

    tolerances: Tolerances = field(default_factory=Tolerances)
    waivers: tuple[Waiver, ...] = ()


class ComparisonPolicyError(InventoryError):
    """A policy file is wrong; `problems` holds every reason."""


@dataclass(frozen=True, slots=True)
class BooksJudgement:
    """What is left of the differences. `waived` pairs a difference with its waiver; `expired` and `remarks` are
    sentences. The fingerprints are accepted when nothing is `left` and nothing `expired`."""

    left: tuple[Difference, ...]
    waived: tuple[tuple[Difference, Waiver], ...] = ()
    expired: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.left and not self.expired


def load(path: Path) -> ComparisonPolicy:
    """Reads a policy. Raises ComparisonPolicyError with all its problems."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise ComparisonPolicyError([layer])
    if found := faults(_File, layer.data):
        raise ComparisonPolicyError([Problem(layer.file, dotted(where), rule, got) for where, rule, got, _ in found])
    said = _File.model_validate(layer.data)
    return ComparisonPolicy(said.tolerances, tuple(each.waiver for each in said.waivers))


def judge(
    tenant: str, differences: Iterable[Difference], policy: ComparisonPolicy, today: date, release: str = ""
) -> BooksJudgement:
    """Takes out what a waiver covers on that day, across that release. Waivers of other tenants and releases are
    neither used nor remarked."""
    living, expired = by_force((each for each in policy.waivers if each.is_for(tenant, release)), today)
    left, waived, used = [], [], set()
    for difference in differences:
        cover = next((each for each in living if each.covers(difference.signature, tenant, release)), None)
        if cover is None:
            left.append(difference)
        else:
            waived.append((difference, cover))
            used.add(cover)
    return BooksJudgement(
        left=tuple(left),
        waived=tuple(waived),
        expired=tuple(f"{str(each)[0].upper()}{str(each)[1:]} has expired: {each.reason}" for each in expired),
        remarks=tuple(f"{each} covered nothing: it can be removed" for each in living if each not in used),
    )
