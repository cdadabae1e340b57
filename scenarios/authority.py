"""Authority: people do their own work and no more; each right and each lack of one is tried, at each amount."""

from ringgate.api import (
    ACCOUNTANT,
    APPROVALS,
    APPROVER,
    AUDITOR,
    CONSULTANT,
    CREDIT_NOTES,
    DIRECT_CALLS,
    INVOICING,
    ISOLATION,
    JOURNAL_ENTRIES,
    LEDGER,
    PAYMENTS,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    AccessChecks,
    Actor,
    Erp,
    Invoice,
    Make,
    Money,
    PurchaseRequest,
    Run,
    expect,
    scenario,
)  # fmt: skip


@scenario(
    id="authority",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, LEDGER, CREDIT_NOTES, PAYMENTS, JOURNAL_ENTRIES, APPROVALS, DIRECT_CALLS},
    roles={CONSULTANT, PROJECT_MANAGER, APPROVER, ACCOUNTANT, AUDITOR},
    layer=ISOLATION,
)
def authority(erp: Erp, make: Make, run: Run) -> None:
    checks = AccessChecks(erp)
    manager, consultant, accountant = (checks.people[role] for role in (PROJECT_MANAGER, CONSULTANT, ACCOUNTANT))

    with run.step("projects and time"):
        checks.hold("create_project", lambda actor: actor.create_project(make.project()))
        project = manager.create_project(make.project(rate="100.00", planned="2"))
        checks.hold("enter_time", lambda actor: actor.enter_time(project, hours="0.5"))
        consultant.enter_time(project, hours="1")
        manager.complete_work(project)

    with run.step("invoices"):
        paid = checks.hold("draft_invoice", lambda actor: actor.draft_invoice(project))
        paid = checks.hold("post_invoice", lambda actor: actor.post_invoice(paid))
        part = erp.money("10")
        checks.hold("pay_invoice", lambda actor: actor.pay_invoice(paid, part))

    with run.step("credit notes"):
        credited = _another(manager, consultant, accountant, make)
        checks.hold("credit_invoice", lambda actor: actor.credit_invoice(credited))

    with run.step("journal entries"):
        checks.hold("post_entry", lambda actor: actor.post_entry(make.entry()))

    with run.step("ask for purchases"):
        checks.hold("request_purchase", lambda actor: actor.request_purchase(make.request()))
        request = consultant.request_purchase(make.request())
        request = checks.hold("submit_request", lambda actor: actor.submit_request(request))

    with run.step("reject purchases"):
        checks.hold("reject_request", lambda actor: actor.reject_request(request))

    for amount in checks.amounts("approve_request"):
        with run.step(f"approve purchases of {amount}"):
            checks.hold_each(
                "approve_request",
                lambda amount=amount: _waiting(consultant, make, amount),
                lambda actor, request: _approve_in_turn(erp, checks, actor, request),
                amount,
            )


def _waiting(consultant: Actor, make: Make, amount: Money) -> PurchaseRequest:
    request = consultant.submit_request(consultant.request_purchase(make.request(str(amount.amount))))
    expect(request.total, equals=amount, because="one piece at this price was asked for", what="total")
    return request


def _approve_in_turn(erp: Erp, checks: AccessChecks, actor: Actor, request: PurchaseRequest) -> PurchaseRequest:
    """Who is not the first to be asked comes after those before them."""
    for role in erp.approvals_before(actor.role, request.total):
        checks.people[role].approve_request(request)
    return actor.approve_request(request)


def _another(manager: Actor, consultant: Actor, accountant: Actor, make: Make) -> Invoice:
    """A posted invoice of its own."""
    project = manager.create_project(make.project(rate="100.00", planned="2"))
    consultant.enter_time(project, hours="2")
    manager.complete_work(project)
    return accountant.post_invoice(accountant.draft_invoice(project))
