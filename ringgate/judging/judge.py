"""Asks the store what a gate must know, and the gate what it comes to. The same for a command and for a server.

judge = Judge(lambda: Store(url), inventory, policy)
judge.verdict("canary", "8.0.3")        # reads everything: the baseline, and what came since the deployment
judge.verdict("canary", "8.0.3")        # reads what came since, in milliseconds
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringgate.domain.columns import ResultColumns
from ringgate.domain.errors import RinggateError
from ringgate.domain.labels import labels_of, microseconds, moment_of
from ringgate.domain.model import Deployment, RunResult, SignalSample, Tenant
from ringgate.domain.terms import Outcome
from ringgate.gate import Due, Facts, GatePolicy, Verdict, reasons, state_of
from ringgate.gate.bake import KEPT
from ringgate.gate.columnar import ColumnarBake, learn_columns
from ringgate.gate.observations import EVIDENCE
from ringgate.gate.waivers import Waivers
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory, pause_of
from ringgate.judging.bakes import Reach, reach_of
from ringgate.judging.servers import Said, Servers, against, said_in
from ringgate.store import LATE, Store

OVERLAP = timedelta(minutes=10)
"""How far back the store is asked again after the first reading: clocks of those who write may be behind ours."""

MOST = 200_000
"""Runs of a baseline: the newest ones. More would tell nothing new."""

BAD = frozenset({Outcome.FAILED, Outcome.BROKEN})
"""Runs that are told about one by one."""


@dataclass
class _Followed:
    """A bake that is kept, what it was made from, and how far it has read: `blocks` are those that are known of the
    store, `told` the run ids of those that did not pass; `servers` says whose runs are no evidence, and `read` are all
    results of the first look while it is the only one."""

    bake: ColumnarBake
    made_from: object
    after: datetime
    blocks: Collection[int]
    told: set[str]
    servers: Servers
    read: ResultColumns | None
    sampled: datetime | None = None


class Judge:
    """Verdicts on releases, from one store under one policy. Not safe for threads.

    `open_store` is called when the store is first needed, and again after it could not be read. `due` says what is
    due how often where a prober was ever seen; without it, what one ran before the release, as often as it ran. Where
    only suites run, when somebody starts them, nothing is due. With `tenant` a verdict is on that tenant of the ring
    alone: neither the results of the others nor their deployments count."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        inventory: Inventory,
        policy: GatePolicy,
        *,
        due: Due | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tenant: str = "",
    ) -> None:
        self._tenant = tenant
        self._open, self._inventory, self._policy, self._due, self._clock = open_store, inventory, policy, due, clock
        self._store: Store | None = None
        self._followed: dict[tuple[str, str], _Followed] = {}
        self._said: dict[tuple[str, str], tuple[int, frozenset[Said]]] = {}

    def verdict(self, ring: str, release: str) -> Verdict:
        """What is decided now. Never raises for what the store holds or lacks: then it is inconclusive, and says so.

        Raises SelectionError for a ring that the inventory does not have, or that does not have the tenant."""
        tenants = self._inventory.select(rings=[ring], tenants=[self._tenant] if self._tenant else ())
        now = self._clock()
        try:
            return self._bake(ring, release, tenants, now).verdict(now)
        except Exception as error:  # whatever it is, it must not look like a verdict
            self._followed.pop((ring, release), None)
            self.close()
            return self._unreadable(ring, release, tenants, now, error)

    def read(self, ring: str, release: str) -> ResultColumns | None:
        """All results that the verdict was made from, where one look has read them all; else None."""
        followed = self._followed.get((ring, release))
        return followed.read if followed else None

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

    def _bake(self, ring: str, release: str, tenants: tuple[Tenant, ...], now: datetime) -> ColumnarBake:
        store = self._store = self._store or self._open()
        deployments = self._deployments(store, ring)
        followed = self._followed.get((ring, release))
        said = self._servers(store, ring, release)
        made_from = (tuple(deployments), now.date(), bool(store.probers()), said)
        if followed is None or followed.made_from != made_from or followed.bake.started is None:
            servers = against(said, release, deployments)
            followed = self._begin(store, ring, release, tenants, now, made_from, servers)
            self._followed[ring, release] = followed
        else:
            self._follow(store, followed)
        self._take_samples(store, followed)
        return followed.bake

    def _begin(
        self, store: Store, ring: str, release: str, tenants: tuple[Tenant, ...], now: datetime,
        made_from: object, servers: Servers,
    ) -> _Followed:  # fmt: skip
        """Reads everything there is."""
        deployments = self._deployments(store, ring)
        asked = now - OVERLAP
        since = min((each.at for each in deployments if each.release == release), default=None)
        read, blocks = store.blocks(ring=ring, release=release, since=since)
        columns = self._own(_evidence(read, servers)).in_order()
        first = moment_of(columns.records["started"][0]) if len(columns) else None
        reach = servers.narrowed(reach_of(release, ring, tenants, deployments, first), release)
        bake = self._made(store, ring, release, tenants, reach, now)
        detailed = told_about(store, columns, ring, release, since, Waivers(self._policy.waivers, release, now.date()))
        detailed = [each for each in detailed if servers.evidence(labels_of(each)) and self._is_own(each.tenant)]
        bake.add_columns(columns, detailed)
        horizon = microseconds(asked - LATE)
        known = {block for block, at in blocks.items() if at >= horizon}
        return _Followed(bake, made_from, asked, known, {each.run_id for each in detailed}, servers, read)

    def _made(
        self, store: Store, ring: str, release: str, tenants: tuple[Tenant, ...], reach: Reach, now: datetime
    ) -> ColumnarBake:
        before: ResultColumns = ResultColumns()
        samples: list[SignalSample] = []
        if started := min(reach.starts.values(), default=None):
            since = started - self._policy.window
            found = store.columns(ring=ring, since=since, until=started).where(lambda each: each.source in EVIDENCE)
            before = self._own(found).newest(MOST).where(lambda each: each.release != release)
            if self._policy.reads_samples:
                samples = [
                    each for each in store.samples(since=since) if each.at < started and self._is_own(each.tenant)
                ]
        ids = [tenant.id for tenant in tenants]
        waivers = Waivers(self._policy.waivers, release, now.date())
        baseline = learn_columns(before, samples, ring, ids, self._policy, waivers)
        later = self._inventory.rings[self._inventory.rings.index(ring) + 1 :] if ring in self._inventory.rings else ()
        bake = ColumnarBake(
            ring, release, tenants, [each for each in self._inventory.tenants if each.ring in later],
            starts=reach.starts, baseline=baseline, policy=self._policy, now=now,
            due=self._planned(store, ids), never=self._due.inapplicable if self._due else None,
            remarks=(*reach.remarks, *_pauses(tenants, now)),
        )  # fmt: skip
        bake.superseded = reach.superseded
        return bake

    def _is_own(self, tenant: str) -> bool:
        """What is of no tenant, such as a shared server's latency, is everybody's."""
        return not self._tenant or tenant in ("", self._tenant)

    def _own(self, columns: ResultColumns) -> ResultColumns:
        return columns.where(lambda labels: labels.tenant == self._tenant) if self._tenant else columns

    def _deployments(self, store: Store, ring: str) -> list[Deployment]:
        found = store.deployments(ring=ring)
        return [each for each in found if not self._tenant or not each.tenants or self._tenant in each.tenants]

    def _planned(self, store: Store, tenants: list[str]) -> Due | None:
        """The plan, if there is one for these tenants and somebody to carry it out."""
        if self._due is None or not store.probers() or not any(probe[0] in tenants for probe in self._due.every):
            return None
        return self._due

    def _follow(self, store: Store, followed: _Followed) -> None:
        """Reads what was recorded since. What is known cannot come again once a later question no longer covers it."""
        bake, followed.read = followed.bake, None
        ring, release, after = bake.name, bake.release, followed.after
        columns, blocks = store.blocks(ring=ring, release=release, recorded=after, known=followed.blocks)
        columns = self._own(_evidence(columns, followed.servers)).in_order()
        detailed: list[RunResult] = []
        if any(columns.shapes[key].outcome in BAD for key in columns.keys("shape")):
            found = store.results(ring=ring, release=release, outcomes=BAD, recorded=after)
            new = [each for each in found if each.run_id not in followed.told]
            detailed = [
                each for each in new if followed.servers.evidence(labels_of(each)) and self._is_own(each.tenant)
            ]
        bake.add_columns(columns, detailed)
        followed.told.update(each.run_id for each in detailed)
        followed.blocks = blocks.keys()
        followed.after = max([followed.after, *map(moment_of, blocks.values())])

    def _servers(self, store: Store, ring: str, release: str) -> frozenset[Said]:
        """What the ring's servers said in the runs of the release; looked through only where there is something new."""
        labels = store.labels()
        number, said = self._said.get((ring, release), (-1, frozenset()))
        if number != len(labels):
            said = said_in(labels.values(), ring, release)
            self._said[ring, release] = len(labels), said
        return said

    def _take_samples(self, store: Store, followed: _Followed) -> None:
        started = followed.bake.started
        if started is None or not followed.bake.takes_samples:
            return
        since = followed.sampled + timedelta(microseconds=1) if followed.sampled else started
        for sample in store.samples(since=since):
            if self._is_own(sample.tenant):
                followed.bake.sample(sample)
            followed.sampled = max(followed.sampled or sample.at, sample.at)


