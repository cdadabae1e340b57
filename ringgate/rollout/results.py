"""What each stage of a rollout came to, as the record keeps it and the report shows it: one dataclass for each stage.

Seconds are monotonic unless a name says `age`; those are of the wall clock. Counts of runs are by outcome
(`{"passed": 9, "skipped": 1}`), sizes of books by what is counted (`{"documents": 41}`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class BackupAge:
    """The tenant's own newest backup before the rollout touched it: its name ("" for none), its age in seconds, and
    the recovery point that the inventory promises (None: it promises none)."""

    name: str
    seconds: float | None
    promised: float | None

    @property
    def kept(self) -> bool:
        return self.promised is None or (self.seconds is not None and self.seconds <= self.promised)


@dataclass(frozen=True, slots=True)
class SecondLook:
    """A check that proved nothing the first time and was run again, alone on the tenant: what it met first, and its
    outcome then (`passed`, or what it met again)."""

    check: str
    first: str
    then: str


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """How the tenant was before the change. `begun` counts the processes whose second phase waits for after it."""

    runs: Counts
    begun: int
    books: Counts
    backup: BackupAge | None = None
    again: list[SecondLook] = field(default_factory=list)
    stage: Literal["baseline"] = "baseline"


@dataclass(frozen=True, slots=True)
class DrillResult:
    """A backup that was restored beside its tenant. `size` in bytes; `promised` is the recovery time that the
    inventory promises (None: it promises none); `differences` are causes, none if the books are equal."""

    backup: str
    size: int
    backup_seconds: float
    recovery_time: float
    promised: float | None
    differences: list[str]
    stage: Literal["drill"] = "drill"

    @property
    def kept(self) -> bool:
        return self.promised is None or self.recovery_time <= self.promised


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """`parts` are the seconds of each part of the upgrade, `backup` what it would be taken back to, `stopped_at` the
    part at which it was given up, "" if it was not."""

    parts: dict[str, float]
    backup: str = ""
    stopped_at: str = ""
    stage: Literal["upgrade"] = "upgrade"


@dataclass(frozen=True, slots=True)
class BooksDifference:
    """One difference of the books, for people; `waiver` says who accepted it, "" where nobody did."""

    signature: str
    cause: str
    path: str
    before: str
    after: str
    waiver: str = ""


@dataclass(frozen=True, slots=True)
class FingerprintResult:
    """The books right after the upgrade against those before it."""

    books: Counts
    differences: list[BooksDifference]
    waived: list[BooksDifference] = field(default_factory=list)
    stage: Literal["fingerprint"] = "fingerprint"


@dataclass(frozen=True, slots=True)
class UsedChange:
    """A change of something that is used, and by whom. `accepted` and `expired` name the waiver, "" for none."""

    klass: str
    signature: str
    sentence: str
    users: list[str]
    accepted: str = ""
    expired: str = ""


@dataclass(frozen=True, slots=True)
class SurfaceResult:
    """What a tenant offers to programs, before and after. `read_of` is the tenant whose surface was read for it,
    `counts` how many changes are under each heading, `idle` accepted changes that did not happen."""

    read_of: str
    used: list[UsedChange]
    counts: list[tuple[str, int]]
    touches: int
    users: list[str]
    idle: list[str]


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """The checks after the upgrade. `layers` are counts of runs, as they are judged: what passed at the second look
    has passed. `finished` counts processes begun before and finished now; `surface` is by tenant; `left` says what
    could not be taken back, in sentences; `beside` is the most that ran beside each other at the end; `artefacts` are
    the digests of what is installed, where the platform says."""

    layers: dict[str, Counts]
    finished: int
    surface: dict[str, SurfaceResult] = field(default_factory=dict)
    again: list[SecondLook] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    beside: int = 0
    artefacts: dict[str, str] = field(default_factory=dict)
    stage: Literal["verification"] = "verification"


@dataclass(frozen=True, slots=True)
class LostRow:
    """A document that a rollback lost, for people; `again` if somebody must enter it again."""

    kind: str
    name: str
    party: str
    amount: str
    state: str
    reason: str
    again: bool


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What the rollback lost; `unread` says why that is not known, "" where it is."""

    lost: list[LostRow] = field(default_factory=list)
    unread: str = ""
    stage: Literal["rollback"] = "rollback"


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """Features that are on, those that were so before this stage, and the runs of their scenarios."""

    on: list[str]
    before: list[str]
    runs: Counts
    stage: Literal["activation"] = "activation"


@dataclass(frozen=True, slots=True)
class DeactivationResult:
    """Features that are off."""

    off: list[str]
    stage: Literal["deactivation"] = "deactivation"


@dataclass(frozen=True, slots=True)
class NeighboursResult:
    """The background load on the neighbours of a ring while it was migrated; `slowest` passed run in seconds."""

    neighbours: list[str]
    outcomes: Counts
    slowest: float


StageResult = Annotated[
    BaselineResult
    | DrillResult
    | UpgradeResult
    | FingerprintResult
    | VerificationResult
    | RollbackResult
    | ActivationResult
    | DeactivationResult,
    Field(discriminator="stage"),
]
