"""What a run's documents came to at the tenant's integrations: as steps of the run, and as its error."""

from __future__ import annotations

from ringgate.domain.integrations import REVERSAL
from ringgate.domain.model import Step
from ringgate.domain.terms import Outcome, StepKind
from ringgate.integrations import FollowedDocument, Following


def step_of(seen: FollowedDocument, ended: float) -> Step:
    """`payroll`, `payroll reversal`, or `payroll: doubled, amount`; its seconds are the lag. `ended` is counted from
    the start of the run."""
    name = f"{seen.integration.name}{REVERSAL if seen.reversal else ''}"
    wrong = f": {', '.join(seen.rules)}" if seen.rules else ""
    lag = seen.lag.total_seconds() if seen.lag is not None else 0.0
    outcome = Outcome.FAILED if seen.rules else Outcome.PASSED
    return Step(name + wrong, max(0.0, ended - lag), lag, outcome, StepKind.ARRIVAL)


def followed_back(following: Following) -> BaseException | None:
    """What is wrong with the arrival of what was taken back; None for nothing."""
    try:
        following.taken_back()
    except (Exception, KeyboardInterrupt) as error:
        return error
    return None
