"""What is read whole: fingerprint and surface; and who should get nothing."""

from __future__ import annotations

from ringgate.conformance.contracts.invoices import BILLING, STAFF
from ringgate.conformance.model import contract
from ringgate.conformance.requirements import require, same
from ringgate.conformance.trial import Trial
from ringgate.domain.errors import OurSideError
from ringgate.domain.terms import Capability, Role
from ringgate.isolation.model import Attempt, AttemptKind
from ringgate.surface.encoding import dumps, loads


@contract("fingerprint", *BILLING, Capability.BOOKS, Capability.FINGERPRINT, roles=STAFF)
def fingerprint(trial: Trial) -> None:
    """Two fingerprints in a row are the same; one holds the invoice that was just posted, and names no database id."""
    invoice = trial.posted()
    first, second = trial.books.fingerprint(), trial.books.fingerprint()
    require(bool(first.accounts and first.parties and first.documents), "it holds no accounts, parties or documents")
    require(bool(first.series), "it does not state the ERP's series")
    for name in ("settings", "accounts", "parties", "documents", "entries", "works", "hours", "sequences"):
        same(getattr(second, name), getattr(first, name), f"{name} of a second fingerprint")
    found = [each for each in first.documents if each.number == invoice.number]
    require(bool(found), f"the invoice {invoice.number} is not among its documents")
    same(found[0].total, invoice.total.amount, f"the total of {invoice.number} in it")


@contract("surface", Capability.SURFACE)
def surface(trial: Trial) -> None:
    """The surface names models with fields, and what runs touch is on it; it survives being written and read."""
    found = trial.connection.surface()
    require(bool(found.models), "it names no model")
    require(any(model.fields for model in found.models.values()), "no model has fields")
    same((found.tenant, found.erp), (trial.tenant.id, trial.tenant.erp), "tenant and ERP on it")
    same(loads(dumps(found)), found, "what was written and read again")


@contract("isolation", *BILLING, Capability.OUTSIDERS, roles=(*STAFF, Role.AUDITOR))
def isolation(trial: Trial) -> None:
    """An insider sees what is there; an outsider's attempt says what came of it, and what is barred is refused."""
    if not trial.neighbours:
        raise OurSideError("the inventory has no other tenant of this ERP whose sessions could be tried")
    things = trial.connection.seen()
    require(bool(things), "`seen` names nothing")
    kinds = {thing.ref.kind for thing in things}
    insider = trial.connection.insider(Role.AUDITOR)
    for kind in sorted(kinds):
        mine = [thing for thing in things if thing.ref.kind == kind]
        attempt = insider.attempt(AttemptKind.READ, mine)
        if attempt is not None:
            missing = [thing.ref.id for thing in mine if thing.tells[0] not in attempt.told]
            require(not missing, f"the insider reads {kind} {', '.join(missing)} without what stands on it")
    for thing in things:
        guesses = trial.connection.guesses(thing.ref, 2)
        require(thing.ref not in guesses, f"the guesses around {thing.ref.kind} {thing.ref.id} hold the record itself")
        require(all(each.kind == thing.ref.kind for each in guesses), "guesses are of another kind")
    barred = 0
    for outsider in trial.connection.outsiders(trial.neighbours, [Role.AUDITOR]):
        attempt = outsider.attempt(AttemptKind.READ, [things[0]])
        require(attempt is None or isinstance(attempt, Attempt), "attempt returned no Attempt")
        barred += outsider.barred and attempt is not None
        require(attempt is None or not attempt.leaks, f"{outsider.name}: {attempt}")
    require(barred > 0, "no outsider is barred: nobody tries who must be refused")
