"""What gates decided, as metrics. Any judgement will do that has these few words and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

VERDICTS = ("pass", "fail", "inconclusive")
ACTIONS = ("promote", "hold", "pause", "roll back", "wait")


class GateFigures(Protocol):
    """A verdict on a release in a ring. `evidence` is each signal's bet against the release in units, 1 at the start;
    `limits` says by (signal, action) at how much of it the gate does what."""

    @property
    def ring(self) -> str: ...
    @property
    def release(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def evidence(self) -> Mapping[str, float]: ...
    @property
    def limits(self) -> Mapping[tuple[str, str], float]: ...


def of_gates(judgements: Iterable[GateFigures]) -> Iterator[Metric]:
    """One series for each verdict and action that there can be: 1 for the one that holds, 0 for the others."""
    where = ("ring", "release")
    evidence = GaugeMetricFamily(
        "ringgate_gate_evidence", "Evidence against the release, by signal.", labels=(*where, "signal")
    )
    limit = GaugeMetricFamily(
        "ringgate_gate_limit", "The evidence at which the gate holds, pauses or rolls back.",
        labels=(*where, "signal", "action"),
    )  # fmt: skip
    verdict = GaugeMetricFamily("ringgate_gate_verdict", "1 for the verdict that holds.", labels=(*where, "verdict"))
    decision = GaugeMetricFamily("ringgate_gate_decision", "1 for the action that holds.", labels=(*where, "action"))
    moment = GaugeMetricFamily("ringgate_gate_judged_timestamp_seconds", "When it was judged.", labels=where)
    for each in judgements:
        key = (each.ring, each.release)
        moment.add_metric(key, each.at.timestamp())
        for signal, value in sorted(each.evidence.items()):
            evidence.add_metric((*key, signal), value)
        for (signal, action), value in sorted(each.limits.items()):
            limit.add_metric((*key, signal, action), value)
        for word in VERDICTS:
            verdict.add_metric((*key, word), float(each.verdict == word))
        for word in ACTIONS:
            decision.add_metric((*key, word), float(each.action == word))
    yield from (evidence, limit, verdict, decision, moment)
