"""What is known about a bake at one moment: all that the rules look at, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ringgate.domain.terms import Invariant
from ringgate.gate.observations import Probe
from ringgate.gate.policy import GatePolicy
from ringgate.gate.required import NotTested
from ringgate.gate.signals import Signal


class GateState(StrEnum):
    """What the evidence comes to. The later in this order, the worse."""

    PROMOTE = "promote"
    INCONCLUSIVE = "inconclusive"
    HOLD = "hold"  # reversible: the next ring is frozen, the probes go on
    PAUSE = "pause"  # for good, until somebody decides
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One signal. `quick` is the evidence by tick now, `peak` the most that the evidence by block ever was; `bad` of
    `runs` outcomes spoke against the release, of which `doubtful` do not say that the ERP is wrong (see
    `observations.PAUSES`). `unknown` says why it cannot be judged though the policy insists."""

    signal: Signal
    alpha: float
    quick: float = 1.0
    peak: float = 1.0
    runs: int = 0
    bad: int = 0
    unknown: str = ""
    doubtful: int = 0

    @property
    def mostly_doubtful(self) -> bool:
        """Whether at least half of what speaks against the release may be harmless: slow is not wrong."""
        return self.doubtful > 0 and 2 * self.doubtful >= self.bad


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken invariant. `before` counts how often the baseline broke it on the same tenant."""

    invariant: Invariant
    tenant: str
    scenario: str
    run_id: str
    message: str
    before: int = 0


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A run that was planted wrong. Caught, if the scenario failed for want of what it expects."""

    scenario: str
    tenant: str
    at: datetime
    caught: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """A bake at `now`. `started` is None where neither a deployment nor a result says that it began.

    `expected` are the tenants of the ring; `absent` those of them that the release did not reach; `newest` is when a
    tenant's last evidence became known. `unprobed` are probes that are due and were never carried out, `lacking` are
    processes that must have passed and did not, or that were skipped. `fine` is what the bet for the release stands at,
    `fine_at` what it must reach; `broken` of `attempted` runs were our own fault. `silent_regions` says of each region
    of the ring that sends its counts here, and has not for too long, since when.
    """

    now: datetime
    ring: str
    release: str
    policy: GatePolicy
    started: datetime | None = None
    settled: datetime | None = None
    unreadable: str = ""
    expected: Sequence[str] = ()
    absent: Sequence[str] = ()
    newest: Mapping[str, datetime] = field(default_factory=dict)
    unprobed: Sequence[Probe] = ()
    lacking: Sequence[NotTested] = ()
    attempted: int = 0
    broken: int = 0
    baseline_runs: int = 0
    breaches: Sequence[Breach] = ()
    self_tests: Sequence[SelfTest] = ()
    signals: Sequence[Weighed] = ()
    fine: float = 1.0
    superseded: str = ""
    silent_regions: Sequence[str] = ()

    @property
    def untested(self) -> tuple[str, ...]:
        return tuple(tenant for tenant in self.expected if tenant not in self.newest)

    @property
    def tested(self) -> tuple[str, ...]:
        return tuple(tenant for tenant in self.expected if tenant in self.newest)

    @property
    def fine_at(self) -> float:
        return 1.0 / self.policy.alpha

    @property
    def age(self) -> timedelta | None:
        """How old the newest evidence is."""
        return self.now - max(self.newest.values()) if self.newest else None

    @property
    def soaked_at(self) -> datetime | None:
        """When the soak is over: it begins when the last tenants got the release."""
        begun = self.settled or self.started
        return begun + self.policy.soak if begun else None

    @property
    def deadline(self) -> datetime | None:
        return self.started + self.policy.deadline if self.started else None

    @property
    def over(self) -> bool:
        return self.deadline is not None and self.now >= self.deadline
