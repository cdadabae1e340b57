"""One rehearsal of one tenant on a busy machine, and what it came to."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ringgate.domain.model import Tenant
from ringgate.estate import Estate
from ringgate.estate.faults.migration import planted
from ringgate.estate.tryton.migration_faults import MIGRATION_FAULTS
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import FingerprintResult, VerificationResult
from ringgate.rollout.stages.context import StageFinding
from ringgate.rollout.stages.sequence import TenantStages
from tests.support.rehearsal import rehearsal_of, release_file

LEFT_OUT = """
[[exceptions]]
tenant = "{}"
skip = true
owner = "tests"
reason = "it is a neighbour"
expires = 2099-01-01
"""

PROMOTED, INCONCLUSIVE, STOPPED = "promoted", "inconclusive", "ROLLED BACK"


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal came to: a word, its seconds, what was looked at twice, what was left, and the reasons."""

    word: str
    seconds: float
    again: int
    left: int
    reasons: tuple[str, ...]

    @property
    def fair(self) -> bool:
        """Whether a clean upgrade was not blamed for the machine."""
        return self.word in (PROMOTED, INCONCLUSIVE)

    def __str__(self) -> str:
        told = "".join(f"\n    {each}" for each in self.reasons)
        return f"{self.word:12} {self.seconds:6.0f} s, {self.again} at the second look, {self.left} left behind{told}"


def outcome_of(record: RehearsalRecord, seconds: float) -> Outcome:
    reasons = [each for ring in record.rings.values() for each in ring.reasons]
    only_unknown = all(each.condition is Condition.INCONCLUSIVE for each in reasons)
    decided = {ring.decision for ring in record.rings.values()}
    word = STOPPED if RolloutAction.ROLL_BACK in decided else PROMOTED
    if RolloutAction.PAUSE in decided:
        word = INCONCLUSIVE if only_unknown else f"PAUSED ({reasons[0].condition})"
    verified = [x for each in record.tenants.values() if (x := each.result(VerificationResult))]
    return Outcome(
        word, seconds, sum(len(each.again) for each in verified), len(record.left),
        tuple(f"{each.condition}: {each.sentence}" for each in reasons),
    )  # fmt: skip


@contextmanager
def place() -> Iterator[Path]:
    """A folder of the round's own, where the journal, the store and the record lie."""
    before = os.environ.get("RINGGATE_STATE")
    with tempfile.TemporaryDirectory(prefix="ringgate-round-") as folder:
        os.environ["RINGGATE_STATE"] = f"{folder}/state"
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["RINGGATE_STATE"]
            else:
                os.environ["RINGGATE_STATE"] = before


def rehearse(
    estate: Estate, tenant: str, risk: str, stages: type[TenantStages] = TenantStages, *, alone: bool = True
) -> Outcome:
    """One rehearsal of the demo's release on fresh books; unless `alone`, processes run on the estate's other tenants
    meanwhile."""
    estate.reset(tenant)
    with place() as folder:
        file = release_file(folder, risk)
        if not alone:
            others = [each.id for each in estate.inventory().tenants if each.id != tenant]
            file.write_text(file.read_text(encoding="utf-8") + "".join(map(LEFT_OUT.format, others)), encoding="utf-8")
        rehearsal, _ = rehearsal_of(tenant, estate, file, folder / "kept", stages, alone=alone)
        began = time.monotonic()
        return outcome_of(rehearsal.run(), time.monotonic() - began)


@dataclass
class Faults:
    """Which of the seeded migration faults were stopped, found out in one upgrade: each is planted after it, judged,
    and taken out again."""

    stopped: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def migration_faults(estate: Estate, tenant: str) -> Faults:
    found = Faults()

    class Planting(TenantStages):
        def fingerprint(self, tenant: Tenant) -> StageFinding:
            with estate.sql(tenant.id) as database:
                for fault in MIGRATION_FAULTS.values():
                    with planted(fault, database):
                        judged = super().fingerprint(tenant)
                    caught = _caught(judged, fault)
                    (found.stopped if caught else found.missed).append(fault.id)
            return super().fingerprint(tenant)

        def verification(self, *_: Any) -> StageFinding:
            return StageFinding(note="not of interest")

    rehearse(estate, tenant, "low", Planting)
    return found


def _caught(judged: StageFinding, fault: Any) -> bool:
    books = judged.result
    assert isinstance(books, FingerprintResult)
    named = any(fnmatchcase(each.signature, fault.signature) for each in books.differences)
    return named and all(each.action is RolloutAction.ROLL_BACK for each in judged.reasons)
