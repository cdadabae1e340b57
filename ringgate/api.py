"""All that a scenario may import.

A scenario is one business process as a function of three: `erp` (people, rules, layers), `make` (believable drafts) and
`run` (steps). It names no channel, no ERP, no tenant. What should come out is computed by `erp` from the inventory.

What an expectation rests on tells whose business it is when it is not met. It is the ERP's own process unless it says
`basis=POLICY` (the inventory states it), `RIGHTS` (who may do what) or `RECORDS` (what the books held before). What no
release may break even once says `invariant=`: `BALANCED`, `ONCE`, `NUMBERED`, `ISOLATED`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from decimal import Decimal
from typing import Any, get_type_hints

from ringgate.domain.documents import Invoice, Posting, Project, PurchaseRequest, TimeEntry
from ringgate.domain.errors import Refused
from ringgate.domain.model import Scenario
from ringgate.domain.money import Money
from ringgate.domain.terms import (
    Basis,
    Capability,
    Channel,
    Effect,
    Invariant,
    InvoiceMethod,
    Layer,
    Receives,
    Role,
    StepKind,
)
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.execution.run_once import Run
from ringgate.isolation.model import AttemptKind, PrivateRecord
from ringgate.isolation.texts import named_in
from ringgate.scenario.access_checks import AccessChecks
from ringgate.scenario.actors import Actor
from ringgate.scenario.erp import Erp
from ringgate.scenario.expectations import expect, expect_agreement, expect_isolation, expect_nothing, expect_refusal
from ringgate.scenario.particulars import expect_credits, expect_particulars, expect_settled, name_billed
from ringgate.scenario.test_data import Make

READ, REVERSIBLE, PERMANENT = Effect.READ, Effect.REVERSIBLE, Effect.PERMANENT
CONSULTANT, PROJECT_MANAGER, APPROVER = Role.CONSULTANT, Role.PROJECT_MANAGER, Role.APPROVER
ACCOUNTANT, AUDITOR, INTEGRATION = Role.ACCOUNTANT, Role.AUDITOR, Role.INTEGRATION
SIGN_IN, PROJECTS, TIME, INVOICING = Capability.SIGN_IN, Capability.PROJECTS, Capability.TIME, Capability.INVOICING
CREDIT_NOTES, PAYMENTS, APPROVALS = Capability.CREDIT_NOTES, Capability.PAYMENTS, Capability.APPROVALS
LEDGER, JOURNAL_ENTRIES, BOOKS = Capability.LEDGER, Capability.JOURNAL_ENTRIES, Capability.BOOKS
SUPPLIER_INVOICES = Capability.SUPPLIER_INVOICES
OUTSIDERS, DIRECT_CALLS = Capability.OUTSIDERS, Capability.DIRECT_CALLS
PLATFORM, PROCESS, INTEGRATIONS, ISOLATION = Layer.PLATFORM, Layer.PROCESS, Layer.INTEGRATION, Layer.ISOLATION
INVOICES, HOURS, GENERAL_LEDGER = Receives.INVOICES, Receives.HOURS, Receives.LEDGER
TIMESHEET, EFFORT = InvoiceMethod.TIMESHEET, InvoiceMethod.EFFORT
POLICY, RIGHTS, RECORDS = Basis.POLICY, Basis.RIGHTS, Basis.RECORDS
POSTING = StepKind.POSTING
BALANCED, ONCE, NUMBERED, ISOLATED = Invariant.BALANCED, Invariant.ONCE, Invariant.NUMBERED, Invariant.ISOLATED

Function = Callable[[Erp, Make, Run], None]


def scenario(
    *,
    id: str,
    effect: Effect,
    needs: Iterable[Capability],
    roles: Iterable[Role],
    layer: Layer = Layer.PROCESS,
    channels: Iterable[Channel] = tuple(Channel),
    smoke: bool = False,
    receives: Receives | None = None,
    extended: bool = False,
) -> Callable[[Function], Scenario]:
    """Make a scenario of a function. Its title is the first line of the function's, else the module's, docstring.

    `extended` ones are left out of a demo and a rehearsal, which take no longer for them."""

    def make(function: Function) -> Scenario:
        text = function.__doc__ or function.__globals__.get("__doc__") or id
        title = text.strip().splitlines()[0]
        return Scenario(
            id=id,
            title=title,
            effect=effect,
            needs=frozenset(needs),
            roles=frozenset(roles),
            layer=layer,
            channels=frozenset(channels),
            function=function,
            smoke=smoke,
            receives=receives,
            extended=extended,
        )

    return make


class Beginning:
    """The first half of a process, which waits for its second: `@begin.finish`."""

    def __init__(self, scenario: Scenario, begin: Callable[..., object]) -> None:
        self._scenario, self._begin = scenario, begin

    def finish(self, function: Callable[..., None]) -> TwoPhaseScenario:
        """Make the process of both phases. What the first returns is carried to the second."""
        scenario, begin = self._scenario, self._begin

        def whole(erp: Erp, make: Make, run: Run) -> None:
            function(erp, make, run, begin(erp, make, run))

        parts = {each.name: getattr(scenario, each.name) for each in fields(scenario)} | {"function": whole}
        return TwoPhaseScenario(**parts, begin=begin, finish=function, carried=get_type_hints(begin)["return"])


def in_flight(
    *, id: str, needs: Iterable[Capability], roles: Iterable[Role], channels: Iterable[Channel] = tuple(Channel)
) -> Callable[[Callable[..., object]], Beginning]:
    """Make the first half of a process that an upgrade falls into. It says by its type what is carried over."""

    def make(function: Callable[..., Any]) -> Beginning:
        whole = scenario(id=id, effect=REVERSIBLE, needs=needs, roles=roles, channels=channels)
        return Beginning(whole(function), function)

    return make


__all__ = [
    "ACCOUNTANT",
    "APPROVALS",
    "APPROVER",
    "AUDITOR",
    "BALANCED",
    "BOOKS",
    "CONSULTANT",
    "CREDIT_NOTES",
    "DIRECT_CALLS",
    "EFFORT",
    "GENERAL_LEDGER",
    "HOURS",
    "INTEGRATION",
    "INTEGRATIONS",
    "INVOICES",
    "INVOICING",
    "ISOLATED",
    "ISOLATION",
    "JOURNAL_ENTRIES",
    "LEDGER",
    "NUMBERED",
    "ONCE",
    "OUTSIDERS",
    "PAYMENTS",
    "PERMANENT",
    "PLATFORM",
    "POLICY",
    "POSTING",
    "PROCESS",
    "PROJECTS",
    "PROJECT_MANAGER",
    "READ",
    "RECORDS",
    "REVERSIBLE",
    "RIGHTS",
    "SIGN_IN",
    "SUPPLIER_INVOICES",
    "TIME",
    "TIMESHEET",
    "AccessChecks",
    "Actor",
    "AttemptKind",
    "Capability",
    "Decimal",
    "Effect",
    "Erp",
    "Invoice",
    "Layer",
    "Make",
    "Money",
    "Posting",
    "PrivateRecord",
    "Project",
    "PurchaseRequest",
    "Refused",
    "Role",
    "Run",
    "TimeEntry",
    "expect",
    "expect_agreement",
    "expect_credits",
    "expect_isolation",
    "expect_nothing",
    "expect_particulars",
    "expect_refusal",
    "expect_settled",
    "in_flight",
    "name_billed",
    "named_in",
    "scenario",
]  # fmt: skip
