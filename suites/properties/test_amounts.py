"""Whatever is billed, the ERP states what the oracle computes: hours x rates x taxes x the tenant's rounding."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fixtures.properties import on_an_erp
from fixtures.strategies import billed_tasks
from ringgate.api import (
    ACCOUNTANT,
    CONSULTANT,
    INVOICING,
    POLICY,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    expect,
    expect_nothing,
    scenario,
)  # fmt: skip
from ringgate.domain.model import Scenario

Tasks = list[tuple[Decimal, Decimal, str]]
"""Of each task its rate, the hours logged, and the name of its tax rule."""


def amounts_of(tasks: Tasks) -> Scenario:
    """The process that bills these tasks on one invoice."""

    @scenario(
        id="any-amounts",
        effect=REVERSIBLE,
        needs={PROJECTS, TIME, INVOICING},
        roles={PROJECT_MANAGER, CONSULTANT, ACCOUNTANT},
    )
    def any_amounts(erp: Erp, make: Make, run: Run) -> None:
        """Any hours at any rates under any of the tenant's taxes are billed as the oracle says."""
        manager, consultant, accountant = erp.sign_in(PROJECT_MANAGER, CONSULTANT, ACCOUNTANT)
        with run.step("log hours"):
            project = manager.create_project(
                make.project_of(*((str(rate), str(hours), tax) for rate, hours, tax in tasks))
            )
            for task, (_, hours, _) in zip(project.tasks, tasks, strict=True):
                consultant.enter_time(task, hours)
            manager.complete_work(project)
        expected = erp.totals(*((hours, erp.money(str(rate)), tax) for rate, hours, tax in tasks))
        if not expected.net:
            with run.step("draft no invoice"):
                because = "no task comes to an amount that could be billed"
                total, what = (lambda invoice: invoice.total), "total of the invoice"
                expect_nothing(accountant.draft_invoice, project, stated=total, because=because, what=what)
            return
        with run.step("draft invoice"):
            invoice = accountant.draft_invoice(project)
        with run.step("check amounts"):
            stated = {"net": invoice.net, "tax": invoice.tax, "total": invoice.total}
            wanted = {"net": expected.net, "tax": expected.tax, "total": expected.total}
            rounding = f"tax is rounded by {erp.policy.tax_rounding}"
            expect(stated, equals=wanted, because=rounding, what="amounts", basis=POLICY)

    return any_amounts


@on_an_erp(examples=6)
@given(data=st.data())
def test_amounts(process, data):
    process(amounts_of(data.draw(billed_tasks(process.tenant.policy), label="(rate, hours, tax)")))
