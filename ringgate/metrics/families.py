"""The families of metrics that figures make: names, labels, and what is left out because it would look fresh.

A result that is older than its horizon says nothing about now: its success and duration are left out, its timestamp
stays. Counts start at 0 for whatever is known, for Prometheus sees no increase in a series that begins at 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.samples import Exemplar

from ringgate.domain.model import Deployment, Residue, SignalSample, Tenant
from ringgate.domain.terms import Outcome
from ringgate.host.secrets import redact
from ringgate.inventory import pause_of
from ringgate.metrics.figures import BUCKETS, Figures, Key, RunCount
from ringgate.metrics.follower import FRESH, Around
from ringgate.store import CounterKey, ProberState

WHERE = ("tenant", "scenario", "channel")
STEP = ("scenario", "step", "channel", "ring", "release")
SELF_TESTS = ("caught", "missed")
MOST_DEPLOYMENTS = 50
"""The latest ones, each a series of its own."""

OUTLIVED = timedelta(days=1)
"""A prober that went silent longer ago than this is left out: its successor has long been seen."""

UP = "/up"
"""What a signal's name ends with in the sample that says whether its source could be read."""

Horizons = Callable[[datetime], Mapping[Key, timedelta] | None]
"""How old the last result of what is due now may be. What is not in it is not due; None where nobody knows."""


def of_runs(figures: Figures) -> Iterator[Metric]:
    """What ran, by its outcome."""
    runs = CounterMetricFamily("ringgate_runs", "Runs of scenarios, by outcome.", labels=(*WHERE, "outcome"))
    for key in sorted({each[:3] for each in figures.runs}):
        for outcome in Outcome:
            count = figures.runs.get((*key, outcome.value), RunCount())
            runs.add_metric((*key, outcome.value), count.number, exemplar=_exemplar(1.0, count.trace_id, count.at))
    yield runs


def of_last_runs(
    figures: Figures, due: Mapping[Key, timedelta] | None, horizon: timedelta, now: datetime
) -> Iterator[Metric]:
    """The last run of everything; what it says of now only as long as it is fresh."""
    success = GaugeMetricFamily(
        "ringgate_success", "1 if the last run passed, 0 if it failed; absent if it is old or was broken.", labels=WHERE
    )
    seconds = GaugeMetricFamily(
        "ringgate_duration_seconds", "How long the last run took; absent if it is old.", labels=WHERE, unit="seconds"
    )
    moment = GaugeMetricFamily(
        "ringgate_last_run_timestamp_seconds", "When the last run ended.", labels=WHERE, unit="seconds"
    )
    allowed = GaugeMetricFamily(
        "ringgate_horizon_seconds", "How old the last run may be; only for what is due now.", labels=WHERE
    )
    for key, last in sorted(figures.last.items()):
        moment.add_metric(key, last.at.timestamp())
        if now - last.at > (due or {}).get(key, horizon):
            continue
        seconds.add_metric(key, last.seconds)
        if last.outcome is not Outcome.BROKEN:
            success.add_metric(key, float(last.outcome is Outcome.PASSED))
    for key, most in sorted((due if due is not None else dict.fromkeys(figures.last, horizon)).items()):
        allowed.add_metric(key, most.total_seconds())
    yield from (success, seconds, moment, allowed)


def of_steps(figures: Figures) -> Iterator[Metric]:
    """Steps by scenario, channel, ring and release: how long those took that passed, and why others did not."""
    spread = HistogramMetricFamily(
        "ringgate_step_duration_seconds", "How long a step took that passed.", labels=STEP, unit="seconds"
    )
    for key, each in sorted(figures.steps.items()):
        totals = accumulate(each.numbers)
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        for edge, total, shown in zip(BUCKETS, totals, each.exemplars, strict=True):
            exemplar = _exemplar(*shown) if shown else None
            buckets.append((_edge(edge), total, exemplar) if exemplar else (_edge(edge), total))
        spread.add_metric(key, buckets, each.seconds)
    failures = CounterMetricFamily("ringgate_step_failures", "Steps that did not pass.", labels=(*STEP, "reason"))
    for name, count in sorted(figures.failures.items()):
        failures.add_metric(name, count.number, exemplar=_exemplar(1.0, count.trace_id, count.at))
    yield from (spread, failures)


