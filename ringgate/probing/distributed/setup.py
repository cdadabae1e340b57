"""Puts a worker together: a prober whose ticks come from its region's queue, and whose locks and journal are shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ringgate.domain.model import Scenario
from ringgate.domain.terms import Source
from ringgate.execution import setup
from ringgate.execution.paces import TimeLimits
from ringgate.execution.run_once import Engine
from ringgate.host import paths
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory
from ringgate.probing.distributed.dispatcher import Dispatcher
from ringgate.probing.distributed.feed import RegionFeed
from ringgate.probing.distributed.health import WorkerFigures, serving
from ringgate.probing.distributed.jobs import Wanted, putting
from ringgate.probing.plan import Probe
from ringgate.probing.prober import Prober, Terms
from ringgate.probing.setup import InventoryFollower, ProbeSelection, neighbours
from ringgate.probing.worker_pool import RunObserver
from ringgate.shared.database import SharedDatabase, SharedMember
from ringgate.shared.journal import SharedJournal
from ringgate.shared.run_locks import SharedRunLocks
from ringgate.store import Store

AHEAD = 2
"""Jobs that a worker holds for each thread: one runs, one is ready."""


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """Where a worker works: the URL of the database that its region shares, and where its health is told (port 0: any
    that is free; None: nowhere). `per_host`: sessions on one ERP server at once, of all workers; 0 for no cap."""

    region: str
    shared: str
    per_host: int = 0
    health: tuple[str, int] | None = None


@contextmanager
def assembled(
    inventory: Inventory,
    probes: Sequence[Probe],
    wanted: ProbeSelection,
    terms: Terms,
    watcher: RunObserver,
    place: WorkerPlace,
    *,
    scenarios: Mapping[str, Scenario],
    results: str,
) -> Iterator[Prober]:
    """A worker that is ready to run. Raises StoreError, SharedError, or OSError where its port is taken."""
    store, database = Store(results), SharedDatabase(place.shared)
    member = SharedMember(database)
    session = setup.new_session()
    engine = Engine(
        drivers={},
        journal=SharedJournal(member),
        run_locks=SharedRunLocks(
            member, paths.locks(), patience=0, in_all=inventory.sessions, per_host=place.per_host
        ),
        evidence=paths.reports() / "evidence",
        redact=redact,
        session=session,
        source=Source.PROBE,
        neighbours=neighbours(inventory, wanted),
        time_limits=TimeLimits(partial(setup.history, store)),
    )  # fmt: skip
    app = putting(place.shared)

    def remark(sentence: str) -> None:
        watcher.remark(sentence or "the database that machines share can be used again", "yellow" if sentence else "")

    def ran(wanted: Wanted, since: datetime) -> bool:
        found = store.results(since=since, sources=[Source.PROBE], steps=False)
        return any((each.tenant, each.scenario, each.channel) == wanted.key for each in found)

    def lost(reason: str) -> None:
        watcher.remark(f"{reason}: it ends what it runs", "bold red")
        prober.course.whole = False
        prober.stop()
        prober.stop()

    feed = RegionFeed(
        member, lambda tell: Dispatcher(member, app, place.region, tell, remark), place.region,
        {channel: AHEAD * number for channel, number in terms.workers.items()}, ran, lost, remark,
    )  # fmt: skip
    health = None
    try:
        prober = Prober(
            probes, engine, store, replace(terms, covers=f"worker {session} of region {place.region}"), watcher,
            spool=paths.spool(), replan=InventoryFollower(inventory.path, wanted, scenarios), feed=feed,
        )  # fmt: skip
        if place.health is not None:
            figures = WorkerFigures(member, place.region, lambda: feed.works, lambda: feed.leads)
            health = serving(*place.health, figures)
        yield prober
    finally:
        if health is not None:
            health.shutdown()
        member.close()
        database.close()
        store.close()
