"""Asks the store what a gate must know, and the gate what it comes to. The same for a command and for a server.

judge = Judge(lambda: Store(url), inventory, policy)
judge.verdict("canary", "8.0.3")        # reads everything: the baseline, and what came since the deployment
judge.verdict("canary", "8.0.3")        # reads what came since, in milliseconds
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import RunResult, SignalSample, Tenant
from ringgate.gate import Bake, Due, Facts, GatePolicy, Signal, Verdict, learn, reasons, state_of
from ringgate.gate.policy import Waivers
from ringgate.gate.signals import EVIDENCE
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory, pause_of
from ringgate.judging.bakes import Reach, reach_of
from ringgate.store import Store

OVERLAP = timedelta(minutes=10)
"""How far back the store is asked again after the first reading: clocks of those who write may be behind ours."""

MOST = 200_000
"""Runs of a baseline: the newest ones. More would tell nothing new, and take minutes to read."""


@dataclass
class _Followed:
    """A bake that is kept, what it was made from, and how far it has read."""

    bake: Bake
    made_from: object
    after: datetime
    known: frozenset[str]
    sampled: datetime | None = None


class Judge:
    """Verdicts on releases, from one store under one policy. Not safe for threads.

    `open_store` is called when the store is first needed, and again after it could not be read. `due` says what is
    due how often where a prober was ever seen; without it, what one ran before the release, as often as it ran. Where
    only suites run, when somebody starts them, nothing is due."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        inventory: Inventory,
        policy: GatePolicy,
        *,
        due: Due | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._open, self._inventory, self._policy, self._due, self._clock = open_store, inventory, policy, due, clock
        self._store: Store | None = None
        self._followed: dict[tuple[str, str], _Followed] = {}

    def verdict(self, ring: str, release: str) -> Verdict:
        """What is decided now. Never raises for what the store holds or lacks: then it is inconclusive, and says so.

        Raises SelectionError for a ring that the inventory does not have."""
        tenants = self._inventory.select(rings=[ring])
        now = self._clock()
        try:
            return self._bake(ring, release, tenants, now).verdict(now)
        except Exception as error:  # whatever it is, it must not look like a verdict
            self._followed.pop((ring, release), None)
            self.close()
            return self._unreadable(ring, release, tenants, now, error)

    def close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _unreadable(
        self, ring: str, release: str, tenants: tuple[Tenant, ...], now: datetime, error: Exception
    ) -> Verdict:
        said = str(error) if isinstance(error, RinggateError) else f"{type(error).__name__}: {error}"
        facts = Facts(
            now=now, ring=ring, release=release, policy=self._policy, expected=[tenant.id for tenant in tenants],
            unreadable=redact(said.rstrip(".")),
        )  # fmt: skip
        found = reasons(facts)
        return Verdict(facts=facts, state=state_of(found), reasons=found)

    def _bake(self, ring: str, release: str, tenants: tuple[Tenant, ...], now: datetime) -> Bake:
        store = self._store = self._store or self._open()
        deployments = store.deployments(ring=ring)
        followed = self._followed.get((ring, release))
        made_from = (tuple(deployments), now.date(), bool(store.probers()))
        if followed is None or followed.made_from != made_from or followed.bake.started is None:
            followed = self._begin(store, ring, release, tenants, now, made_from)
            self._followed[ring, release] = followed
        else:
            self._follow(store, followed)
        self._take_samples(store, followed)
        return followed.bake

    def _begin(
        self, store: Store, ring: str, release: str, tenants: tuple[Tenant, ...], now: datetime,
        made_from: object,
    ) -> _Followed:  # fmt: skip
        """Reads everything there is."""
        deployments = store.deployments(ring=ring)
        asked = now - OVERLAP
        since = min((each.at for each in deployments if each.release == release), default=None)
        results = store.results(ring=ring, release=release, since=since)
        reach = reach_of(release, ring, tenants, deployments, results[0].started_at if results else None)
        bake = self._made(store, ring, release, tenants, reach, now)
        for result in results:
            bake.add(result)
        return _Followed(bake, made_from, asked, frozenset(result.run_id for result in results))

    def _made(
        self, store: Store, ring: str, release: str, tenants: tuple[Tenant, ...], reach: Reach, now: datetime
    ) -> Bake:
        before: list[RunResult] = []
        samples: list[SignalSample] = []
        if started := min(reach.starts.values(), default=None):
            since = started - self._policy.window
            found = store.results(ring=ring, since=since, until=started, sources=EVIDENCE, newest=MOST)
            before = [result for result in found if result.release != release]
            if self._policy.wants(Signal.BACKLOG) is not False:
                samples = [sample for sample in store.samples(since=since) if sample.at < started]
        ids = [tenant.id for tenant in tenants]
        waivers = Waivers(self._policy.in_force(now.date()))
        baseline = learn(before, samples, ring, ids, self._policy, waivers)
        later = self._inventory.rings[self._inventory.rings.index(ring) + 1 :] if ring in self._inventory.rings else ()
        bake = Bake(
            ring, release, tenants, [each for each in self._inventory.tenants if each.ring in later],
            starts=reach.starts, baseline=baseline, policy=self._policy, now=now,
            due=self._planned(store, ids), never=self._due.inapplicable if self._due else None,
            remarks=(*reach.remarks, *_pauses(tenants, now)),
        )  # fmt: skip
        bake.superseded = reach.superseded
        return bake

    def _planned(self, store: Store, tenants: list[str]) -> Due | None:
        """The plan, if there is one for these tenants and somebody to carry it out."""
        if self._due is None or not store.probers() or not any(probe[0] in tenants for probe in self._due.every):
            return None
        return self._due

    def _follow(self, store: Store, followed: _Followed) -> None:
        """Reads what was recorded since. What is known cannot come again once a later question no longer covers it."""
        recorded = store.recorded(followed.after)
        for at, result in recorded:
            followed.after = max(followed.after, at)
            if result.run_id not in followed.known:
                followed.bake.add(result)
        followed.known = frozenset(result.run_id for _, result in recorded)

    def _take_samples(self, store: Store, followed: _Followed) -> None:
        started = followed.bake.started
        if started is None or Signal.BACKLOG not in followed.bake.gauges:
            return
        since = followed.sampled + timedelta(microseconds=1) if followed.sampled else started
        for sample in store.samples(since=since):
            followed.bake.sample(sample)
            followed.sampled = max(followed.sampled or sample.at, sample.at)


def _pauses(tenants: tuple[Tenant, ...], now: datetime) -> list[str]:
    return [
        f"{tenant.id} is {pause}. Only a waiver of untested lets it go without a run."
        for tenant in tenants
        if (pause := pause_of(tenant, now))
    ]
