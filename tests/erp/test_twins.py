"""Whole documents on a real ERP: clean runs agree, and a change that no assertion looks at is found and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ringgate.domain.model import RunResult, Scenario
from ringgate.domain.terms import Channel, Outcome
from ringgate.estate import Estate
from ringgate.estate.faults.switches import Trigger
from ringgate.execution.run_once import Engine, run_once
from ringgate.execution.twins import Twins
from ringgate.gate.observations import made_otherwise
from ringgate.twins.files import TwinFolder
from ringgate.twins.learning import ENOUGH
from tests.support.estate import Leased

UNSEEN = {
    "tax-reported-as-base": (
        Trigger("account_tax_line", "BEFORE INSERT", "NEW.type := 'base';"),
        "value account.tax.line.type",
        'Type is "base", in ',
    ),
    "billed-time-not-marked": (
        Trigger("timesheet_line", "BEFORE UPDATE OF invoice_line", "NEW.invoice_line := NULL;"),
        "value timesheet.line.invoice_line",
        "is nothing, in ",
    ),
}
"""Faults that no assertion of the scenario looks at: trigger, the finding's signature, and part of its sentence."""
CUT = Trigger("account_invoice_line", "BEFORE INSERT", "NEW.description := left(NEW.description, 12);")
"""What the scenario does look at: its failure says so, and names beside it whatever else differs."""
PROCESS = "financial-posting"


@pytest.fixture
def compared(engine: Engine, tmp_path: Path) -> Engine:
    return replace(engine, twins=Twins(TwinFolder(tmp_path / "twins")))


def test_a_change_that_no_assertion_looks_at_is_found_and_named(
    own_tenant: Leased, estate: Estate, compared: Engine, scenarios: dict[str, Scenario]
) -> None:
    def run() -> RunResult:
        return run_once(scenarios[PROCESS], own_tenant.tenant, Channel.API, compared)

    clean = [run() for _ in range(ENOUGH + 1)]
    assert [(each.outcome, each.failure) for each in clean] == [(Outcome.PASSED, None)] * len(clean)
    assert [made_otherwise(each) for each in clean] == [None] * ENOUGH + [False]
    assert not any("account.move.reconciliation" in each for each in clean[-1].touched if each.startswith("auditor"))

    for fault, (trigger, signature, words) in UNSEEN.items():
        trigger.on(estate, own_tenant.id, fault)
        try:
            result = run()
        finally:
            trigger.off(estate, own_tenant.id, fault)
        assert result.outcome is Outcome.FAILED, fault
        assert result.failure is not None
        assert (result.failure.kind, result.failure.step) == ("twin", "compare with runs before"), result.failure
        assert words in result.failure.message
        (told,) = [each for each in result.attachments if each.name == "twin-findings.txt"]
        assert signature in (compared.evidence / told.path).read_text()
        assert result.residue == ()

    CUT.on(estate, own_tenant.id, "description-cut")
    try:
        result = run()
    finally:
        CUT.off(estate, own_tenant.id, "description-cut")
    assert (result.outcome, result.failure and result.failure.kind) == (Outcome.FAILED, "expectation"), result.failure
    (told,) = [each for each in result.attachments if each.name == "twin-findings.txt"]
    assert "value account.invoice.line.description" in (compared.evidence / told.path).read_text()
    assert run().outcome is Outcome.PASSED
