"""Puts a prober together from this machine's folders: what is asked for -> what is probed, by whom, with what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Scenario, Tenant
from ringgate.domain.terms import Channel, Source
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.execution import setup
from ringgate.execution.paces import TimeLimits
from ringgate.execution.run_once import Engine
from ringgate.execution.twins import Twins
from ringgate.host import paths
from ringgate.host.run_locks import RunLocks
from ringgate.host.secrets import redact
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory, SelectionError
from ringgate.inventory.residency import resides
from ringgate.probing.calendars import unknown_holidays
from ringgate.probing.plan import Probe, plan, unknown_scenarios
from ringgate.probing.prober import Prober, Replanned, Terms
from ringgate.probing.worker_pool import RunObserver
from ringgate.scenario.discovery import check_known
from ringgate.store import Store


@dataclass(frozen=True, slots=True)
class ProbeSelection:
    """What a prober is asked for; everything where nothing is said. `share` is (which, of how many processes)."""

    tenants: Collection[str] = ()
    cohorts: Collection[str] = ()
    rings: Collection[str] = ()
    regions: Collection[str] = ()
    scenarios: Collection[str] = ()
    channels: Collection[Channel] = ()
    residencies: Collection[str] = ()
    share: tuple[int, int] = (0, 1)

    @property
    def words(self) -> str:
        """The same words for the same wish."""
        kinds = (self.tenants, self.cohorts, self.rings, self.regions, self.scenarios, self.channels, self.residencies)
        return " ".join([*("+".join(sorted(each)) or "-" for each in kinds), f"{self.share[0]}/{self.share[1]}"])


class PlanMistake(RinggateError):
    """The inventory's plan cannot be carried out; the text lists every reason, one to a line."""


def chosen(inventory: Inventory, wanted: ProbeSelection, known: Mapping[str, Scenario]) -> tuple[Probe, ...]:
    """The probes that are asked for, those that are never run too.

    Raises SelectionError, CatalogueError, or PlanMistake with all reasons."""
    tenants = _residing(
        inventory, inventory.select(wanted.tenants, wanted.cohorts, wanted.rings, wanted.regions), wanted
    )
    check_known(wanted.scenarios, [name for name, each in known.items() if not isinstance(each, TwoPhaseScenario)])
    if wrong := [*unknown_scenarios(inventory.tenants, known), *unknown_holidays(inventory.tenants)]:
        raise PlanMistake("\n".join(wrong))
    which, shares = wanted.share
    picked: Sequence[Scenario] = [
        each for name, each in known.items() if not wanted.scenarios or name in wanted.scenarios
    ]
    return tuple(
        probe
        for probe in plan(tenants, picked, neighbours=neighbours(inventory, wanted))
        if (not wanted.channels or probe.channel in wanted.channels) and probe.home % shares == which
    )


def neighbours(inventory: Inventory, wanted: ProbeSelection) -> tuple[Tenant, ...]:
    """All tenants that a prober of these residencies may call: their users' sessions may be tried on others."""
    return tuple(each for each in inventory.tenants if resides(each, wanted.residencies))


def _residing(inventory: Inventory, tenants: Sequence[Tenant], wanted: ProbeSelection) -> tuple[Tenant, ...]:
    there = {tenant.residency for tenant in inventory.tenants}
    if unknown := sorted(set(wanted.residencies) - there - {"any"}):
        raise SelectionError(
            f'{inventory.path}: no tenant has the residency "{unknown[0]}"; there is {", ".join(sorted(there))}'
        )
    if found := tuple(each for each in tenants if resides(each, wanted.residencies)):
        return found
    raise SelectionError(f"{inventory.path}: none of these tenants has the residency {' or '.join(wanted.residencies)}")


def workers(inventory: Inventory, probes: Sequence[Probe], api: int | None, browsers: int) -> dict[Channel, int]:
    """How many run side by side over each channel: no more than the inventory allows in all."""
    due = {probe.channel for probe in probes if not probe.never}
    windows = min(browsers, max(inventory.sessions - 1, 1)) if Channel.BROWSER in due else 0
    others = min(api or inventory.sessions, max(inventory.sessions - windows, 1)) if Channel.API in due else 0
    return {channel: number for channel, number in ((Channel.API, others), (Channel.BROWSER, windows)) if number}


class InventoryFollower:
    """Looks whether an inventory's files have changed, and plans anew if they have."""

    def __init__(self, path: Path, wanted: ProbeSelection, scenarios: Mapping[str, Scenario]) -> None:
        self._path, self._wanted, self._scenarios = path, wanted, scenarios
        self._seen = self._signature()

    def __call__(self) -> Replanned | None:
        """None if nothing has changed since the last call. Raises what `Inventory.load` and `chosen` do."""
        now = self._signature()
        if now == self._seen:
            return None
        self._seen = now
        inventory = Inventory.load(self._path, residency=self._wanted.residencies)
        return Replanned(chosen(inventory, self._wanted, self._scenarios), neighbours(inventory, self._wanted))

    def _signature(self) -> frozenset[tuple[str, int, int]]:
        found = set()
        for path in self._path.rglob("*.toml"):
            try:
                told = path.stat()
            except FileNotFoundError:  # somebody is writing it anew just now
                continue
            found.add((str(path), told.st_mtime_ns, told.st_size))
        return frozenset(found)


@contextmanager
def assembled(
    inventory: Inventory,
    probes: Sequence[Probe],
    wanted: ProbeSelection,
    terms: Terms,
    watcher: RunObserver,
    *,
    scenarios: Mapping[str, Scenario],
    results: str | None = None,
    twins: Twins | None = None,
) -> Iterator[Prober]:
    """A prober that is ready to run. Raises StoreTrouble, or ValueError for a journal that is none."""
    store = Store(setup.results_url(results))
    engine = Engine(
        drivers={},
        journal=Journal(paths.journal()),
        run_locks=RunLocks(paths.locks(), patience=0),
        evidence=paths.reports() / "evidence",
        redact=redact,
        session=setup.new_session(),
        source=Source.PROBE,
        neighbours=neighbours(inventory, wanted),
        time_limits=TimeLimits(partial(setup.history, store)),
        twins=twins,
    )
    try:
        yield Prober(
            probes, engine, store, terms, watcher,
            spool=paths.spool(), replan=InventoryFollower(inventory.path, wanted, scenarios),
        )  # fmt: skip
    finally:
        store.close()
