"""What Prometheus is told, computed from the store: runs of probes, of suites and of CI alike, each counted once.

    ringgate_runs_total{tenant="aldgate",scenario="time-entry",channel="api",outcome="passed"} 41 # {trace_id="9f.."} 1
    ringgate_success{tenant="aldgate",scenario="time-entry",channel="api"} 1
    ringgate_last_run_timestamp_seconds{tenant="aldgate",scenario="time-entry",channel="api"} 1795349400.1
    ringgate_step_duration_seconds_bucket{scenario="time-entry",step="enter time",channel="api",ring="canary",...} 38
    ringgate_gate_decision{ring="canary",release="8.0",action="promote"} 0

    collector = StoreCollector(follower, tenants=lambda: inventory.tenants)
    text, content_type = exposition(collector, accept=request.headers["accept"])

The rest of `ringgate/metrics/` is the figures behind it. `deploy/prometheus/` has the alert rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from ringgate.domain.model import Tenant
from ringgate.metrics import families
from ringgate.metrics.families import Horizons
from ringgate.metrics.follower import StoreFollower
from ringgate.metrics.gates import GateFigures, of_gates
from ringgate.metrics.recent import Recent

__all__ = ["HORIZON", "GateFigures", "Recent", "StoreCollector", "StoreFollower", "exposition"]

HORIZON = timedelta(minutes=30)
"""How old the last run may be where no schedule says when the next one is due."""

SILENT = timedelta(seconds=60)
"""A store that could not be read for so long is told as unreadable."""


class StoreCollector(Collector):
    """Collects when it is asked, from what its follower has read: it never waits for the store."""

    def __init__(
        self,
        follower: StoreFollower,
        tenants: Callable[[], Sequence[Tenant]] = tuple,
        horizons: Horizons = lambda now: None,
        judgements: Callable[[], Iterable[GateFigures]] = tuple,
        horizon: timedelta = HORIZON,
        patience: timedelta = SILENT,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._follower, self._tenants, self._judgements = follower, tenants, judgements
        self._horizons, self._horizon, self._patience = horizons, horizon, patience
        self._clock = clock or (lambda: datetime.now(UTC))

    def collect(self) -> Iterator[Metric]:
        now = self._clock()
        tenants, due, judgements = self._tenants(), self._horizons(now), list(self._judgements())
        with self._follower.reading() as (figures, around, read_at):
            readable = around.at is not None and now - around.at <= self._patience
            yield from families.of_store(readable, read_at, around)
            if read_at is not None:  # counts of half a store would look like a rush of runs
                yield from families.of_runs(figures)
                yield from families.of_last_runs(figures, due, self._horizon, now)
                yield from families.of_steps(figures)
                yield from families.of_integrations(figures, tenants, self._horizon, now)
                yield from families.of_self_tests(figures, {each.ring for each in tenants})
                yield from families.of_residue(tenants, figures)
            yield from families.of_tenants(tenants, around.left, now)
            yield from families.of_scheduler(around.counters, around.probers, now)
            yield from families.of_deployments(around.deployments)
            yield from families.of_signals(around.samples, around.counters, now)
        yield from of_gates(judgements)


def exposition(collector: Collector, accept: str = "") -> tuple[bytes, str]:
    """The metrics as text and its content type: OpenMetrics, with exemplars, for whoever accepts it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
