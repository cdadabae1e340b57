"""Undo: what a run wrote is taken back, with patience, before anybody judges what is left.

    left = undo(journal, connection, redact, limit=call.limit, patience=Patience())

Reversals run newest first, each attempted even if another fails. What met a time-out or an outage is tried again, after
pauses that grow, for as long as the patience lasts; what was refused is looked at once more. What is left then is
residue, with the reason:

| met                                                                | residue   | what it says                     |
|--------------------------------------------------------------------|-----------|----------------------------------|
| time-out, nobody answers, HTTP 5xx, garbled answer, our own side     | `slow`    | nothing about the ERP             |
| a refusal, though older work waits for newer that was slow          | `slow`    | nothing: it may be a consequence  |
| a refusal, an answer against the contract, a sign-in not accepted     | `refused` | the ERP would not take it back   |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ringgate.domain.errors import ErpError, ErpProtocolError, ErpUnavailable, NeverSent, OurSideError, RinggateError
from ringgate.domain.model import Residue
from ringgate.domain.reversal import NOTHING_TO_UNDO, POSTING, Reversal
from ringgate.domain.terms import ResidueCause
from ringgate.drivers.protocol import Connection, TimeLimit
from ringgate.host.undo_journal import RunJournal

SETTLE = 60.0
"""Seconds after which an ERP no longer does what it was asked without answering: twice the drivers' time-out."""

UNKNOWN = (ErpUnavailable, ErpProtocolError, NeverSent)
"""Errors of the way to the ERP: whether it would have done what it was asked is not known."""

SLICE = 0.25
"""Seconds between looks at whether we are to stop."""


class UndoSlow(OurSideError):
    """The process passed; what it wrote could not be taken back in time. That proves nothing."""

    kind = "undo-slow"


class UndoRefused(ErpError):
    """The process passed; the ERP would not take back what it had done, and said so."""

    kind = "undo-refused"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what was slow is tried again, and how.

    `seconds`: of trying, in all; 0 for one attempt at each reversal. `times`: how much longer than usual the ERP may
    take for one answer meanwhile, for a credit note is posted as slowly as its invoice, and beside others. `pause`: the
    first of the pauses in seconds, each twice the one before, up to `longest`. `stopping` says whether to stop."""

    seconds: float = 120.0
    times: float = 4.0
    pause: float = 1.0
    longest: float = 30.0
    stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait(self, seconds: float) -> bool:
        """Pause. False if it was cut short, because we are to stop."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            if self.stopping():
                return False
            self.sleep(min(left, SLICE))
        return not self.stopping()


AT_ONCE = Patience(seconds=0.0, times=1.0)
"""One attempt at each reversal, each call as long as usual."""


def undo(
    journal: RunJournal,
    connection: Connection,
    redact: Callable[[str], str] = str,
    *,
    settle: float = SETTLE,
    limit: TimeLimit | None = None,
    patience: Patience = AT_ONCE,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> list[Residue]:
    """Take back what the journal holds, newest first. Returns what is left, newest first.

    A write that got no answer may still be done by the ERP after we looked: it stays in the journal until `settle`
    seconds after it was sent. `limit` is the time limit of the connection's calls, raised as `patience` says; `turn` is
    held while something that was posted is taken back."""
    until = patience.clock() + patience.seconds
    pause, looked_again = patience.pause, False
    try:
        while True:
            left = _round(journal, connection, redact, settle, lambda: _lengthen(limit, patience, until), turn)
            only_refused = all(each.cause is ResidueCause.REFUSED for each in left)
            if not left or (only_refused and looked_again) or patience.clock() + pause > until:
                return left
            if not patience.wait(pause):
                return left
            pause, looked_again = min(2 * pause, patience.longest), True
    finally:
        if limit:
            limit.times = 1.0


def undo_timed(
    journal: RunJournal,
    connection: Connection,
    redact: Callable[[str], str],
    limit: TimeLimit,
    patience: Patience,
    turn: Callable[[], AbstractContextManager[None]],
) -> tuple[list[Residue], float]:
    """As `undo`, right after the run: what is left, and the seconds that it took."""
    began, settle = time.monotonic(), max(SETTLE, 2 * limit.of(0.0))
    left = undo(journal, connection, redact, settle=settle, limit=limit, patience=patience, turn=turn)
    return left, time.monotonic() - began


def _lengthen(limit: TimeLimit | None, patience: Patience, until: float) -> None:
    """Before each reversal: once patience is at its end, it is tried all the same, but no longer than usual."""
    if limit:
        limit.times = patience.times if patience.clock() < until else 1.0


def _round(
    journal: RunJournal,
    connection: Connection,
    redact: Callable[[str], str],
    settle: float,
    before: Callable[[], None],
    turn: Callable[[], AbstractContextManager[None]],
) -> list[Residue]:
    """One attempt at all that is pending."""
    left: list[tuple[int, Residue]] = []
    for seq, reversal in journal.pending():
        before()
        try:
            with turn() if reversal.verb in POSTING else nullcontext():
                done = connection.undo(reversal)
            if done == NOTHING_TO_UNDO and journal.unsettled(seq, settle):
                raise OurSideError("the ERP has not answered this write, and may still do it")
            journal.undone(seq, done)
        except Exception as error:
            waits = any(each.cause is ResidueCause.SLOW for _, each in left)
            cause = ResidueCause.SLOW if waits else cause_of(error)
            left.append((seq, _residue(journal, reversal, redact(message_of(error)), cause)))
    for seq, each in left:
        journal.left(seq, each.reason)
    return [each for _, each in left]


def _residue(journal: RunJournal, reversal: Reversal, reason: str, cause: ResidueCause) -> Residue:
    return Residue(journal.tenant, journal.run_id, reversal.verb, reversal.marker, reason, cause)


def cause_of(error: Exception) -> ResidueCause:
    """Whether an error that an undo met speaks against the ERP."""
    refused = isinstance(error, ErpError) and not isinstance(error, UNKNOWN)
    return ResidueCause.REFUSED if refused else ResidueCause.SLOW


def left_behind(residue: Sequence[Residue]) -> UndoSlow | UndoRefused:
    """What a run that passed comes to when this is left of it; the message names all of it."""
    refused = [each for each in residue if each.cause is ResidueCause.REFUSED]
    words = "; ".join(each.sentence for each in [*refused, *(each for each in residue if each not in refused)])
    return UndoRefused(words) if refused else UndoSlow(words)


def message_of(error: BaseException) -> str:
    return str(error) if isinstance(error, RinggateError) else f"{type(error).__name__}: {error}"


__all__ = [
    "AT_ONCE",
    "SETTLE",
    "Patience",
    "UndoRefused",
    "UndoSlow",
    "cause_of",
    "left_behind",
    "message_of",
    "undo",
    "undo_timed",
]
