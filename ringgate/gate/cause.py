"""Whose business it is, all in all: of everything that was found, what explains the rest.

Each group of failures has a cause of its own (`attribution.py`). One fault shows in many ways, though: with a wrong tax
rate one scenario sees the tenant's own setting, and another only that a sum is not what it was computed to be. So:

    leading(attributions, ours, loud)  ->  (Cause.CONFIGURATION, "a setting explains what else comes out wrong")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ringgate.gate.attribution import Attribution, Cause, attribute
from ringgate.gate.signals import Signal, Strength

NARROW = {
    Cause.IDENTITY: "who may do what explains what else is allowed, refused or wrong",
    Cause.CONFIGURATION: "a setting explains what else comes out wrong",
    Cause.DATA: "what the books hold explains what else comes out wrong",
}
"""Causes that explain others, in this order: a right lets pass what policy forbids, and both make sums come out wrong;
but no sum that is wrong gives anybody a right."""

EXPLAINS = 0.2
"""The share of the failing runs from which on such a cause is taken to explain the others: an odd run explains none."""

Said = tuple[Cause, str]


@dataclass(frozen=True, slots=True)
class SharedCause:
    """What there is to explain. `loud` are the signals whose evidence is enough to hold."""

    failing: Sequence[Attribution]
    ours: Sequence[Attribution]
    loud: Collection[Signal]

    def share_of(self, cause: Cause) -> float:
        """Of the runs that failed, but for those that always did."""
        runs = sum(each.group.runs for each in self.failing if each.cause is not Cause.BEFORE)
        return sum(each.group.runs for each in self.failing if each.cause is cause) / runs if runs else 0.0


def breach(found: SharedCause) -> Said | None:
    """A broken invariant decides by itself, so its cause does, too."""
    broken = next((each for each in found.failing if each.group.failure.invariant is not None), None)
    return (broken.cause, broken.because) if broken else None


def as_before(found: SharedCause) -> Said | None:
    """Nothing that fails is new, and no signal says that it fails more often."""
    if found.loud or not found.failing or any(each.cause is not Cause.BEFORE for each in found.failing):
        return None
    return Cause.BEFORE, "no more fails than failed before the release, and nothing fails that did not"


def leads(found: SharedCause) -> Said | None:
    """A signal of the platform that explains what fails, too."""
    return _because(found, leads=True)


def unreachable(found: SharedCause) -> Said | None:
    """Where most runs met nobody who answered, what else came of it is no news."""
    if found.share_of(Cause.ENVIRONMENT) <= 0.5:
        return None
    return Cause.ENVIRONMENT, "most runs that failed were not answered, or not in words"


def narrow(found: SharedCause) -> Said | None:
    return next(((cause, why) for cause, why in NARROW.items() if found.share_of(cause) >= EXPLAINS), None)


def frequent(found: SharedCause) -> Said | None:
    """Nothing explains the others: the most frequent."""
    cause = max((each for each in Cause if each is not Cause.BEFORE), key=found.share_of)
    if not found.share_of(cause):
        return None
    return cause, next(each.because for each in found.failing if each.cause is cause)


def alone(found: SharedCause) -> Said | None:
    """A signal of its own, where nothing that failed explains it."""
    return _because(found, leads=False)


def _because(found: SharedCause, *, leads: bool) -> Said | None:
    loud = (each.definition for each in Signal if each in found.loud)
    because = next((each.because for each in loud if each.because and each.leads is leads), "")
    return (Cause.ENVIRONMENT, because) if because else None


def our_side(found: SharedCause) -> Said | None:
    return (Cause.OUR_SIDE, found.ours[0].because) if found.ours else None


RULES: Sequence[Callable[[SharedCause], Said | None]] = (
    breach,
    as_before,
    leads,
    unreachable,
    narrow,
    frequent,
    alone,
    our_side,
)


def leading(failing: Sequence[Attribution], ours: Sequence[Attribution], loud: Collection[Signal]) -> Said | None:
    """The cause that explains the rest, and why; None where nothing is wrong."""
    failures = any(each.definition.most is Strength.ROLL_BACK for each in loud)
    if failures and all(each.cause is Cause.BEFORE for each in failing):
        failing = [attribute(each.group.as_if_new) for each in failing]  # each is as often as before, and all are not
    found = SharedCause(failing, ours, loud)
    return next((said for rule in RULES if (said := rule(found)) is not None), None)
