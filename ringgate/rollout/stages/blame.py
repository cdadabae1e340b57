"""Whose fault a run was that did not pass: only what the ERP plainly did wrong speaks against a release.

| a run                                                              | what it comes to                        |
|--------------------------------------------------------------------|-----------------------------------------|
| failed with a wrong amount, a refusal, a broken invariant          | speaks against the release              |
| failed otherwise (no answer, garbled, a screen that did not come)  | is looked at again, alone on its tenant |
| ... and failed again                                               | speaks against the release              |
| ... and only timed out again, on a machine with no time to spare   | inconclusive                            |
| broken: our side, or nobody can tell                               | is looked at again; else inconclusive   |
| stopped                                                            | inconclusive                            |
| passed, but could not be taken back                                | judged by what is left at the end       |
"""

from __future__ import annotations

from dataclasses import dataclass

from ringgate.domain.errors import ErpTimedOut
from ringgate.domain.model import Residue, RunResult
from ringgate.domain.terms import Channel, Layer, Outcome, ResidueCause
from ringgate.execution.undo import UndoRefused, UndoSlow
from ringgate.rollout.conditions import Condition

PLAIN = frozenset({"expectation", "refused", "business", "sign-in", "session", "integration"})
"""Kinds of failure in which the ERP itself said or did what is wrong. Whatever breaks an invariant is one, too."""

UNDONE_LATE = frozenset({UndoSlow.kind, UndoRefused.kind})
"""Kinds of a run that did what it should, and was not taken back at once."""

OF_LAYER = {
    Layer.PLATFORM: Condition.PLATFORM_FAILED,
    Layer.PROCESS: Condition.PROCESS_FAILED,
    Layer.INTEGRATION: Condition.INTEGRATION_FAILED,
    Layer.ISOLATION: Condition.ISOLATION_FAILED,
}
"""What a check that failed after the upgrade says, by its layer."""

_CHANNELS = {Channel.API: "API", Channel.BROWSER: "browser"}


@dataclass(frozen=True, slots=True)
class Looked:
    """A check that was run once, or, where that proved nothing, again. `busy` says what the machine was at then, ""
    where it had time to spare."""

    first: RunResult
    second: RunResult | None = None
    busy: str = ""

    @property
    def counts(self) -> RunResult:
        """The run that is judged."""
        return self.second or self.first


def passed(result: RunResult) -> bool:
    """Whether it did what it should; what it left is judged by itself."""
    return result.outcome is Outcome.PASSED or kind_of(result) in UNDONE_LATE


def needs_second_look(result: RunResult) -> bool:
    """Whether it proves nothing yet, neither for nor against."""
    if passed(result) or result.outcome not in (Outcome.FAILED, Outcome.BROKEN):
        return False
    return not is_plain(result)


def is_plain(result: RunResult) -> bool:
    """Whether the ERP did something wrong, and it is known what."""
    failure = result.failure
    if result.outcome is not Outcome.FAILED or failure is None:
        return False
    return failure.invariant is not None or failure.kind in PLAIN


def only_timed_out(result: RunResult) -> bool:
    """Whether nothing came in time, and no more is known. A screen that did not come may just as well be slow."""
    if result.outcome is not Outcome.FAILED or is_plain(result):
        return False
    if result.error is None or result.channel is Channel.BROWSER:
        return kind_of(result) in ("timed-out", "unavailable", "misbehaved", "integration-late")
    return isinstance(result.error, ErpTimedOut)


def condition_of(looked: Looked, wrong: Condition) -> Condition | None:
    """What a check speaks for; None for nothing. `wrong` is what a check speaks for that the ERP failed."""
    result = looked.counts
    if passed(result) or result.outcome is Outcome.SKIPPED:
        return None
    if is_plain(result):
        return wrong
    confirmed = looked.second is not None and result.outcome is Outcome.FAILED
    if confirmed and not (looked.busy and only_timed_out(result)):
        return wrong
    return Condition.INCONCLUSIVE


def sentence_of(looked: Looked, at: str) -> str:
    """`time-entry over the API after the upgrade: ... did not answer in time, and again when it was run alone`"""
    result = looked.counts
    told = result.failure.message if result.failure else result.reason or result.outcome.value
    again = ""
    if looked.second is not None:
        again = ", and again when it ran alone" if only_timed_out(result) else " (when it ran again, alone)"
        if looked.busy and only_timed_out(result):
            again += f"; {looked.busy}, which may be why"
    return f"{check_of(result)} {at}: {told.rstrip('.') if again else told}{again}"


def check_of(result: RunResult) -> str:
    """`time-entry over the API`"""
    return f"{result.scenario} over the {_CHANNELS[result.channel]}"


def condition_of_residue(left: Residue, refused: Condition) -> Condition:
    """What is left behind speaks against the release only where the ERP refused to take it back."""
    return refused if left.cause is ResidueCause.REFUSED else Condition.INCONCLUSIVE


def kind_of(result: RunResult) -> str:
    return result.failure.kind if result.failure else ""
