"""A request in flight: it still waits after the upgrade, for the same approval, and is still not the requester's."""

from ringgate.api import (
    APPROVALS,
    APPROVER,
    BOOKS,
    CONSULTANT,
    POLICY,
    RECORDS,
    Erp,
    Make,
    PurchaseRequest,
    Run,
    expect,
    expect_refusal,
    in_flight,
)  # fmt: skip


@in_flight(id="in-flight-waiting-request", needs={APPROVALS, BOOKS}, roles={CONSULTANT, APPROVER})
def begin(erp: Erp, make: Make, run: Run) -> PurchaseRequest:
    with run.step("request purchase"):
        consultant = erp.sign_in(CONSULTANT)
        amount = str(erp.policy.approval.threshold + 350)
        return consultant.submit_request(consultant.request_purchase(make.request(amount)))


@begin.finish
def waiting_request(erp: Erp, make: Make, run: Run, submitted: PurchaseRequest) -> None:
    threshold = erp.policy.approval.threshold

    with run.step("read the request again"):
        consultant, approver = erp.sign_in(CONSULTANT, APPROVER)
        request = approver.read_request(submitted)
        expect(request.state, equals="waiting", because="nobody decided it meanwhile", what="state", basis=RECORDS)
        total, kept = erp.money(str(threshold + 350)), "a request keeps its number"
        expect(request.total, equals=total, because="this was asked for", what="total", basis=RECORDS)
        expect(request.number, equals=submitted.number, because=kept, what="number", basis=RECORDS)

    with run.step("approval by the requester alone"):
        if not erp.may_approve_alone(total):
            because = f"requests over {threshold} need somebody else's approval"
            expect_refusal(consultant.approve_request, request, because=because, basis=POLICY)
            state = approver.read_request(request).state
            expect(state, equals="waiting", because="a refused approval changes nothing", what="state")

    with run.step("approve"):
        for each in erp.sign_in_all(erp.approvers(total)) or (approver,):
            each.approve_request(request)
        state = erp.books.request(request.ref).state
        expect(state, equals="approved", because="it was approved by somebody who may", what="state")
