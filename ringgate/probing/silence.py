"""What the gate holds to be due: what the inventory's own plan says, with its hours, holidays and maintenance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ringgate.domain.model import Scenario
from ringgate.gate import Due
from ringgate.inventory import Inventory
from ringgate.probing.plan import Key, plan


def planned(inventory: Inventory, scenarios: Iterable[Scenario]) -> Due:
    """How often each probe of the inventory is due, and when it may be silent."""
    probes = {probe.key: probe for probe in plan(inventory.tenants, scenarios) if not probe.never}

    def rests(key: Key, since: datetime, until: datetime) -> bool:
        return probes[key].rested(since, until)

    return Due({key: probe.every for key, probe in probes.items()}, rests)
