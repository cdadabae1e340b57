"""Ways to break a running ERP, for one tenant at a time, and to mend it again without a trace.

fault = FAULTS["wrong-tax"]
fault.on(estate, "aldgate")
...                               # every scenario in fault.catches fails, for the reason in fault.says
fault.off(estate, "aldgate")      # from any process
"""

from __future__ import annotations

from collections.abc import Mapping

from ringgate.estate.faults.doors import DOORS
from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.settings import SETTINGS
from ringgate.estate.faults.switches import standing
from ringgate.estate.faults.triggers import TRIGGERS

FAULTS: Mapping[str, Fault] = {fault.id: fault for fault in (*SETTINGS, *TRIGGERS, *DOORS)}

__all__ = ["FAULTS", "Fault", "standing"]
