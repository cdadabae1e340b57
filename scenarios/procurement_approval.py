"""Procurement approval: a request is approved or rejected by its approvers, each once, never by who asked."""

from ringgate.api import (
    APPROVALS,
    APPROVER,
    BOOKS,
    CONSULTANT,
    POLICY,
    REVERSIBLE,
    Actor,
    Erp,
    Make,
    PurchaseRequest,
    Run,
    expect,
    expect_refusal,
    scenario,
)  # fmt: skip


@scenario(id="procurement-approval", effect=REVERSIBLE, needs={APPROVALS, BOOKS}, roles={CONSULTANT, APPROVER})
def procurement_approval(erp: Erp, make: Make, run: Run) -> None:
    threshold = erp.policy.approval.threshold
    small, large = str(max(threshold, 1)), str(threshold + 350)

    with run.step("request purchase"):
        consultant, approver = erp.sign_in(CONSULTANT, APPROVER)
        chain = erp.sign_in_all(erp.approvers(erp.money(large)))
        request = _waiting(consultant, make, large)
        expect(request.total, equals=erp.money(large), because="one piece at this price was asked for", what="total")

    with run.step("approval by the requester alone"):
        if erp.may_approve_alone(request.total):
            request = consultant.approve_request(request)
        else:
            expect_refusal(
                consultant.approve_request,
                request,
                because=f"requests over {threshold} need somebody else's approval",
                basis=POLICY,
            )
            expect(
                approver.read_request(request).state,
                equals="waiting",
                because="a refused approval changes nothing",
                what="state",
            )

    with run.step("approve"):
        if request.state != "approved":
            _approve(consultant, chain or (approver,), request)
        expect(
            erp.books.request(request.ref).state,
            equals="approved",
            because="it was approved by somebody who may",
            what="state",
        )

    with run.step("decide at the threshold"):
        at_threshold = _waiting(consultant, make, small)
        if erp.may_approve_alone(at_threshold.total):
            at_threshold = consultant.approve_request(at_threshold)
            expect(
                at_threshold.state,
                equals="approved",
                because=f"requests up to {threshold} need nobody else",
                what="state",
                basis=POLICY,
            )
        else:
            because = "every request needs somebody else's approval"
            expect_refusal(consultant.approve_request, at_threshold, because=because, basis=POLICY)

    with run.step("reject"):
        undecided = at_threshold if at_threshold.state == "waiting" else _waiting(consultant, make, large)
        rejected = (chain or (approver,))[0].reject_request(undecided)
        expect(rejected.state, equals="rejected", because="the approver said no", what="state")


def _approve(consultant: Actor, chain: tuple[Actor, ...], request: PurchaseRequest) -> None:
    """Every approver approves at their own step. Until the last did, neither they nor who asked can do it alone."""
    for number, approver in enumerate(chain, start=1):
        stated = approver.approve_request(request)
        if number < len(chain):
            still = f"{number} of {len(chain)} approvals were given"
            expect(stated.state, equals="waiting", because=still, what="state", basis=POLICY)
            twice = "nobody approves the same request twice"
            expect_refusal(approver.approve_request, request, because=twice, basis=POLICY)
            own = "nobody approves their own request"
            expect_refusal(consultant.approve_request, request, because=own, basis=POLICY)
            expect(approver.read_request(request).state, equals="waiting", because=still, what="state", basis=POLICY)


def _waiting(consultant: Actor, make: Make, amount: str) -> PurchaseRequest:
    request = consultant.submit_request(consultant.request_purchase(make.request(amount)))
    expect(request.state, equals="waiting", because="it was submitted and nobody decided yet", what="state")
    return request