ARRIVALS = ("arrived", "late", "doubled")
"""Words that are counted from 0 on; the others are rules of the contract that were broken."""


def of_integrations(figures: Figures, tenants: Iterable[Tenant], horizon: timedelta, now: datetime) -> Iterator[Metric]:
    """What came to the systems that receive a tenant's documents, how long it took last, and how long it may."""
    where = ("tenant", "integration")
    lag = GaugeMetricFamily(
        "ringgate_integration_lag_seconds", "How long the last document took to arrive; absent if that is old.",
        labels=where, unit="seconds",
    )  # fmt: skip
    allowed = GaugeMetricFamily(
        "ringgate_integration_within_seconds", "How long it may take.", labels=(*where, "owner"), unit="seconds"
    )
    counts = CounterMetricFamily(
        "ringgate_integration_arrivals", "Documents and reversals that were looked for, by what was found.",
        labels=(*where, "outcome"),
    )  # fmt: skip
    for key, (seconds, at) in sorted(figures.lags.items()):
        if now - at <= horizon:
            lag.add_metric(key, seconds)
    known = {key[:2] for key in figures.arrivals}
    for each in tenants:
        for name, integration in sorted(each.integrations.items()):
            known.add((each.id, name))
            allowed.add_metric((each.id, name, integration.owner), integration.within.total_seconds())
    for tenant, name in sorted(known):
        words = {*ARRIVALS, *(word for t, n, word in figures.arrivals if (t, n) == (tenant, name))}
        for word in sorted(words):
            counts.add_metric((tenant, name, word), figures.arrivals.get((tenant, name, word), RunCount()).number)
    yield from (lag, allowed, counts)


def of_self_tests(figures: Figures, rings: Iterable[str]) -> Iterator[Metric]:
    """Faults that Ringgate plants on its own side: a probe that does not see them is blind."""
    counts = CounterMetricFamily(
        "ringgate_self_tests", "Self-tests: a planted fault was caught or missed.", labels=("ring", "outcome")
    )
    caught = GaugeMetricFamily(
        "ringgate_self_test_caught_timestamp_seconds", "When a planted fault was last caught.", labels=("ring",)
    )
    for ring in sorted({*rings, *(ring for ring, _ in figures.self_tests)}):
        words = {*SELF_TESTS, *(word for where, word in figures.self_tests if where == ring)}
        for word in sorted(words):
            counts.add_metric((ring, word), figures.self_tests.get((ring, word), RunCount()).number)
        if (ring, "caught") in figures.self_tests:
            caught.add_metric((ring,), figures.self_tests[ring, "caught"].at.timestamp())
    yield from (counts, caught)


def of_tenants(tenants: Sequence[Tenant], left: Sequence[Residue], now: datetime) -> Iterator[Metric]:
    """What the inventory says of each tenant, to be joined by `tenant`; and what is left behind in its ERP now."""
    labels = ("tenant", "ring", "sla", "region", "residency", "erp", "series", "timezone", "currency", "cohorts")
    info = GaugeMetricFamily("ringgate_tenant_info", "1 for each tenant of the inventory.", labels=labels)
    paused = GaugeMetricFamily("ringgate_tenant_paused", "1 while the inventory pauses a tenant.", labels=("tenant",))
    still = GaugeMetricFamily("ringgate_residue_left", "Of those, the ones that are left now.", labels=("tenant",))
    by_tenant = Counter(each.tenant for each in left)
    for each in tenants:
        cohorts = f",{','.join(each.cohorts)}," if each.cohorts else ""
        place = (each.ring, each.sla, each.region, each.residency, each.erp, each.series, each.timezone)
        info.add_metric((each.id, *place, each.policy.currency.code, cohorts), 1.0)
        paused.add_metric((each.id,), float(bool(pause_of(each, now))))
    for name in sorted({*(each.id for each in tenants), *by_tenant}):
        still.add_metric((name,), by_tenant[name])
    yield from (info, paused, still)


def of_residue(tenants: Sequence[Tenant], figures: Figures) -> Iterator[Metric]:
    """What runs left behind in a tenant's ERP, whether or not it was taken back later."""
    residue = CounterMetricFamily("ringgate_residue", "Records that a run could not take back.", labels=("tenant",))
    for name in sorted({*(each.id for each in tenants), *figures.residue}):
        residue.add_metric((name,), figures.residue.get(name, RunCount()).number)
    yield residue


