"""Undo of each writing verb: found by its id, and by its marker alone as after a crash; twice is as once."""

from __future__ import annotations

from collections.abc import Callable

from ringgate.conformance.contracts.invoices import BILLING, STAFF
from ringgate.conformance.model import contract
from ringgate.conformance.trial import HOURS, Trial
from ringgate.domain.terms import Capability, Role

UNDO = Capability.UNDO


def _entered(trial: Trial) -> object:
    return trial.actor(Role.CONSULTANT).enter_time(trial.project(), HOURS)


def _paid(trial: Trial) -> object:
    return trial.actor(Role.ACCOUNTANT).pay_invoice(trial.posted(), trial.make.money("50"))


def _credited(trial: Trial) -> object:
    return trial.actor(Role.ACCOUNTANT).credit_invoice(trial.posted())


def _posted_entry(trial: Trial) -> object:
    return trial.actor(Role.ACCOUNTANT).post_entry(trial.make.entry())


def _taken_back(trial: Trial, deed: Callable[[Trial], object]) -> None:
    before = trial.standing()
    for known, how in ((True, "by id"), (False, "by marker")):
        done = len(trial.journal.pending())
        deed(trial)
        written = trial.reversals()[: len(trial.journal.pending()) - done]
        trial.take_back(written, known=known)
        trial.unchanged(before, f"after what was written had been undone {how}")
        trial.take_back(written, known=known)
        trial.unchanged(before, f"after it had been undone {how} a second time")


_DEEDS: dict[str, tuple[Callable[[Trial], object], tuple[Capability, ...], tuple[Role, ...]]] = {
    "create-project": (Trial.project, (Capability.PROJECTS,), (Role.PROJECT_MANAGER,)),
    "enter-time": (_entered, (Capability.PROJECTS, Capability.TIME), (Role.PROJECT_MANAGER, Role.CONSULTANT)),
    "request-purchase": (Trial.waiting, (Capability.APPROVALS,), (Role.CONSULTANT,)),
    "draft-invoice": (Trial.draft, BILLING, STAFF),
    "post-invoice": (Trial.posted, BILLING, STAFF),
    "pay-invoice": (_paid, (*BILLING, Capability.PAYMENTS), STAFF),
    "credit-invoice": (_credited, (*BILLING, Capability.CREDIT_NOTES), STAFF),
    "post-entry": (_posted_entry, (Capability.JOURNAL_ENTRIES,), (Role.ACCOUNTANT,)),
}


def _register(verb: str) -> None:
    deed, needs, roles = _DEEDS[verb]

    def undone(trial: Trial) -> None:
        _taken_back(trial, deed)

    undone.__doc__ = f"{verb} is undone by its id, and by its marker alone; undoing it twice does no more than once."
    contract(f"undo-{verb}", *needs, UNDO, roles=roles)(undone)


for _verb in _DEEDS:
    _register(_verb)
