"""Whether a scenario applies is known without asking the ERP, with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ringgate.domain.terms import Capability, Channel, Effect
from ringgate.execution.applicability import not_applicable
from tests.support.samples import tenant
from tests.unit.execution.support import Notebook, process, two_projects


@pytest.mark.parametrize(
    ("changes", "of_tenant", "reason"),
    [
        ({"channels": frozenset({Channel.BROWSER})}, {}, "sample is not run over the api channel"),
        ({"needs": frozenset({Capability.TIME})}, {}, "the api driver for sample cannot do time"),
        ({}, {"lacks": frozenset({Capability.PROJECTS})}, "aldgate does not have projects"),
        ({}, {"users": {}}, "aldgate has no synthetic user for project_manager"),
        (
            {},
            {"lacks": frozenset({Capability.UNDO})},
            "nothing can be taken back on aldgate over the api channel, so sample would stay",
        ),
        ({"effect": Effect.PERMANENT}, {}, "aldgate allows reversible effects, sample is permanent"),
        (
            {},
            {"paused_until": date(2026, 12, 1), "paused_reason": "audit"},
            "aldgate is paused until 2026-12-01: audit",
        ),
        ({}, {"paused_until": date(2026, 11, 22), "paused_reason": "audit"}, ""),
    ],
)
def test_what_does_not_apply_is_told_without_asking_the_erp(changes, of_tenant, reason):
    today = datetime(2026, 11, 22, tzinfo=UTC).date()
    said = not_applicable(
        process(two_projects, **changes), tenant(**of_tenant), Channel.API, Notebook.capabilities, today
    )
    assert said == reason


def test_what_the_inventory_does_not_state_is_not_applicable():
    needs = frozenset({Capability.SUPPLIER_INVOICES})
    today = datetime(2026, 11, 22, tzinfo=UTC).date()
    able = Notebook.capabilities | needs
    said = not_applicable(process(two_projects, needs=needs), tenant(), Channel.API, able, today)
    assert said == (
        "the inventory does not state policy.supplier, policy.accounts.payable, policy.accounts.expense of aldgate, "
        "which supplier-invoices needs"
    )
