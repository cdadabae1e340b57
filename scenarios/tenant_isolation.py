"""Tenant isolation: nobody from another tenant, and no stranger, gets at what this tenant's people have just made."""

from ringgate.api import (
    ACCOUNTANT,
    APPROVALS,
    AUDITOR,
    BOOKS,
    CONSULTANT,
    INVOICING,
    ISOLATION,
    LEDGER,
    OUTSIDERS,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    expect_isolation,
    scenario,
)  # fmt: skip


@scenario(
    id="tenant-isolation",
    effect=REVERSIBLE,
    needs={PROJECTS, TIME, INVOICING, LEDGER, OUTSIDERS, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT, AUDITOR},
    layer=ISOLATION,
)
def tenant_isolation(erp: Erp, make: Make, run: Run) -> None:
    manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)

    seen = erp.seen()

    with run.step("make records of each kind"):
        billed = make.project(rate="100.00", planned="2")
        project = manager.create_project(billed)
        entry = consultant.enter_time(project, hours="2")
        manager.complete_work(project)
        posted = accountant.post_invoice(accountant.draft_invoice(project))
        posting = erp.books.posting_of(posted.ref)

        waiting = make.project(rate="100.00", planned="1")
        other = manager.create_project(waiting)
        consultant.enter_time(other, hours="1")
        manager.complete_work(other)
        draft = accountant.draft_invoice(other)

        things = [
            *seen,
            erp.thing(project.ref, billed.marker, made=True),
            erp.thing(project.task.ref, billed.marker, made=True),
            erp.thing(entry.ref, entry.description, made=True),
            erp.thing(draft.ref, waiting.marker, made=True),
            erp.thing(posted.ref, billed.marker, made=True),
            erp.thing(posting.ref),
        ]
        if APPROVALS not in erp.tenant.lacks:
            wanted = make.request()
            things.append(erp.thing(consultant.request_purchase(wanted).ref, wanted.marker, made=True))

    with run.step("try them as outsiders"):
        expect_isolation(
            erp.insider(AUDITOR),
            erp.outsiders(),
            things,
            because="what one tenant makes is nobody else's business",
        )
