"""How old the last result of each probe may be now, by the inventory's own schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ringgate.domain.model import Scenario
from ringgate.inventory import Inventory
from ringgate.metrics.figures import Key
from ringgate.probing.plan import Probe, plan
from ringgate.web.board import LiveState

TURNS = 3
"""A result is old when so many intervals have passed, and the time that a run may take."""

KEPT = timedelta(minutes=1)


class Schedule:
    """Answers for a moment, for metrics and page alike, by the inventory that the board goes by. Where no prober was
    ever seen nothing is scheduled: only suites run there, when somebody starts them."""

    def __init__(self, board: LiveState, scenarios: Iterable[Scenario]) -> None:
        self._board, self._scenarios = board, tuple(scenarios)
        self._probes: tuple[Probe, ...] = ()
        self._made_from: Inventory | None = None
        self._at: datetime | None = None
        self._known: Mapping[Key, timedelta] = {}

    def __call__(self, now: datetime) -> Mapping[Key, timedelta] | None:
        with self._board.follower.reading() as (_, around, _at):
            probed = bool(around.probers)
        if not probed or not self._scenarios:
            return None
        inventory = self._board.inventory
        if inventory is not self._made_from:
            probes = [each for each in plan(inventory.tenants, self._scenarios) if not each.never]
            self._probes, self._made_from, self._at = tuple(probes), inventory, None
        if self._at is None or not timedelta() <= now - self._at < KEPT:
            self._known, self._at = dict(_due(self._probes, now)), now
        return self._known


def _due(probes: Iterable[Probe], now: datetime) -> Iterable[tuple[Key, timedelta]]:
    for probe in probes:
        horizon = probe.every * TURNS + probe.deadline
        # In the first hour of a day nothing is old yet that could not be run at night.
        if not probe.closed(now) and not probe.closed(now - horizon):
            tenant, scenario, channel = probe.key
            yield (tenant, scenario, channel.value), horizon
