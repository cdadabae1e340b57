"""Ways to break a running ERP, for one tenant at a time, and to mend it again without a trace.

fault = FAULTS["wrong-tax"]
fault.on(estate, "aldgate")
...                               # every scenario in fault.catches fails, for the reason in fault.says
fault.off(estate, "aldgate")      # from any process
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ringgate.estate.faults.doors import DOORS
from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.settings import SETTINGS
from ringgate.estate.faults.switches import standing
from ringgate.estate.faults.triggers import TRIGGERS

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate

FAULTS: Mapping[str, Fault] = {fault.id: fault for fault in (*SETTINGS, *TRIGGERS, *DOORS)}

__all__ = ["FAULTS", "Fault", "mend", "standing"]


def mend(estate: Estate, tenant: str) -> None:
    """Switches off whatever is on for a tenant, whoever left it on. Raises EstateTrouble."""
    at_the_door = [fault for fault in FAULTS.values() if fault.where == "front-door"]
    for fault in FAULTS.values() if standing(estate, tenant) else at_the_door:
        fault.off(estate, tenant)
