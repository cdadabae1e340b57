"""Faults on the way to Tryton: what a network, a proxy, or a defect at the ERP's edge does to requests and answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ringgate.domain.terms import Channel, Role
from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.noticing import ALL, POSTING
from ringgate.estate.faults.switches import FrontDoorFault
from ringgate.estate.frontdoor import NetworkFault as Rule
from ringgate.inventory import Inventory

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate

SLOW = 9.0
"""Seconds that a slow answer takes; a time-out below it notices."""


def _rule(rpc: str, **what: Any) -> FrontDoorFault:
    return FrontDoorFault(lambda estate, tenant: Rule(tenant=tenant, rpc=rpc, **what))


def _any_password(estate: Estate, tenant: str) -> Rule:
    """Whatever password the consultant gives, the ERP sees the right one."""
    account = Inventory.load(estate.inventory_path).tenant(tenant).users[Role.CONSULTANT]
    return Rule(
        tenant=tenant,
        rpc=r"^common\.db\.login$",
        where={"params.0": f"^{account.login}$"},
        replace={"params.1.password": account.on(Channel.API).reveal_password()},
    )


def _lent(estate: Estate, tenant: str, rpc: str) -> Rule:
    """Who has no session acts in the auditor's name."""
    account = Inventory.load(estate.inventory_path).tenant(tenant).users[Role.AUDITOR]
    return Rule(tenant=tenant, rpc=rpc, lend=(account.login, account.on(Channel.API).reveal_password()))


def _into_the_open_month(estate: Estate, tenant: str) -> Rule:
    """Entries that scenarios write for a closed month reach the ERP with today's month and date."""
    with estate.sql(tenant) as database:
        row = database.execute(
            "SELECT id, start_date FROM account_period WHERE type = 'standard' AND state = 'open' "
            "AND current_date BETWEEN start_date AND end_date"
        ).fetchone()
    period, on = row if row else (0, date.min)
    day = {"__class__": "date", "year": on.year, "month": on.month, "day": on.day}
    return Rule(
        tenant=tenant,
        rpc=r"^model\.account\.move\.create$",
        where={"params.0.0.period": rf"^(?!{period}$)"},
        replace={"params.0.0.period": period, "params.0.0.date": day},
    )


