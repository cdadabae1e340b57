"""Purchase requests and their approval."""

from __future__ import annotations

from dataclasses import replace

from ringgate.conformance.model import contract
from ringgate.conformance.requirements import require, same
from ringgate.conformance.trial import Trial
from ringgate.domain.terms import Capability, Role
from ringgate.scenario import oracle

APPROVALS = Capability.APPROVALS
CONSULTANT, APPROVER = Role.CONSULTANT, Role.APPROVER


@contract("request-purchase", APPROVALS, roles=(CONSULTANT,))
def request_purchase(trial: Trial) -> None:
    """A request is a draft over quantity times price, with its description and the ERP's requester."""
    draft = trial.make.request("350.00")
    request = trial.actor(CONSULTANT).request_purchase(draft)
    trial.typed(request)
    same((request.state, request.total), ("draft", draft.unit_price * draft.quantity), "the request")
    require(draft.marker in request.description, "the description has lost its marker")
    require(bool(request.requester), "the request names no requester")


@contract("submit-request", APPROVALS, roles=(CONSULTANT,))
def submit_request(trial: Trial) -> None:
    """A submitted request waits; state and total are read back, by this verb and by read_request."""
    consultant, request = trial.actor(CONSULTANT), trial.request()
    wrong = replace(request, total=request.total + request.total)
    stated = consultant.submit_request(wrong)
    trial.typed(stated)
    same((stated.ref.id, stated.state, stated.total), (request.ref.id, "waiting", request.total), "the request")
    read = consultant.read_request(wrong)
    same((read.state, read.total, read.requester), ("waiting", request.total, request.requester), "what is read")
    if trial.has(Capability.BOOKS):
        same(trial.books.request(request.ref).state, "waiting", "the state that the books state")


@contract("approve-request", APPROVALS, roles=(CONSULTANT, APPROVER))
def approve_request(trial: Trial) -> None:
    """The last approval makes a request approved; those before it leave it waiting, and are not refused."""
    request = trial.waiting()
    chain = oracle.approvers(request.total, trial.policy) or (APPROVER,)
    for number, role in enumerate(chain, start=1):
        wrong = replace(request, total=request.total + request.total)
        stated = trial.actor(role).approve_request(wrong)
        state = "approved" if number == len(chain) else "waiting"
        same((stated.state, stated.total), (state, request.total), f"the request after approval {number}")


@contract("refuse-own-approval", APPROVALS, roles=(CONSULTANT, APPROVER))
def refuse_own_approval(trial: Trial) -> None:
    """Who asked cannot approve above the threshold: Refused, also where the ERP only does nothing; it waits."""
    consultant, request = trial.actor(CONSULTANT), trial.waiting()
    if oracle.may_approve_alone(request.total, trial.policy):
        return
    trial.refused("approve_request", lambda: consultant.approve_request(request))
    same(trial.actor(APPROVER).read_request(request).state, "waiting", "the state after a refusal")


@contract("reject-request", APPROVALS, roles=(CONSULTANT, APPROVER))
def reject_request(trial: Trial) -> None:
    """A rejected request says so, and cannot be approved any more."""
    approver = trial.actor(APPROVER)
    stated = approver.reject_request(trial.waiting())
    same(stated.state, "rejected", "the request")
    trial.refused("approve_request", lambda: approver.approve_request(stated))
