"""What a gate says, with everything that a release manager, a program or a judge of the gate may ask about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ringgate.domain.waivers import Waiver
from ringgate.gate.attribution import Attribution
from ringgate.gate.baseline import Baseline
from ringgate.gate.blast import BlastRadius
from ringgate.gate.cause import Said, leading
from ringgate.gate.facts import Facts, GateState
from ringgate.gate.rules import Reason
from ringgate.gate.signals import Signal


class Word(StrEnum):
    """The verdict in one word."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Action(StrEnum):
    """What the rollout does about it."""

    PROMOTE = "promote"
    WAIT = "wait"  # nothing is decided, and there is time
    HOLD = "hold"  # the next ring is frozen
    PAUSE = "pause"
    ROLL_BACK = "roll back"


WORDS = {GateState.PROMOTE: Word.PASS, GateState.PAUSE: Word.FAIL, GateState.ROLL_BACK: Word.FAIL}
ACTIONS = {
    GateState.PROMOTE: Action.PROMOTE,
    GateState.HOLD: Action.HOLD,
    GateState.PAUSE: Action.PAUSE,
    GateState.ROLL_BACK: Action.ROLL_BACK,
}


@dataclass(frozen=True, slots=True)
class Point:
    """The evidence of a signal at a moment: by tick and by block."""

    at: datetime
    quick: float
    firm: float


@dataclass(frozen=True, slots=True)
class SignalEvidence:
    """One signal that is in use. `alpha` is its part; at `pause_at` units it pauses, at `roll_back_at` it rolls back
    (None for a signal that cannot). `quick` is the evidence by tick, `firm` that by block of `block`, `peak` the most
    that the latter ever was.

    `bad` of `runs` outcomes spoke against the release, before it `bad_before` of `runs_before`; `null` is the rate that
    is granted to it (`own_nulls`: to tenants and kinds of runs that were worse already). `tenants` are those with the
    most evidence, the worst first. For slowness, runs and nulls are those of the highest quantile."""

    signal: Signal
    alpha: float
    quick: float
    firm: float
    peak: float
    hold_at: float
    pause_at: float | None
    roll_back_at: float | None
    runs: int
    bad: int
    runs_before: int
    bad_before: int
    null: float
    block: timedelta
    tenants: tuple[tuple[str, float], ...]
    curve: tuple[Point, ...]
    own_nulls: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Samples:
    """What the verdict rests on: runs of the release by outcome, and how many failures a waiver accepted."""

    passed: int = 0
    failed: int = 0
    broken: int = 0
    skipped: int = 0
    waived: int = 0
    first: datetime | None = None
    newest: datetime | None = None
    by_tenant: Mapping[str, int] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """Runs that are evidence."""
        return self.passed + self.failed


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would change the verdict: how many more runs without a failure promote it (None if no number of them can,
    or it is decided), in about how long, and after how long a total outage would stop it."""

    runs_to_promote: int | None = None
    time_to_promote: timedelta | None = None
    time_to_stop: timedelta | None = None
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about a release on a ring, at a moment, and all that it rests on.

    `reasons` come worst first; none means promotion. `unused` says of each signal that is not in use why not.
    `remarks` are sentences that decide nothing. `waived` counts what each waiver accepted; `expired` ones do not apply.
    """

    facts: Facts
    state: GateState
    reasons: tuple[Reason, ...]
    evidence: tuple[SignalEvidence, ...] = ()
    unused: Mapping[Signal, str] = field(default_factory=dict)
    samples: Samples = Samples()
    baseline: Baseline | None = None
    attributions: tuple[Attribution, ...] = ()
    ours: tuple[Attribution, ...] = ()
    radius: BlastRadius | None = None
    outlook: Outlook = Outlook()
    waived: Sequence[tuple[Waiver, int]] = ()
    expired: Sequence[Waiver] = ()
    remarks: tuple[str, ...] = ()

    @property
    def word(self) -> Word:
        return WORDS.get(self.state, Word.INCONCLUSIVE)

    @property
    def action(self) -> Action:
        """While nothing is decided it waits; from the deadline on, or where nothing could be read, it holds."""
        lost = self.facts.over or self.facts.started is None or bool(self.facts.unreadable)
        return ACTIONS.get(self.state, Action.HOLD if lost else Action.WAIT)

    @property
    def cause(self) -> Said | None:
        """Whose business it is, all in all, and why; None where nothing is wrong."""
        least = self.facts.policy.least_failures
        loud = {s.signal for s in self.facts.signals if s.bad >= least and max(s.quick, s.peak) >= 1 / s.alpha}
        return leading(self.attributions, self.ours, loud)

    @property
    def decided(self) -> bool:
        """Whether waiting longer is of no use: it passed, it failed, or its time is over."""
        return self.word is not Word.INCONCLUSIVE or self.facts.over
