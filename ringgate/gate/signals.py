"""The signals that a release is judged by. A new one is one entry here: its key in a policy, its label in metrics, its
words on a page, how hard it may stop a rollout and what a run says to it all come from there.

    Signal.FAILURES.definition.most      # Strength.ROLL_BACK
    Signal("slowness").definition.bad    # "were slower than {quantile} of those before"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from ringgate.domain.model import RunResult, SignalSample
from ringgate.gate.observations import (
    SlownessPolicy,
    UsualPace,
    failed,
    failed_posting,
    long_on_its_way,
    made_otherwise,
    over_limit,
)

Said = tuple[bool, ...] | None
"""Whether a run, or a sample, is bad, for each null of its signal; None where it says nothing."""


class SignalPolicy(SlownessPolicy, Protocol):
    """What of a gate's policy a signal depends on."""

    @property
    def silence_rate(self) -> float: ...


class Strength(IntEnum):
    """The most that a signal's evidence may do."""

    HOLD = 1
    PAUSE = 2
    ROLL_BACK = 3


def _one(policy: SignalPolicy) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class SignalDefinition:
    """One signal. It is fed by one of three: `of_run` and `of_sample` say what a run or a platform's sample says to it
    (a sample with how long documents may take to arrive), and what is granted to it comes from the baseline; `granted`
    is the share that a policy grants where it is fed by what is due.

    `word` is its key in a policy (`about` explains it), its label, and a waiver's signature. `counted` and `bad` make
    a sentence: "12 of 540 runs failed"; `{quantile}` is the policy's highest. `unknown` says why it cannot be judged.

    `parts` is how many nulls it has; `timed` is for what depends on how long runs took, and so on busy hours; `within`
    is for what compares the parts of one run with each other. `always` is judged whatever a policy says. `because` is
    what its evidence explains by itself: everything that failed, too, where it `leads`, and else only what nothing that
    failed explains."""

    word: str
    most: Strength
    about: str
    bad: str
    unknown: str
    counted: str = "runs"
    of_run: Callable[[RunResult, UsualPace], Said] | None = None
    of_sample: Callable[[SignalSample, Mapping[str, float]], bool | None] | None = None
    granted: Callable[[SignalPolicy], float] | None = None
    parts: Callable[[SignalPolicy], int] = _one
    timed: bool = False
    within: bool = False
    always: bool = False
    because: str = ""
    leads: bool = False


def _failures(result: RunResult, pace: UsualPace) -> Said:
    wrong = failed(result)
    return None if wrong is None else (wrong,)


def _posting(result: RunResult, pace: UsualPace) -> Said:
    wrong = failed_posting(result)
    return None if wrong is None else (wrong,)


def _twins(result: RunResult, pace: UsualPace) -> Said:
    wrong = made_otherwise(result)
    return None if wrong is None else (wrong,)


class Signal(StrEnum):
    """What a release is judged by. Each is bet on by itself, with its part of alpha."""

    _value_: str
    definition: SignalDefinition

    def __new__(cls, definition: SignalDefinition) -> Signal:
        made = str.__new__(cls, definition.word)
        made._value_, made.definition = definition.word, definition
        return made

    FAILURES = SignalDefinition(
        "failures", Strength.ROLL_BACK, "Runs that failed.", "failed", "", of_run=_failures, always=True
    )
    # All may take longer because the machine is busy with something else: that holds, and ends by itself.
    SLOWNESS = SignalDefinition(
        "slowness", Strength.HOLD, "Runs that take longer than before.",
        "were slower than {quantile} of those before", "too few runs passed before the release",
        of_run=lambda result, pace: pace.slow(result), parts=lambda policy: len(policy.quantiles), timed=True,
        because="what comes out is right, and takes longer",
    )  # fmt: skip
    SLOW_POSTING = SignalDefinition(
        "slow-posting", Strength.PAUSE, "Runs of which posting takes a larger part than before.",
        "spent a larger part of their time on posting than usual", "too few runs that posted passed before the release",
        of_run=lambda result, pace: pace.slow_posting(result), timed=True, within=True,
        because="what comes out is right, and takes longer",
    )  # fmt: skip
    BACKLOG = SignalDefinition(
        "backlog", Strength.PAUSE, "Samples over their limit.", "were over their limit",
        "nothing was sampled before it", "samples", of_sample=lambda sample, lags: over_limit(sample),
        because="work piles up that the platform has to do, and what waits for it fails", leads=True,
    )  # fmt: skip
    # What is later than its deadline has failed. Less than that may be the machine, as with whole runs.
    LAG = SignalDefinition(
        "integration-lag", Strength.HOLD, "Documents that take longer than before to arrive at an integration.",
        "took longer to arrive than those before", "too few documents arrived before it", "arrivals",
        of_sample=long_on_its_way, because="what arrives is right, and takes longer",
    )  # fmt: skip
    POSTING = SignalDefinition(
        "posting-errors", Strength.ROLL_BACK, "Failures of posting steps.", "failed to post",
        "nothing was posted before it", of_run=_posting,
    )  # fmt: skip
    # A field that a release changed on purpose differs in every run, and is accepted by name: pausing is enough.
    TWINS = SignalDefinition(
        "twins", Strength.PAUSE, "Runs that make other documents than runs before.", "made other documents than before",
        "no run's documents were compared before it", of_run=_twins,
    )  # fmt: skip
    # About our side as much as about the ERP: a prober that died says nothing of the release, and holding ends by
    # itself.
    SILENCE = SignalDefinition(
        "silence", Strength.HOLD, "No result where one was due.", "did not come", "nothing says what is due",
        "due results", granted=lambda policy: policy.silence_rate,
    )  # fmt: skip

    def bad_words(self, policy: SignalPolicy) -> str:
        return self.definition.bad.format(quantile=f"{100 * policy.quantiles[-1]:.4g} %")
