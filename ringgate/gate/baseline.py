"""What was before the release: how often runs failed, how long they took, how often each probe ran."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from ringgate.domain.model import RunResult, SignalSample
from ringgate.domain.terms import Invariant, Outcome, Source
from ringgate.gate.observations import (
    EVIDENCE,
    Probe,
    UsualPace,
    concerns,
    failed,
    kind_of,
    known_at,
    probe_of,
    usual_lags,
)
from ringgate.gate.policy import GatePolicy
from ringgate.gate.rates import OutcomeHistory, Rates
from ringgate.gate.signals import Signal
from ringgate.gate.silence import Due
from ringgate.gate.waivers import Waivers

Signature = tuple[str, str, str, str]
"""What failures have in common that are of one group: scenario, step, kind, basis ("" if it has none)."""


def signature_of(result: RunResult) -> Signature:
    failure = result.failure
    if failure is None:
        return result.scenario, "", "", ""
    return result.scenario, failure.step, failure.kind, failure.basis.value if failure.basis else ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A ring before the release. `runs` are those that passed or failed, `tested` is what they were of; `intervals` are
    the median ones of what a prober ran at least twice (a suite runs when somebody starts it). `groups` counts failures
    by what they have in common, `broken_invariants` the broken ones by tenant. `lags` are the seconds that documents
    may take to arrive, by the samples' signal."""

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
    lags: Mapping[str, float] = field(default_factory=dict)
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
    tick, samples = policy.tick.total_seconds(), tuple(samples)
    lags = usual_lags(samples, ring, tenants)
    waivers = waivers or Waivers()
    ran = sorted((r for r in results if r.tenant in tenants and r.source in EVIDENCE), key=lambda r: r.started_at)
    good = [r for r in ran if failed(r) is not None and not (failed(r) and waivers.accept(r))]
    pace = UsualPace(good, policy)
    histories = {
        signal: [OutcomeHistory(tick, by_hour=signal.definition.timed) for _ in range(signal.definition.parts(policy))]
        for signal in Signal
        if signal.definition.of_run
    }
    for result in good:
        where = (result.tenant, kind_of(result), known_at(result).timestamp())
        for signal, parts in histories.items():
            of_run = signal.definition.of_run
            said = of_run(result, pace) if of_run else None
            for part, bad in zip(parts, said or (), strict=False):
                part.add(*where, bad)
    wrong = [r for r in good if failed(r)]
    return Baseline(
        runs=len(good),
        failed=len(wrong),
        broken=sum(r.outcome is Outcome.BROKEN for r in ran),
        tenants=frozenset(r.tenant for r in good),
        since=good[0].started_at if good else None,
        until=good[-1].started_at if good else None,
        pace=pace,
        rates={
            **{signal: tuple(part.rates() for part in parts) for signal, parts in histories.items()},
            **of_samples(samples, ring, tenants, policy, lags),
        },
        tested=frozenset(map(probe_of, good)),
        intervals=_intervals(ran),
        lags=lags,
        groups=Counter(signature_of(r) for r in wrong),
        broken_invariants=Counter(
            (r.tenant, r.failure.invariant) for r in wrong if r.failure is not None and r.failure.invariant is not None
        ),
    )


def of_samples(
    samples: Sequence[SignalSample], ring: str, tenants: Collection[str], policy: GatePolicy, lags: Mapping[str, float]
) -> dict[Signal, tuple[Rates, ...]]:
    """How often the samples that concern a ring were bad, for each signal that samples speak to."""
    tick = policy.tick.total_seconds()
    found: dict[Signal, tuple[Rates, ...]] = {}
    for signal in Signal:
        if of_sample := signal.definition.of_sample:
            record = OutcomeHistory(tick)
            for sample in samples:
                if concerns(sample, ring, tenants) and (over := of_sample(sample, lags)) is not None:
                    record.add(sample.tenant, sample.signal, sample.at.timestamp(), over)
            found[signal] = (record.rates(),)
    return found


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
