"""Ledger arrives: what is posted comes to the warehouse, line by line, and so does its reversal."""

from ringgate.api import (
    ACCOUNTANT,
    BOOKS,
    CONSULTANT,
    GENERAL_LEDGER,
    INTEGRATIONS,
    INVOICING,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    scenario,
)  # fmt: skip


@scenario(
    id="ledger-arrives",
    effect=REVERSIBLE,
    layer=INTEGRATIONS,
    receives=GENERAL_LEDGER,
    needs={PROJECTS, TIME, INVOICING, BOOKS},
    roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
)
def ledger_arrives(erp: Erp, make: Make, run: Run) -> None:
    draft, hours = make.project_that_shows_rounding()
    expected = erp.totals(
        *((erp.billable(task, h), task.rate, task.tax) for task, h in zip(draft.tasks, hours, strict=True))
    )

    with run.step("post invoice"):
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        project = manager.create_project(draft)
        for task, logged in zip(project.tasks, hours, strict=True):
            consultant.enter_time(task, logged)
        manager.complete_work(project)
        accountant.post_invoice(accountant.draft_invoice(project))

    with run.step("it arrives in the warehouse"):
        erp.arrives(GENERAL_LEDGER, draft.marker, totals=expected)
