"""What was before the release: how often runs failed, how long they took, how often each probe ran."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from ringgate.domain.model import Invariant, Outcome, RunResult, SignalSample, Source
from ringgate.gate.policy import GatePolicy, Signal
from ringgate.gate.rates import OutcomeHistory, Rates
from ringgate.gate.signals import (
    EVIDENCE,
    Probe,
    UsualPace,
    concerns,
    failed,
    failed_posting,
    kind_of,
    known_at,
    over_limit,
    probe_of,
)
from ringgate.gate.silence import Due
from ringgate.gate.waivers import Waivers

Signature = tuple[str, str, str, str]
"""What failures have in common that are of one group: scenario, step, kind, ground ("" if it has none)."""


def signature_of(result: RunResult) -> Signature:
    failure = result.failure
    if failure is None:
        return result.scenario, "", "", ""
    return result.scenario, failure.step, failure.kind, failure.ground.value if failure.ground else ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A ring before the release. `runs` are those that passed or failed, `tested` is what they were of; `intervals` are
    the median ones of what a prober ran at least twice (a suite runs when somebody starts it). `groups` counts failures
    by what they have in common, `broken_invariants` the broken ones by tenant."""

    runs: int
    failed: int
    broken: int
    tenants: frozenset[str]
    since: datetime | None
    until: datetime | None
    pace: UsualPace
    rates: Mapping[Signal, tuple[Rates, ...]]
    tested: frozenset[Probe] = frozenset()
    intervals: Mapping[Probe, timedelta] = field(default_factory=dict)
    groups: Mapping[Signature, int] = field(default_factory=dict)
    broken_invariants: Mapping[tuple[str, Invariant], int] = field(default_factory=dict)

    @property
    def due(self) -> Due:
        """What is due where nobody says: everything that a prober ran, as often as it did."""
        return Due(dict(self.intervals))


def learn(
    results: Iterable[RunResult],
    samples: Iterable[SignalSample],
    ring: str,
    tenants: Collection[str],
    policy: GatePolicy,
    waivers: Waivers | None = None,
) -> Baseline:
    """The baseline of these tenants. `results` and `samples` are those before the release, in any order."""
    tick = policy.tick.total_seconds()
    waivers = waivers or Waivers()
    ran = sorted((r for r in results if r.tenant in tenants and r.source in EVIDENCE), key=lambda r: r.started_at)
    good = [r for r in ran if failed(r) is not None and not (failed(r) and waivers.accept(r))]
    pace = UsualPace(good, policy)
    failures, posting = OutcomeHistory(tick), OutcomeHistory(tick)
    slow = [OutcomeHistory(tick, by_hour=True) for _ in policy.quantiles]
    for result in good:
        where = (result.tenant, kind_of(result), known_at(result).timestamp())
        failures.add(*where, result.outcome is Outcome.FAILED)
        if (wrong := failed_posting(result)) is not None:
            posting.add(*where, wrong)
        for record, over in zip(slow, pace.slow(result) or (), strict=False):
            record.add(*where, over)
    bad = [r for r in good if failed(r)]
    return Baseline(
        runs=len(good),
        failed=len(bad),
        broken=sum(r.outcome is Outcome.BROKEN for r in ran),
        tenants=frozenset(r.tenant for r in good),
        since=good[0].started_at if good else None,
        until=good[-1].started_at if good else None,
        pace=pace,
        rates={
            Signal.FAILURES: (failures.rates(),),
            Signal.POSTING: (posting.rates(),),
            Signal.SLOWNESS: tuple(record.rates() for record in slow),
            Signal.BACKLOG: (backlog_of(samples, ring, tenants, policy),),
        },
        tested=frozenset(map(probe_of, good)),
        intervals=_intervals(ran),
        groups=Counter(signature_of(r) for r in bad),
        broken_invariants=Counter(
            (r.tenant, r.failure.invariant) for r in bad if r.failure is not None and r.failure.invariant is not None
        ),
    )


def backlog_of(samples: Iterable[SignalSample], ring: str, tenants: Collection[str], policy: GatePolicy) -> Rates:
    """How often the samples that concern a ring were over their limit."""
    record = OutcomeHistory(policy.tick.total_seconds())
    for sample in samples:
        if concerns(sample, ring, tenants) and (over := over_limit(sample)) is not None:
            record.add(sample.tenant, sample.signal, sample.at.timestamp(), over)
    return record.rates()


def _intervals(ran: Sequence[RunResult]) -> dict[Probe, timedelta]:
    times: dict[Probe, list[datetime]] = defaultdict(list)
    for result in ran:
        if result.source is Source.PROBE and result.outcome is not Outcome.SKIPPED:
            times[probe_of(result)].append(result.started_at)
    return {
        probe: timedelta(seconds=median((b - a).total_seconds() for a, b in pairwise(at)))
        for probe, at in times.items()
        if len(at) > 1 and at[-1] > at[0]
    }
