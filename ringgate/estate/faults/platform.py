"""Faults of what any ERP runs on: its server, its database, its certificate, and the way to it."""

from __future__ import annotations

from typing import Any

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.noticing import ALL, WITHIN
from ringgate.estate.faults.operations import ClosedDatabase, StoppedServers
from ringgate.estate.faults.switches import FrontDoorFault
from ringgate.estate.frontdoor import NetworkFault as Rule


def _tenant(**what: Any) -> FrontDoorFault:
    return FrontDoorFault(lambda _estate, tenant: Rule(tenant=tenant, **what))


def _burst(percent: int) -> Fault:
    return Fault(
        id=f"error-burst-{percent}",
        title=f"Calls are answered with HTTP 502, {percent} of 100",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(ALL, "HTTP 502"),
        switch=FrontDoorFault(lambda _estate, _tenant: Rule(method="^POST$", status=502, probability=percent / 100)),
        scope="estate",
        chance=percent / 100,
    )


SERVING = (
    Fault(
        id="outage",
        title="The ERP's server is stopped",
        where="process",
        cause="environment",
        says=dict.fromkeys(ALL, "HTTP 502"),
        switch=StoppedServers(),
        scope="estate",
    ),
    *map(_burst, (1, 5, 20)),
    Fault(
        id="tenant-down",
        title="The tenant's database lets nobody in",
        where="database",
        cause="environment",
        says=dict.fromkeys(ALL, "did not answer in time"),
        switch=ClosedDatabase(),
        times_out=True,
    ),
    Fault(
        id="throttled",
        title="Every call is answered with HTTP 429: too many requests",
        where="front-door",
        cause="our side",
        says=dict.fromkeys(ALL, "we ask too often"),
        switch=_tenant(rpc=".", status=429),
        sign="broken",
    ),
)

CERTIFICATES = (
    Fault(
        id="certificate-expired",
        title="The certificate of the tenant's address has expired",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(ALL, "certificate"),
        switch=_tenant(certificate="expired"),
        secure=True,
    ),
    Fault(
        id="certificate-of-another",
        title="The tenant's address shows the certificate of another name",
        where="front-door",
        cause="our side",
        says=dict.fromkeys(WITHIN, "does not fit its name"),
        switch=_tenant(certificate="of-another"),
        sign="broken",
        secure=True,
    ),
)

PLATFORM = (*SERVING, *CERTIFICATES)
