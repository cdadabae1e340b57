"""The front door: one port for each tenant, so that a tenant keeps its address while it moves between servers.

It is a process of its own (`python -m ringgate.estate.frontdoor <folder> <logs> <dialect>`) that reads `routes.json`
and `faults.json` in the estate's run folder and follows every change at once. Here network faults are injected:

    estate.front_door_faults.set([Fault(tenant="aldgate", rpc=r"account\\.invoice\\.post$", status=503)])
"""

from __future__ import annotations

from ringgate.estate.frontdoor.faults import FaultControl, NetworkFault
from ringgate.estate.frontdoor.routes import Route, Routes

__all__ = ["FaultControl", "NetworkFault", "Route", "Routes"]