NETWORK = (
    Fault(
        id="any-password",
        title="A sign-in is accepted with a wrong password",
        where="front-door",
        cause="identity",
        says={"sign-in": "nobody has this password"},
        switch=FrontDoorFault(_any_password),
    ),
    Fault(
        id="closed-month-dodged",
        title="An entry for a closed month is accepted and booked in an open one",
        where="front-door",
        cause="product",
        says={"financial-posting": "post entry was allowed"},
        switch=FrontDoorFault(_into_the_open_month),
    ),
    Fault(
        id="negative-time-accepted",
        title="Negative hours are accepted as positive ones",
        where="front-door",
        cause="product",
        says={"time-entry": "nobody works less than nothing"},
        switch=_rule(
            r"^model\.timesheet\.line\.create$",
            where={"params.0.0.duration.seconds": "^-"},
            replace={"params.0.0.duration.seconds": 3600},
        ),
    ),
    Fault(
        id="approval-idle",
        title="The button that approves a purchase does nothing",
        where="front-door",
        cause="product",
        says=dict.fromkeys(
            ("procurement-approval", "authority"), "approve_request was refused: the request did not become approved"
        ),
        switch=_rule(r"^model\.purchase\.requisition\.approve$", replace={"method": "model.res.user.get_preferences"}),
    ),
    Fault(
        id="rejection-approves",
        title="The button that rejects a purchase approves it",
        where="front-door",
        cause="product",
        says=dict.fromkeys(
            ("procurement-approval", "authority"), "reject_request was refused: the request did not become rejected"
        ),
        switch=_rule(
            r"^model\.purchase\.requisition\.reject$", replace={"method": "model.purchase.requisition.approve"}
        ),
    ),
    Fault(
        id="posting-lost",
        title="Posting an invoice is answered as done, and is not done",
        where="front-door",
        cause="product",
        says=dict.fromkeys(POSTING, "post_invoice was refused"),
        switch=_rule(r"^model\.account\.invoice\.post$", replace={"method": "model.res.user.get_preferences"}),
    ),
    Fault(
        id="stale-cache",
        title="An invoice that is read again is shown as it was before it was paid",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(("credit-and-payment", "project-to-cash", "authority"), "pay_invoice was refused"),
        switch=_rule(r"^model\.account\.invoice\.read$", where={"params.1.0": "^number$"}, stale=True),
    ),
    Fault(
        id="login-loop",
        title="A session is not known any more as soon as it was given",
        where="front-door",
        cause="identity",
        says=dict.fromkeys(ALL, "session"),
        switch=_rule(r"^(model|wizard|report)\.", status=401),
    ),
    Fault(
        id="slow",
        title=f"Correcting a time entry takes {SLOW:.0f} seconds",
        where="front-door",
        cause="environment",
        says={"time-entry": "did not answer in time"},
        switch=_rule(r"^model\.timesheet\.line\.write$", where={"params.1.duration.seconds": "."}, delay=SLOW),
        times_out=True,
    ),
    Fault(
        id="unavailable",
        title="Posting an invoice is answered with HTTP 503",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(POSTING, "answered model.account.invoice.post with HTTP 503"),
        switch=_rule(r"^model\.account\.invoice\.post$", status=503),
    ),
    Fault(
        id="truncated",
        title="What is read of a purchase request ends in the middle",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(("procurement-approval", "tenant-isolation", "authority"), "was cut short or garbled"),
        switch=_rule(r"^model\.purchase\.requisition\.read$", truncate=40),
    ),
    Fault(
        id="garbage",
        title="A payment is answered with garbage instead of JSON",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(("credit-and-payment", "project-to-cash", "authority"), "is not the JSON"),
        switch=_rule(r"^wizard\.account\.invoice\.pay\.execute$", garbage=True),
    ),
    Fault(
        id="answer-lost",
        title="A payment is booked, and the connection is lost before the answer",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(("credit-and-payment", "project-to-cash", "authority"), "closed the connection unanswered"),
        switch=_rule(r"^wizard\.account\.invoice\.pay\.execute$", close="after"),
    ),
    Fault(
        id="cache-without-tenant",
        title="A cache on the way gives a tenant's search results to whoever searches for the same",
        where="front-door",
        cause="environment",
        says={"tenant-isolation": "at their own tenant: search of project"},
        switch=FrontDoorFault(
            lambda estate, tenant: Rule(
                cache=tenant, rpc=r"^model\.project\.work\.search_read$", where={"params.0": "RG-"}
            )
        ),
    ),
    Fault(
        id="session-lent",
        title="A gateway repeats what was refused for want of a session in the name of its own user",
        where="front-door",
        cause="identity",
        says=dict.fromkeys(("tenant-isolation", "tenant-disclosure"), "at the address of"),
        switch=FrontDoorFault(lambda estate, tenant: _lent(estate, tenant, r"^model\.account\.(invoice|account)\.")),
    ),
    Fault(
        id="reports-open",
        title="Reports are rendered for people who are not signed in",
        where="front-door",
        cause="identity",
        says=dict.fromkeys(("tenant-isolation", "tenant-disclosure"), "report of invoice"),
        switch=FrontDoorFault(lambda estate, tenant: _lent(estate, tenant, r"^report\.")),
    ),
    Fault(
        id="path-crossed",
        title="A tenant's address lets through paths that lead to other tenants",
        where="front-door",
        cause="configuration",
        says={"tenant-disclosure": "a tenant is answered for like a name that nobody has"},
        switch=FrontDoorFault(lambda estate, tenant: Rule(tenant=tenant, path=f"^/(?!{tenant}/)[^/]+/", crossing=True)),
    ),
    Fault(
        id="databases-listed",
        title="Anybody is told the names of all databases",
        where="front-door",
        cause="configuration",
        says={"tenant-disclosure": "which databases there are: expected nothing"},
        switch=FrontDoorFault(
            lambda estate, tenant: Rule(tenant=tenant, rpc=r"^common\.db\.list$", answer=sorted(estate.record.tenants))
        ),
    ),
    Fault(
        id="error-names-tenants",
        title="The answer to a wrong address names the tenants that there are",
        where="front-door",
        cause="configuration",
        says={"tenant-disclosure": "strangers are not told who else is a tenant"},
        switch=FrontDoorFault(
            lambda estate, tenant: Rule(
                tenant=tenant,
                method="POST",
                path=f"^/(?!{tenant}/|rpc/)[^/]+/",
                status=404,
                text=f"No such tenant. There are: {', '.join(sorted(estate.record.tenants))}.",
            )
        ),
    ),
)
