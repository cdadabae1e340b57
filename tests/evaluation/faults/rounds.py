"""Rounds of runs on an estate of their own: who runs what where, two at a time, and what the store is told of it.

A round stands for two minutes of a bake and takes some seconds: its results are kept under the time that it stands for,
so that an hour of this machine shows days of a ring. Everything else about them is as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.events import Event, RunFinished
from ringgate.domain.model import Deployment, RunResult, Scenario, SignalSample, Tenant
from ringgate.domain.terms import Channel, Layer
from ringgate.drivers.protocol import Call
from ringgate.drivers.registry import Drivers
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.estate import Estate
from ringgate.estate.certificates import authority
from ringgate.estate.faults import repair
from ringgate.estate.postgres import READER
from ringgate.execution.recovery import recover
from ringgate.execution.run_once import Engine, run_once
from ringgate.host import paths
from ringgate.host.run_locks import RunLocks
from ringgate.host.secrets import redact
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios
from ringgate.store import Store

ESTATE, RING, TENANTS = "faults", "fleet", 4
STEP = timedelta(minutes=2)
"""What a round stands for."""
WORKERS = 2
SHORT_TIMEOUT = 6.0
"""Seconds that is waited for an answer where slowness is the fault."""
BACKLOG = 3
"""Tasks that may wait in an ERP's queue, and sessions for a lock, when a round is over."""
SIGNALS = {
    "queue": ("SELECT count(*) FROM ir_queue WHERE finished_at IS NULL", "tasks"),
    "locks": ("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "sessions"),
}

Books = tuple[dict[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a round."""

    scenario: str
    tenant: str
    channel: Channel = Channel.API


@dataclass(slots=True)
class Clock:
    """The time that rounds stand for; a day behind, so that it never comes to be in the future."""

    now: datetime

    def advance(self) -> None:
        self.now += STEP


class Kept:
    """Tells a store of results under the time that they stand for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def on(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self._store.on(RunFinished(replace(event.result, started_at=self._clock.now)))


class Bench:
    """The estate, its tenants as one ring, and what is needed to run on them."""

    def __init__(self, folder: Path, name: str = ESTATE, tenants: int = TENANTS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["RINGGATE_STATE"] = str(folder / "state")
        self.folder, self.estate = folder, Estate.at(name)
        self._repair()
        self.estate.up(tenants=tenants)
        os.environ["SSL_CERT_FILE"] = str(authority(self.estate))
        found = Inventory.load(self.estate.inventory_path)
        tenants = tuple(replace(tenant, ring=RING) for tenant in found.tenants)
        self.inventory = replace(found, tenants=tenants, rings=(RING,))
        self.tenants: Mapping[str, Tenant] = {tenant.id: tenant for tenant in tenants}
        self.scenarios: Mapping[str, Scenario] = load_scenarios(Path("scenarios"))
        self.journal, self.run_locks = Journal(paths.journal()), RunLocks(paths.locks())
        self.take_back(self.tenants)

    def _repair(self) -> None:
        """Whatever a start that was killed left on."""
        if self.estate.inventory_path.is_dir():
            self.estate.database.start()
            repair(self.estate)
            for tenant in self.estate.record.tenants:
                repair(self.estate, tenant)

    def of(self, currency: str) -> Tenant:
        return next(t for t in self.tenants.values() if t.policy.currency.code == currency)

    def engine(self, drivers: Mapping[tuple[str, Channel], object], sinks: Sequence[Kept], release: str) -> Engine:
        return Engine(
            drivers=drivers,  # type: ignore[arg-type]
            journal=self.journal,
            run_locks=self.run_locks,
            evidence=self.folder / "evidence",
            sinks=sinks,
            redact=redact,
            release=release,
            neighbours=tuple(self.tenants.values()),
        )

    def books(self, tenant: Tenant) -> Books:
        driver = TrytonApiDriver()
        try:
            books = driver.connect(tenant, Call("books", "0" * 32)).books()
            balance = {account: str(amount) for account, amount in books.trial_balance().items()}
            return balance, books.open_documents()
        finally:
            driver.close()

    def take_back(self, tenants: Iterable[str]) -> list[str]:
        """Takes back what runs left, once the ERP has done whatever it was asked; what could not be, in words."""
        names = frozenset(tenants)
        for name in names:
            self._await_rest(name)
        drivers = Drivers(["tryton"])
        try:
            taken = recover(self.journal, self.tenants, drivers, only=names, settle=0)
            return [f"{each.tenant} {left.verb}: {left.reason}" for each in taken for left in each.left]
        finally:
            drivers.close()

    def _await_rest(self, tenant: str) -> None:
        busy = (
            "SELECT pg_sleep(0.05) FROM pg_stat_activity WHERE datname = %s AND state <> 'idle' AND pid <> %s LIMIT 1"
        )
        with self.estate.sql(tenant) as database:
            while database.execute(busy, [tenant, database.info.backend_pid]).fetchone() is not None:
                pass

    def samples(self, at: datetime) -> Iterator[SignalSample]:
        """What the platform says of itself, read-only; a tenant whose database lets nobody in says nothing."""
        for tenant in self.tenants:
            for signal, (query, unit) in SIGNALS.items():
                try:
                    with self.estate.sql(tenant, user=READER) as database:
                        row = database.execute(query).fetchone()
                except RinggateError:
                    continue
                assert row is not None
                yield SignalSample(at, signal, float(row[0]), unit, RING, tenant, limit=BACKLOG)


class Bake:
    """A release on the ring: the store that its results go to, and the workers that carry its rounds out."""

    def __init__(self, bench: Bench, file: Path, release: str, clock: Clock, *, impatient: bool = False) -> None:
        self.bench, self.release, self.clock = bench, release, clock
        self.store_url = f"sqlite:///{file}"
        self.store = Store(self.store_url)
        self.results: list[RunResult] = []
        self._workers = [
            _RoundWorker(bench, Kept(self.store, clock), release, impatient=impatient) for _ in range(WORKERS)
        ]

    def deploy(self) -> None:
        self.store.deployed(Deployment(self.release[:32], self.clock.now, RING, self.release))

    def round(self, turns: Sequence[Turn], instead: Mapping[str, Tenant] | None = None) -> list[RunResult]:
        """Carries out a round; `instead` gives tenants at other addresses. Then two minutes have passed."""
        tenants = {**self.bench.tenants, **(instead or {})}
        order = list(self.bench.tenants)
        of_worker = [[turn for turn in turns if order.index(turn.tenant) % WORKERS == n] for n in range(WORKERS)]
        pairs = zip(self._workers, of_worker, strict=True)
        futures = [worker.pool.submit(worker.carry_out, mine, tenants) for worker, mine in pairs]
        done = [result for future in futures for result in future.result()]
        self.store.sampled(list(self.bench.samples(self.clock.now)))
        self.clock.advance()
        self.results += done
        return done

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self.store.close()


class _RoundWorker:
    """One thread with drivers of its own: a browser belongs to the thread that started it."""

    def __init__(self, bench: Bench, sink: Kept, release: str, *, impatient: bool) -> None:
        self.pool = ThreadPoolExecutor(1)
        self._bench, self._drivers = bench, Drivers(["tryton"])
        self._impatient = TrytonApiDriver(SHORT_TIMEOUT) if impatient else None
        over_api = {("tryton", Channel.API): self._impatient} if self._impatient else {}
        self._engine = bench.engine({**self._drivers, **over_api}, [sink], release)

    def carry_out(self, turns: Sequence[Turn], tenants: Mapping[str, Tenant]) -> list[RunResult]:
        done = []
        for turn in turns:
            scenario, tenant = self._bench.scenarios[turn.scenario], tenants[turn.tenant]
            engine = self._engine
            if scenario.layer is Layer.ISOLATION:
                neighbour = next(each for each in tenants.values() if each.id != tenant.id)
                engine = replace(engine, neighbours=(tenant, neighbour))  # one neighbour's sessions are many
            done.append(run_once(scenario, tenant, turn.channel, engine))
        return done

    def close(self) -> None:
        self.pool.submit(self._drivers.close).result()
        if self._impatient:
            self._impatient.close()
        self.pool.shutdown()


@contextmanager
def baking(bench: Bench, file: Path, release: str, clock: Clock, *, impatient: bool = False) -> Iterator[Bake]:
    bake = Bake(bench, file, release, clock, impatient=impatient)
    try:
        yield bake
    finally:
        bake.close()


def a_day_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


def after(file: Path) -> datetime:
    """The time that comes after all that a store holds."""
    store = Store(f"sqlite:///{file}")
    try:
        return store.results(newest=1)[0].started_at + STEP
    finally:
        store.close()
