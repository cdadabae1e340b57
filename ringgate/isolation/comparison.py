"""What an attempt came to, from what the ERP answered. Pure: nothing here calls an ERP."""

from __future__ import annotations

from collections.abc import Sequence

from ringgate.isolation.model import Attempt, AttemptKind, AttemptOutcome, PrivateRecord


def judge_attempt(
    way: AttemptKind,
    things: Sequence[PrivateRecord],
    *,
    barred: bool,
    refused_by: str = "",
    error: str = "",
    answer: str = "",
) -> Attempt:
    """What came of an attempt. The driver says which of three things the ERP did:

    - it turned the caller away, whatever they asked for: `refused_by` says who did (`401`, `session expired`);
    - it knew the caller, and answered with an `error` of its own about what was asked;
    - it answered, with the texts of its `answer`.

    An outage is none of them, and must not be asked here."""
    if refused_by:
        return Attempt(way, tuple(things), AttemptOutcome.REFUSED, by=refused_by)
    shown = next((tell for thing in things for tell in thing.tells if tell in (answer or error)), "")
    if shown:
        return Attempt(way, tuple(things), AttemptOutcome.DISCLOSED, shown=shown, told=answer)
    if error:
        came = AttemptOutcome.ACCEPTED if barred else AttemptOutcome.REFUSED
        return Attempt(way, tuple(things), came, by=error)
    if way is AttemptKind.WRITE:
        return Attempt(way, tuple(things), AttemptOutcome.CHANGED, told=answer)
    return Attempt(way, tuple(things), AttemptOutcome.ACCEPTED if barred else AttemptOutcome.NOTHING, told=answer)