def _evidence(columns: ResultColumns, servers: Servers) -> ResultColumns:
    return columns.where(servers.evidence) if servers.wrong else columns


def told_about(
    store: Store, columns: ResultColumns, ring: str, release: str, since: datetime | None, waivers: Waivers
) -> list[RunResult]:
    """Of these runs those that a bake tells about, oldest first: the last failed and broken ones, and the first that
    broke an invariant. The others are only counted."""
    bad = [key for key in columns.keys("shape") if columns.shapes[key].outcome in BAD]
    if not bad:
        return []

    def read(shapes: Iterable[int], *, newest: int | None = None, oldest: int | None = None) -> list[RunResult]:
        return store.results(
            ring=ring,
            release=release,
            since=since,
            sources=EVIDENCE,
            outcomes=BAD,
            shapes=shapes,
            newest=newest,
            oldest=oldest,
            steps=False,
        )

    failed = [key for key in bad if columns.shapes[key].outcome is Outcome.FAILED]
    broken = set(bad) - set(failed)
    breaking = [key for key in failed if (failure := columns.shapes[key].failure) and failure.invariant]
    found: dict[str, RunResult] = {}
    most = KEPT
    while failed:  # of those that a waiver accepts nothing is told
        last = read(failed, newest=most)
        if len(last) < most or sum(not waivers.accept(each, 0) for each in last) >= KEPT:
            found = {each.run_id: each for each in last}
            break
        most *= 4
    for each in [*(read(broken, newest=KEPT) if broken else ()), *(read(breaking, oldest=KEPT) if breaking else ())]:
        found[each.run_id] = each
    return sorted(found.values(), key=lambda each: (each.started_at, each.run_id))


def _pauses(tenants: tuple[Tenant, ...], now: datetime) -> list[str]:
    return [
        f"{tenant.id} is {pause}. Only a waiver of untested lets it go without a run."
        for tenant in tenants
        if (pause := pause_of(tenant, now))
    ]
