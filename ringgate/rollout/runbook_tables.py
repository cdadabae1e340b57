"""What a release says of its runbook beyond what is known of it anyway: `[runbook.application]` and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from ringgate.inventory.files import Problem
from ringgate.inventory.kinds import Name, StrictTable
from ringgate.rollout.risk_classes import Risk

PARTS = ("application", "database", "integrations")
"""The parts of a runbook that a release of high risk must say something of."""


class RunbookPartTable(StrictTable):
    """One part: who leads it, and what people do around Ringgate's own commands."""

    owner: Name = Field(description="Who leads this part.", examples=["erp-operations"])
    contact: Name = Field(description="How they are reached at any hour. No secrets.", examples=["+44 20 7946 0000"])
    before: tuple[Name, ...] = Field(
        (), description="What people do before the first ring.", examples=[["Tell the help desk."]]
    )
    after: tuple[Name, ...] = Field(
        (), description="What people do after the last ring.", examples=[["Ask payroll for a test file."]]
    )


class RunbookTable(StrictTable):
    application: RunbookPartTable | None = Field(None, description="The ERP itself. Required where the risk is high.")
    database: RunbookPartTable | None = Field(None, description="The data. Required where the risk is high.")
    integrations: RunbookPartTable | None = Field(
        None, description="Who talks to the ERP. Required where the risk is high."
    )
    infrastructure: RunbookPartTable | None = Field(None, description="What the ERP runs on.")

    def part(self, name: str) -> RunbookPartTable | None:
        found: RunbookPartTable | None = getattr(self, name, None)
        return found


def check_papers(file: str, data: Mapping[str, object]) -> list[Problem]:
    """What people must be able to read of a release of this risk class. Works on raw values."""
    risk, found = data.get("risk"), list[Problem]()
    required: Sequence[str] = {Risk.MEDIUM: ("notes",), Risk.HIGH: ("notes", "support_impact")}.get(str(risk), ())  # type: ignore[call-overload]
    for key in required:
        text = data.get(key, "")
        if isinstance(text, str) and not text.strip():
            found.append(Problem(file, key, f"is required for a release of risk {risk}"))
    runbook = data.get("runbook", {})
    if risk == Risk.HIGH and isinstance(runbook, Mapping):
        found += [
            Problem(file, f"runbook.{part}", "is required for a release of risk high: who leads it, how to reach them")
            for part in PARTS if part not in runbook
        ]  # fmt: skip
    return found
