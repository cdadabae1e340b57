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
    every = plan(inventory.tenants, scenarios)
    probes = {probe.key: probe for probe in every if not probe.never}
    run = {key[:2] for key in probes}
    never: dict[tuple[str, str], str] = {}
    for probe in every:
        if probe.key[:2] not in run:
            never.setdefault(probe.key[:2], probe.never)  # of the first channel, which is the one for programs

    def rests(key: Key, since: datetime, until: datetime) -> bool:
        return probes[key].rested(since, until)

    always = frozenset(key for key, probe in probes.items() if probe.always)
    return Due({key: probe.every for key, probe in probes.items()}, rests, never, always)
