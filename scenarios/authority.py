"""Authority: everybody does his own work and no more; each right and each lack of one is tried, at each amount."""

from collections.abc import Callable
from typing import Any

from ringgate.api import (
    ACCOUNTANT,
    API,
    APPROVALS,
    APPROVER,
    AUDITOR,
    CONSULTANT,
    CREDIT_NOTES,
    INVOICING,
    ISOLATION,
    JOURNAL_ENTRIES,
    LEDGER,
    PAYMENTS,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Actor,
    Erp,
    Invoice,
    Make,
    Money,
    PurchaseRequest,
    Role,
    Run,
    expect,
    expect_refusal,
    scenario,
)  # fmt: skip

Verb = Callable[[Actor], Any]
STAFF = (CONSULTANT, PROJECT_MANAGER, APPROVER, ACCOUNTANT, AUDITOR)


@scenario(
    id="authority",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, LEDGER, CREDIT_NOTES, PAYMENTS, JOURNAL_ENTRIES, APPROVALS},
    roles=STAFF,
    layer=ISOLATION,
    channels={API},
)
def authority(erp: Erp, make: Make, run: Run) -> None:
    staff = Staff(erp)
    manager, consultant, accountant = (staff.people[role] for role in (PROJECT_MANAGER, CONSULTANT, ACCOUNTANT))

    with run.step("projects and time"):
        staff.hold("create_project", lambda actor: actor.create_project(make.project()))
        project = manager.create_project(make.project(rate="100.00", planned="2"))
        staff.hold("enter_time", lambda actor: actor.enter_time(project, hours="0.5"))
        consultant.enter_time(project, hours="1")
        manager.complete_work(project)

    with run.step("invoices"):
        paid: Invoice = staff.hold("draft_invoice", lambda actor: actor.draft_invoice(project))
        paid = staff.hold("post_invoice", lambda actor: actor.post_invoice(paid))
        part = erp.money("10")
        staff.hold("pay_invoice", lambda actor: actor.pay_invoice(paid, part))

    with run.step("credit notes"):
        credited = _another(manager, consultant, accountant, make)
        staff.hold("credit_invoice", lambda actor: actor.credit_invoice(credited))

    with run.step("journal entries"):
        staff.hold("post_entry", lambda actor: actor.post_entry(make.entry()))

    with run.step("ask for purchases"):
        staff.hold("request_purchase", lambda actor: actor.request_purchase(make.request()))
        request = consultant.request_purchase(make.request())
        request = staff.hold("submit_request", lambda actor: actor.submit_request(request))

    with run.step("reject purchases"):
        staff.hold("reject_request", lambda actor: actor.reject_request(request))

    for amount in dict.fromkeys(right.amount for right in erp.rights() if right.amount is not None):
        with run.step(f"approve purchases of {amount}"):
            staff.hold("approve_request", _Approval(consultant, make, amount), amount)


class _Approval:
    """Approves a request of an amount: one that waits serves all who are refused, and the first who is not."""

    def __init__(self, requester: Actor, make: Make, amount: Money) -> None:
        self._requester, self._make, self._amount = requester, make, amount
        self._waiting: PurchaseRequest | None = None

    def __call__(self, actor: Actor) -> PurchaseRequest:
        if self._waiting is None:
            asked = self._requester.request_purchase(self._make.request(str(self._amount.amount)))
            expect(asked.total, equals=self._amount, because="one piece at this price was asked for", what="total")
            self._waiting = self._requester.submit_request(asked)
        approved = actor.approve_request(self._waiting)
        self._waiting = None
        return approved


class Staff:
    """Everybody who works for the tenant, held to the matrix."""

    def __init__(self, erp: Erp) -> None:
        self._rights = erp.rights()
        self.people: dict[Role, Actor] = {role: erp.sign_in(role) for role in STAFF}

    def hold(self, verb: str, act: Verb, amount: Money | None = None) -> Any:
        """Everybody tries: who may not first, on the same record, so that who may then shows that it could be done.

        Returns what came of it for the last who may."""
        done: Any = None
        for right in self._rights:
            if (right.verb, right.amount) != (verb, amount):
                continue
            actor = self.people[right.role]
            if right.allowed:
                done = act(actor)
            else:
                who = right.role.value.replace("_", " ")
                expect_refusal(act, actor, because=right.because, what=f"{verb.replace('_', ' ')} by the {who}")
        return done


def _another(manager: Actor, consultant: Actor, accountant: Actor, make: Make) -> Invoice:
    """A posted invoice of its own."""
    project = manager.create_project(make.project(rate="100.00", planned="2"))
    consultant.enter_time(project, hours="2")
    manager.complete_work(project)
    return accountant.post_invoice(accountant.draft_invoice(project))
