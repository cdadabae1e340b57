"""A release on a ring, from its deployment to the verdict. Results are added as they come; a verdict is quick.

bake = Bake("canary", "8.0.3", ring, later, starts={"aldgate": deployed_at}, baseline=learn(...), policy=GatePolicy())
for result in store.results(...):
    bake.add(result)
bake.verdict(now)
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ringgate.domain.model import RunResult, SignalSample, Tenant
from ringgate.domain.terms import Outcome, Source
from ringgate.gate.attribution import Group, attribute, grouped
from ringgate.gate.baseline import Baseline, Signature
from ringgate.gate.blast import BlastRadius, blast_radius
from ringgate.gate.bounds import no_more_often
from ringgate.gate.explaining import evidence_of, outlook_of
from ringgate.gate.facts import Breach, Facts, SelfTest, Weighed
from ringgate.gate.gauge import Gauge, Mirror
from ringgate.gate.observations import (
    EVIDENCE,
    Probe,
    concerns,
    failed,
    kind_of,
    known_at,
    pauses_at_most,
    probe_of,
)
from ringgate.gate.policy import GatePolicy
from ringgate.gate.rates import Null
from ringgate.gate.required import NotTested, Process, not_tested
from ringgate.gate.rules import reasons, state_of
from ringgate.gate.signals import Signal
from ringgate.gate.silence import Due, ExpectedResults
from ringgate.gate.verdict import Samples, Verdict
from ringgate.gate.waivers import UNTESTED, Waivers

KEPT = 2000
"""Runs that did not pass which are kept for attribution; all are counted."""

NEW = 0.01
"""What failed before, too, is new if no more than this part of all that is as before would look like it."""

SICK = 10.0
"""A tenant with this evidence of its own is taken as one of those that suffer."""


class Bake:
    """Collects what is known of a release on a ring. Not safe for threads.

    `ring` are all tenants of it, `later` those of the rings after it. `starts` says since when each tenant has the
    release: one that is not in it has not got it. `due` is what is due how often; without it, what a prober ran before.
    `never` says of processes that are not run on a tenant at all, why.
    """

    def __init__(
        self,
        name: str,
        release: str,
        ring: Sequence[Tenant],
        later: Sequence[Tenant],
        *,
        starts: Mapping[str, datetime],
        baseline: Baseline,
        policy: GatePolicy,
        now: datetime,
        due: Due | None = None,
        never: Mapping[Process, str] | None = None,
        remarks: Sequence[str] = (),
    ) -> None:
        self.name, self.release, self.policy, self.baseline = name, release, policy, baseline
        self.starts = dict(starts)
        self.started = min(self.starts.values(), default=None)
        self.superseded = ""
        self._ring, self._later, self._remarks = ring, later, tuple(remarks)
        self._waivers = Waivers(policy.waivers, release, now.date())
        self.expected = tuple(t.id for t in ring if not self._waivers.exempt(UNTESTED, t.id))
        self._expects = frozenset(self.expected)
        self.due = self._due_of(due or baseline.due)
        self._watch = self._make_watch()
        wanted = set(due.every if due else baseline.tested) | set(self.due.every)
        self._wanted = sorted(p for p in wanted if p[0] in self._expects and not self._waivers.exempt(UNTESTED, *p[:2]))
        self.unused: dict[Signal, str] = {}
        self.unknown: dict[Signal, str] = {}
        used = self._signals_in_use()
        self.alpha = policy.alpha / (len(used) + len(self.unknown))
        self.gauges = {signal: self._gauge(signal) for signal in used}
        (failures,) = self._nulls(Signal.FAILURES)
        streak = baseline.rates[Signal.FAILURES][0].streak
        self.mirror = self._make_mirror(failures, streak)
        self.counts: Counter[Outcome] = Counter()
        self.doubtful: Counter[Signal] = Counter()
        self.waived = 0
        self.first: datetime | None = None
        self.newest: dict[str, datetime] = {}
        self.by_tenant: Counter[str] = Counter()
        self._never = never or {}
        self._tested: set[Probe] = set()
        self._passed: set[Process] = set()
        self._skipped: set[Probe] = set()
        self._let_go: set[Process] = set()
        self._rows: dict[Probe, int] = {}
        self._bad: deque[RunResult] = deque(maxlen=KEPT)
        self._broken: deque[RunResult] = deque(maxlen=KEPT)
        self._breaches: list[Breach] = []
        self._self_tests: list[SelfTest] = []

    # --- what it is judged by ------------------------------------------------------------------------------------

    def _due_of(self, due: Due) -> Due:
        least = self.policy.tick
        every = {
            probe: max(interval, least)
            for probe, interval in due.every.items()
            if probe[0] in self._expects and not self._waivers.exempt(Signal.SILENCE.value, *probe[:2])
        }
        return Due(every, due.rests, always=due.always)

    def _signals_in_use(self) -> list[Signal]:
        """Those that alpha is split over, evenly; of the others, why not."""
        used = []
        for signal in Signal:
            wanted = self.policy.wants(signal)
            if wanted is False:
                self.unused[signal] = "switched off by the policy"
            elif self._is_known(signal):
                used.append(signal)
            elif wanted:
                self.unknown[signal] = signal.definition.unknown
            else:
                self.unused[signal] = signal.definition.unknown
        return used

    def _is_known(self, signal: Signal) -> bool:
        """Whether there is anything to compare with."""
        if signal.definition.granted:
            return bool(self.due.every)
        return signal.definition.always or self.baseline.rates[signal][0].all.runs > 0

    def _gauge(self, signal: Signal) -> Gauge:
        blocks = [rates.block for rates in self.baseline.rates.get(signal, ())]
        tenants = [tenant.id for tenant in self._ring]
        return self._make_gauge(self._nulls(signal), tenants, max(blocks, default=1))

    # What does the counting; `columnar` has its own.

    def _make_watch(self) -> ExpectedResults:
        return ExpectedResults(self.due, self.starts)

    def _make_gauge(self, nulls: Sequence[Null], tenants: Sequence[str], block: int) -> Gauge:
        return Gauge(nulls, tenants, self.policy.ticks, block, self.policy.least_failures)

    def _make_mirror(self, null: Null, streak: int) -> Mirror:
        return Mirror(null, self.policy.ticks, streak, self.policy.times, self.policy.least_rate)

    def _nulls(self, signal: Signal) -> tuple[Null, ...]:
        if granted := signal.definition.granted:
            return (Null(granted(self.policy)),)
        return tuple(rates.null(self.alpha / 2) for rates in self.baseline.rates[signal])

    # --- what comes in -------------------------------------------------------------------------------------------

    def add(self, result: RunResult) -> None:
        """Take in one result of the release. What is of no concern to it is passed over."""
        start = self.starts.get(result.tenant)
        if start is None or result.release != self.release or result.started_at < start:
            return
        if result.source is Source.SELF_TEST:
            self._take_self_test(result)
        if result.source not in EVIDENCE:
            return
        at = known_at(result)
        self._watch.came(probe_of(result), at)
        self.counts[result.outcome] += 1
        if result.outcome is Outcome.BROKEN:
            self._broken.append(result)
        elif result.outcome is Outcome.SKIPPED:
            self._skipped.add(probe_of(result))
        wrong = failed(result)
        if wrong is None:
            return
        self.first = min(self.first or at, at)
        self.newest[result.tenant] = max(self.newest.get(result.tenant, at), at)
        self.by_tenant[result.tenant] += 1
        self._tested.add(probe_of(result))
        if not wrong:
            self._passed.add((result.tenant, result.scenario))
        if wrong and self._waivers.accept(result):
            self.waived += 1
            return
        self._rows[probe_of(result)] = self._rows.get(probe_of(result), 0) + 1 if wrong else 0
        if wrong:
            self._bad.append(result)
            self._note_breach(result)
        self._weigh(result, self._tick(at), wrong)

    def sample(self, sample: SignalSample) -> None:
        """Take in one platform signal."""
        if self.started is None or sample.at < self.started or not concerns(sample, self.name, self.starts):
            return
        for signal, gauge in self.gauges.items():
            of_sample = signal.definition.of_sample
            over = of_sample(sample, self.baseline.lags) if of_sample else None
            if over is not None and not self._waivers.exempt(signal.value, sample.tenant):
                gauge.add(self._tick(sample.at), sample.tenant, sample.signal, (over,))

    @property
    def takes_samples(self) -> bool:
        return any(signal.definition.of_sample for signal in self.gauges)

    def _tick(self, at: datetime) -> int:
        assert self.started is not None
        return (at - self.started) // self.policy.tick

    def _weigh(self, result: RunResult, tick: int, wrong: bool) -> None:
        tenant, kind = result.tenant, kind_of(result)
        self.mirror.add(tick, tenant, kind, wrong)
        for signal, gauge in self.gauges.items():
            of_run = signal.definition.of_run
            said = of_run(result, self.baseline.pace) if of_run else None
            if said is not None and not self._exempt(signal, tenant, result.scenario):
                gauge.add(tick, tenant, kind, said)
                self.doubtful[signal] += said[-1] and pauses_at_most(result)

    def _exempt(self, signal: Signal, tenant: str, scenario: str) -> bool:
        """Accepted failures have not come so far: what of them passed counts."""
        return not signal.definition.always and self._waivers.exempt(signal.value, tenant, scenario)

    def _note_breach(self, result: RunResult) -> None:
        if result.failure is not None and (broken := result.failure.invariant) is not None:
            if len(self._breaches) >= KEPT:
                return
            before = self.baseline.broken_invariants.get((result.tenant, broken), 0)
            self._breaches.append(
                Breach(broken, result.tenant, result.scenario, result.run_id, result.failure.message, before)
            )

    def _take_self_test(self, result: RunResult) -> None:
        """Broken or skipped, it was not run. Caught means: it failed, because of what the scenario expects."""
        if (wrong := failed(result)) is not None:
            kind = result.failure.kind if result.failure else ""
            caught = wrong and kind == "expectation"
            self._self_tests.append(SelfTest(result.scenario, result.tenant, known_at(result), caught))

    # --- what it comes to ----------------------------------------------------------------------------------------

    def settle(self, now: datetime) -> None:
        """Bet on every tick that is over."""
        if self.started is None:
            return
        self._watch_silence(now)
        for gauge in self.gauges.values():
            gauge.settle(self._tick(now))
        self.mirror.settle(self._tick(now))

    def _watch_silence(self, now: datetime) -> None:
        gauge = self.gauges.get(Signal.SILENCE)
        for (tenant, scenario, channel), at, missing in self._watch.until(now):
            if gauge:
                gauge.add(self._tick(at), tenant, f"{scenario} over {channel.value}", (missing,))

    def facts(self, now: datetime) -> Facts:
        weighed = [
            Weighed(
                signal,
                self.alpha,
                gauge.quick,
                gauge.peak,
                gauge.runs,
                gauge.bad[-1],
                doubtful=self.doubtful[signal],
            )
            for signal, gauge in self.gauges.items()
        ]
        return Facts(
            now=now,
            ring=self.name,
            release=self.release,
            policy=self.policy,
            started=self.started,
            settled=max(self.starts.values(), default=None),
            expected=self.expected,
            absent=[tenant for tenant in self.expected if tenant not in self.starts],
            newest={tenant: at for tenant, at in self.newest.items() if tenant in self._expects},
            lacking=self._lacking(),
            unprobed=[probe for probe in self._wanted if probe not in self._tested],
            attempted=self.counts[Outcome.PASSED] + self.counts[Outcome.FAILED] + self.counts[Outcome.BROKEN],
            broken=self.counts[Outcome.BROKEN],
            baseline_runs=self.baseline.runs,
            breaches=tuple(self._breaches),
            self_tests=tuple(self._self_tests),
            signals=[*weighed, *(Weighed(signal, self.alpha, unknown=why) for signal, why in self.unknown.items())],
            fine=self.mirror.value,
            superseded=self.superseded,
        )

    def _lacking(self) -> tuple[NotTested, ...]:
        """Of tenants that were tested at all; of the others there is more to say."""
        return not_tested(
            self.policy.must,
            [tenant for tenant in self.expected if tenant in self.newest],
            self._passed,
            skipped={probe[:2] for probe in self._skipped - self._tested},
            never=self._never,
            waived=self._may_go_untested,
        )

    def _may_go_untested(self, tenant: str, scenario: str) -> bool:
        """Whether a waiver says so. It counts once, however often anybody looks."""
        times = 0 if (tenant, scenario) in self._let_go else 1
        accepted = self._waivers.exempt(UNTESTED, tenant, scenario, times)
        if accepted:
            self._let_go.add((tenant, scenario))
        return accepted

    def verdict(self, now: datetime) -> Verdict:
        """What is decided now, and why."""
        self.settle(now)
        facts = self.facts(now)
        found = reasons(facts)
        return Verdict(
            facts=facts,
            state=state_of(found),
            reasons=found,
            evidence=tuple(evidence_of(s, gauge, self) for s, gauge in self.gauges.items()) if self.starts else (),
            unused=dict(self.unused),
            samples=Samples(
                passed=self.counts[Outcome.PASSED],
                failed=self.counts[Outcome.FAILED] - self.waived,
                broken=self.counts[Outcome.BROKEN],
                skipped=self.counts[Outcome.SKIPPED],
                waived=self.waived,
                first=self.first,
                newest=max(self.newest.values(), default=None),
                by_tenant=dict(self.by_tenant),
            ),
            baseline=self.baseline,
            attributions=tuple(map(attribute, self._groups(self._bad))),
            ours=tuple(map(attribute, self._groups(self._broken))),
            radius=self._radius(),
            outlook=outlook_of(self, facts),
            waived=tuple(self._waivers.used.items()),
            expired=self._waivers.expired,
            remarks=self._remarks,
        )

    def _groups(self, bad: Iterable[RunResult]) -> tuple[Group, ...]:
        well = [probe for probe in self._tested if not self._rows.get(probe)]
        known = self.baseline.groups
        return grouped(bad, self._tested, well, lambda signature: known.get(signature, 0), self._usual)

    def _usual(self, signature: Signature, runs: int) -> str:
        """Why so many runs that failed so are nothing new; "" if they are."""
        since, baseline = sum(self.by_tenant.values()), self.baseline
        before = baseline.groups.get(signature, 0)
        if before and no_more_often(runs, since, before, baseline.runs, NEW):
            return "it failed so before the release, and as often"
        few = runs < self.policy.least_failures and baseline.failed
        in_all = self.counts[Outcome.FAILED] - self.waived
        if few and no_more_often(in_all, since, baseline.failed, baseline.runs, NEW):
            return "so few failed so, and in all no more fails than before the release"
        return ""

    def _radius(self) -> BlastRadius | None:
        """Who suffers: by evidence; where there is little of it, who failed in a row; else who failed last."""
        weighed = {t for t, units in self.gauges[Signal.FAILURES].sickest.items() if units >= SICK}
        sick = weighed | {breach.tenant for breach in self._breaches}
        for least in (2, 1):
            sick = sick or {probe[0] for probe, row in self._rows.items() if row >= least}
        return blast_radius(sick, self.newest.keys() - sick, self._ring, self._later)
