"""The approval scenario holds an ERP to its chain: each step its own approver, none twice, never who asked.

The ERP here is a list of requests that keeps to a chain, or breaks it in one way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringgate.domain.documents import PurchaseRequest, Ref
from ringgate.domain.errors import Refused
from ringgate.domain.model import Approval
from ringgate.domain.terms import Capability, Channel, Outcome, Role
from ringgate.drivers.parts import whole
from ringgate.execution.run_once import Engine, run_once
from ringgate.host.run_locks import RunLocks
from ringgate.host.undo_journal import Journal
from ringgate.scenario.discovery import load_scenarios
from tests.support.samples import policy, tenant

CHAIN = (Role.PROJECT_MANAGER, Role.APPROVER)
SCENARIOS = load_scenarios(Path(__file__).parents[3] / "scenarios")


class Chained:
    """Driver, connection, books of an ERP with a chain of approvers. `holes` are ways in which it does not keep it."""

    channel = Channel.API
    capabilities = frozenset(
        {Capability.APPROVALS, Capability.APPROVAL_CHAINS, Capability.BOOKS, Capability.UNDO, Capability.SIGN_IN}
    )
    calls, touched = 0, frozenset[str]()

    def __init__(self, *holes: str) -> None:
        self.holes = holes
        self.requests: dict[str, PurchaseRequest] = {}
        self.given: dict[str, list[Role]] = {}

    def connect(self, *_: Any) -> Chained:
        return self

    def sign_in(self, role: Role, **_: Any) -> Clerk:
        return Clerk(self, role)

    def books(self) -> Chained:
        return self

    def request(self, ref: Ref) -> PurchaseRequest:
        return self.requests[ref.id]

    def undo(self, _: Any) -> str:
        return "deleted"

    def close(self) -> None: ...


class Clerk:
    def __init__(self, erp: Chained, role: Role) -> None:
        self.erp, self.role = erp, role

    def _state(self, request: PurchaseRequest, state: str) -> PurchaseRequest:
        self.erp.requests[request.ref.id] = replace(self.erp.requests[request.ref.id], state=state)
        return self.erp.requests[request.ref.id]

    def request_purchase(self, draft: Any) -> PurchaseRequest:
        ref = Ref("request", str(len(self.erp.requests) + 1))
        made = PurchaseRequest(ref, ref.id, "draft", draft.unit_price * draft.quantity, draft.description, "C")
        self.erp.requests[ref.id], self.erp.given[ref.id] = made, []
        return made

    def read_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self.erp.requests[request.ref.id]

    def submit_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._state(request, "waiting")

    def reject_request(self, request: PurchaseRequest) -> PurchaseRequest:
        return self._state(request, "rejected")

    def approve_request(self, request: PurchaseRequest) -> PurchaseRequest:
        given, holes = self.erp.given[request.ref.id], self.erp.holes
        small = request.total.amount <= 500
        if small and self.role is Role.CONSULTANT:
            return self._state(request, "approved")
        allowed = CHAIN[len(given)] is self.role or ("twice" in holes and self.role in given)
        allowed = allowed or ("own" in holes and given and self.role is Role.CONSULTANT)
        if not allowed:
            raise Refused("approve_request", "it is not your turn", self.erp.requests[request.ref.id].state)
        given.append(self.role)
        done = len(given) == len(CHAIN) or "first is enough" in holes
        return self._state(request, "approved" if done else "waiting")


def run(driver: Any, tmp_path: Path, steps: int = 2):
    chained = tenant(
        policy=policy(approval=replace(Approval(steps), threshold=policy().approval.threshold, approvers=CHAIN))
    )
    drivers = {("sample", Channel.API): whole(driver)}
    engine = Engine(drivers, Journal(tmp_path / "journal"), RunLocks(tmp_path / "locks"), tmp_path / "evidence")
    return run_once(SCENARIOS["procurement-approval"], chained, Channel.API, engine)


def test_an_erp_that_keeps_the_chain_passes(tmp_path: Path) -> None:
    result = run(Chained(), tmp_path)
    assert result.outcome is Outcome.PASSED, result.failure


@pytest.mark.parametrize(
    ("hole", "said"),
    [
        ("first is enough", "state: expected waiting, but it is approved (1 of 2 approvals were given)"),
        ("twice", "nobody approves the same request twice"),
        ("own", "nobody approves their own request"),
    ],
)
def test_an_erp_that_breaks_the_chain_fails(hole: str, said: str, tmp_path: Path) -> None:
    result = run(Chained(hole), tmp_path)
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert said in result.failure.message


def test_a_driver_that_cannot_tell_how_far_a_chain_is_does_not_run_it(tmp_path: Path) -> None:
    class Simple(Chained):
        capabilities = Chained.capabilities - {Capability.APPROVAL_CHAINS}

    result = run(Simple(), tmp_path)
    assert (result.outcome, result.reason) == (
        Outcome.SKIPPED, "the api driver for sample cannot do approval-chains",
    )  # fmt: skip
