"""Every fault of an estate of Tryton, by its id."""

from __future__ import annotations

from collections.abc import Mapping

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.platform import PLATFORM as SHARED
from ringgate.estate.tryton.faults.network import NETWORK
from ringgate.estate.tryton.faults.platform import PLATFORM
from ringgate.estate.tryton.faults.processes import PROCESSES
from ringgate.estate.tryton.faults.screens import SCREENS
from ringgate.estate.tryton.faults.settings import SETTINGS
from ringgate.estate.tryton.faults.triggers import TRIGGERS

OWN_FAULTS = (*SETTINGS, *TRIGGERS, *NETWORK, *PLATFORM, *SCREENS, *PROCESSES)

FAULTS: Mapping[str, Fault] = {fault.id: fault for fault in (*OWN_FAULTS, *SHARED)}

__all__ = ["FAULTS", "OWN_FAULTS"]