def of_scheduler(counters: Mapping[CounterKey, int], probers: Sequence[ProberState], now: datetime) -> Iterator[Metric]:
    """What the schedule could not do as planned, and who is at work."""
    counts = CounterMetricFamily(
        "ringgate_scheduler", "What did not go as planned: late, skipped, overlapping, missed.", labels=("what", *WHERE)
    )
    for counter, number in sorted(counters.items()):
        if not counter[0].endswith(UP):
            counts.add_metric(counter, number)
    seen = GaugeMetricFamily(
        "ringgate_prober_seen_timestamp_seconds",
        "When a prober that has not stopped was last seen.",
        labels=("prober", "covers"),
    )
    for each in probers:
        if each.stopped_at is None and now - each.seen_at < OUTLIVED:
            covers = str((each.detail or {}).get("covers", ""))
            seen.add_metric((each.id, covers), each.seen_at.timestamp())
    yield from (counts, seen)


def of_deployments(deployments: Sequence[Deployment]) -> Iterator[Metric]:
    """When a release reached a ring: a query of these values times 1000 makes annotations in Grafana."""
    labels = ("deployment", "ring", "release", "tenants", "by", "note")
    moment = GaugeMetricFamily("ringgate_deployment_timestamp_seconds", "When a release reached a ring.", labels=labels)
    for each in deployments[-MOST_DEPLOYMENTS:]:
        words = (each.by, each.note)
        names = (each.id, each.ring, each.release, ",".join(each.tenants))
        moment.add_metric((*names, *map(redact, words)), each.at.timestamp())
    yield moment


def of_signals(samples: Sequence[SignalSample], counters: Mapping[CounterKey, int], now: datetime) -> Iterator[Metric]:
    """Platform signals of the last round of their source. Where that round failed, there are none."""
    rounds: dict[str, SignalSample] = {}
    for each in samples:
        if each.signal.endswith(UP):
            rounds[each.signal.removesuffix(UP)] = each
    up = GaugeMetricFamily("ringgate_signal_up", "1 if the signal's source could be read.", labels=("signal",))
    failing = CounterMetricFamily("ringgate_signal_failures", "Rounds in which it could not.", labels=("signal",))
    labels = ("signal", "unit", "ring", "tenant")
    value = GaugeMetricFamily("ringgate_signal", "A platform signal, as it was last read.", labels=labels)
    limit = GaugeMetricFamily("ringgate_signal_limit", "From where on it is too much.", labels=labels)
    for name, last in sorted(rounds.items()):
        if now - last.at > FRESH:  # whoever read it is gone
            continue
        up.add_metric((name,), last.value)
        failing.add_metric((name,), counters.get((f"failed{UP}", "", name, ""), 0))
    latest = {}
    for each in samples:
        last_round = rounds.get(each.signal)
        of_now = last_round and last_round.value and each.at == last_round.at and now - each.at <= FRESH
        if each.signal.endswith(UP) or not of_now:
            continue
        latest[each.signal, each.unit, each.ring, each.tenant] = each
    for key, each in sorted(latest.items()):
        value.add_metric(key, each.value)
        if each.limit is not None:
            limit.add_metric(key, each.limit)
    yield from (up, failing, value, limit)


def of_store(readable: bool, read_at: datetime | None, around: Around) -> Iterator[Metric]:
    """Whether what is told here is what the store holds."""
    word = "1 while the store of results can be read; while it cannot, nothing here is new."
    yield GaugeMetricFamily("ringgate_store_readable", word, value=float(readable))
    if read_at is not None:
        yield GaugeMetricFamily(
            "ringgate_store_read_timestamp_seconds", "When the store was last read.", value=read_at.timestamp()
        )
        yield GaugeMetricFamily("ringgate_deployments", "Deployments noted.", value=len(around.deployments))


def _edge(seconds: float) -> str:
    return "+Inf" if seconds == BUCKETS[-1] else str(seconds)


def _exemplar(value: float, trace_id: str, at: datetime) -> Exemplar | None:
    return Exemplar({"trace_id": trace_id}, value, at.timestamp()) if trace_id else None
