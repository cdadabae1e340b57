"""The estate: real ERP servers and tenant databases that stand on this machine for demo, rehearsal and tests.

estate = Estate.at("demo")
estate.up(tenants=4)                    # nothing to do if it stands
with estate.sql("aldgate") as database: ...
estate.front_door_faults.set([Fault(tenant="aldgate", rpc="post", status=503)])
estate.reset("aldgate")                 # fresh books in a second
estate.down()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringgate.estate.errors import EstateError
    from ringgate.estate.estate import Estate
    from ringgate.estate.frontdoor import NetworkFault
    from ringgate.estate.progress import Progress, ProgressDisplay
    from ringgate.estate.record import Report, TenantRow

_PLACES = {
    "ProgressDisplay": "progress",
    "Estate": "estate",
    "EstateError": "errors",
    "NetworkFault": "frontdoor",
    "Progress": "progress",
    "Report": "record",
    "TenantRow": "record",
}
__all__ = ["Estate", "EstateError", "NetworkFault", "Progress", "ProgressDisplay", "Report", "TenantRow"]


def __getattr__(name: str) -> Any:
    # The front door's process is part of this package and must not load the database client and the ERP's drivers.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
