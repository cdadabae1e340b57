"""What invoices must state beside their amounts, and what must be linked with what: by the inventory and the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from ringgate.domain.documents import InvoiceParticulars, Project, ProjectDraft, Settlement
from ringgate.domain.model import Policy
from ringgate.domain.money import Money
from ringgate.domain.terms import Role
from ringgate.scenario.expectations import expect

HOUR = Decimal(1)


def expect_particulars(told: InvoiceParticulars | None, *, policy: Policy, texts: Sequence[str], by: Role) -> None:
    """Fail unless a billed invoice is the customer's, its lines say what was worked in hours, and `by` entered and
    posted it. `texts` are the names of what was billed. Nothing is said where the driver cannot read it (`told` None).
    """
    if told is None:
        return
    expect(told.addressee, equals=policy.customer, because="the project is this customer's", what="addressee")
    said = sorted(line.text for line in told.lines)
    expect(said, equals=sorted(texts), because="each line says what was billed", what="descriptions of the lines")
    units = [line.hours_each for line in told.lines]
    expect(units, equals=[HOUR] * len(texts), because="work is billed by the hour", what="hours of one unit")
    expect(told.entered_by, equals=by, because=f"the {_of(by)} made it", what="entered by")
    expect(told.posted_by, equals=by, because=f"the {_of(by)} posted it", what="posted by")


def name_billed(draft: ProjectDraft, project: Project) -> str:
    """What the only line of a project with one task must say: the task's name, or the project's, where the ERP's
    screens make no task of it and the project itself is billed."""
    return draft.name if project.task.name == draft.name else draft.task.name


def expect_settled(
    told: InvoiceParticulars | None, *, parts: Sequence[Money], on: date, by: str = "", because: str
) -> None:
    """Fail unless an invoice is settled with just these amounts, all booked on that day. `by` is the id of the document
    that settles it (default: the invoice, by its payments)."""
    if told is None:
        return
    expected = sorted(Settlement(on, part.amount, by or told.ref.id) for part in parts)
    expect(list(told.settlements), equals=expected, because=because, what="what settles it")


def expect_credits(told: InvoiceParticulars | None, *, invoice: str, because: str) -> None:
    """Fail unless a credit note's lines take back that invoice's, and no other's."""
    if told is not None:
        expect(list(told.credits), equals=[invoice], because=because, what="invoice that is credited")


def _of(role: Role) -> str:
    return role.value.replace("_", " ")
