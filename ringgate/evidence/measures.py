"""The five measures of DORA, and what a rollout cost its tenants: each as n of N, with an interval. Pure.

| measure | of |
|---|---|
| deployment frequency | deployments to tenants in a week |
| change lead time | from when a release was first noted until it ran on a tenant; median |
| change fail rate | deployments that caused at least one incident, of all deployments: never incidents by deployments |
| failed deployment recovery time | from when the first incident began until the last was over; median of those over |
| deployment rework rate | deployments that replaced a failed one on their tenant, of all deployments |

Shares have the interval of Clopper and Pearson, counts that of Garwood, medians that of the order statistics; all at
95 %. What is not known is left out of n, and N says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from ringgate.evidence.history import TenantDeployment, TenantHistory
from ringgate.gate.bounds import upper_bound

LEVEL = 0.05
"""What the interval may miss, both sides together."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`value` in `unit` (None: nothing is known), from `n` of `of`; `low` and `high` bound it, None where too little is
    known for an interval."""

    name: str
    value: float | None
    unit: str
    n: int
    of: int
    low: float | None = None
    high: float | None = None
    remark: str = ""


def dora(history: TenantHistory) -> list[Measure]:
    """All five, in the order of the table."""
    done = history.deployments
    return [
        _frequency(history), _lead_time(done),
        share("change fail rate", sum(each.failed for each in done), len(done)), _recovery(done),
        share("deployment rework rate", sum(_reworks(done)), len(done)),
    ]  # fmt: skip


def by(history: TenantHistory, key: Callable[[TenantDeployment], str]) -> dict[str, list[Measure]]:
    """The five for each tenant, or each release."""
    found: dict[str, list[TenantDeployment]] = {}
    for each in history.deployments:
        found.setdefault(key(each), []).append(each)
    rework = dict(zip(history.deployments, _reworks(history.deployments), strict=True))
    return {
        name: [
            _frequency(TenantHistory(tuple(own), (), history.since, history.until)), _lead_time(own),
            share("change fail rate", sum(each.failed for each in own), len(own)), _recovery(own),
            share("deployment rework rate", sum(rework[each] for each in own), len(own)),
        ]
        for name, own in sorted(found.items())
    }  # fmt: skip


def exposure(history: TenantHistory) -> tuple[Measure, dict[str, float]]:
    """Minutes for which tenants ran with an incident, overlapping ones once; all together, and by tenant."""
    minutes: dict[str, float] = {}
    for tenant in history.tenants:
        spans = sorted(
            (incident.began, incident.ended or history.until)
            for each in history.deployments if each.tenant == tenant for incident in each.incidents
        )  # fmt: skip
        minutes[tenant] = _covered(spans) / 60
    hit = sum(each > 0 for each in minutes.values())
    total = sum(minutes.values())
    return Measure("exposure", total, "min", hit, len(minutes), remark="tenants that were exposed"), minutes


def detection(history: TenantHistory) -> Measure:
    """From when something went wrong until it was noticed; median."""
    incidents = [incident for each in history.deployments for incident in each.incidents]
    delays = [(each.noticed - each.began).total_seconds() / 60 for each in incidents]
    return _median("detection delay", delays, "min", len(incidents))


# --- each -------------------------------------------------------------------------------------------------------------


def _frequency(history: TenantHistory) -> Measure:
    number = len(history.deployments)
    span = history.until - history.since if history.since else timedelta()
    weeks = max(span / timedelta(weeks=1), 1 / 7)
    low, high = poisson_interval(number)
    return Measure("deployment frequency", number / weeks, "a week", number, number, low / weeks, high / weeks)


def _lead_time(done: Sequence[TenantDeployment]) -> Measure:
    known = [(each.at - each.asked).total_seconds() / 3600 for each in done if each.asked]
    return _median("change lead time", known, "h", len(done))


def _recovery(done: Sequence[TenantDeployment]) -> Measure:
    failed = [each for each in done if each.failed]
    over = [
        (each.restored - min(incident.began for incident in each.incidents)).total_seconds() / 60
        for each in failed if each.restored
    ]  # fmt: skip
    left = len(failed) - len(over)
    remark = f"{left} not over yet" if left else ""
    found = _median("failed deployment recovery time", over, "min", len(failed))
    return Measure(found.name, found.value, found.unit, found.n, found.of, found.low, found.high, remark)


def _reworks(done: Sequence[TenantDeployment]) -> list[bool]:
    """Whether each took the place of a failed one on its tenant."""
    found, last = [], dict[str, TenantDeployment]()
    for each in done:
        before = last.get(each.tenant)
        found.append(before is not None and before.failed)
        last[each.tenant] = each
    return found


def share(name: str, seen: int, of: int) -> Measure:
    """`seen` of `of`, with its interval."""
    if not of:
        return Measure(name, None, "", 0, 0)
    low = 1.0 - upper_bound(of - seen, of, LEVEL / 2)
    return Measure(name, seen / of, "", seen, of, low, upper_bound(seen, of, LEVEL / 2))


def _median(name: str, values: Sequence[float], unit: str, of: int) -> Measure:
    if not values:
        return Measure(name, None, unit, 0, of)
    low, high = median_interval(values)
    remark = "" if low is not None else "fewer than 6: no interval"
    return Measure(name, median(values), unit, len(values), of, low, high, remark)


def median_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Two of the values between which the median lies with at least 95 %; None with fewer than 6."""
    ordered, number = sorted(values), len(values)
    outside, place = 0.0, -1
    for count in range(number // 2):
        outside += math.comb(number, count) * 0.5**number
        if outside > LEVEL / 2:
            break
        place = count
    return (ordered[place], ordered[number - 1 - place]) if place >= 0 else (None, None)


def poisson_interval(number: int) -> tuple[float, float]:
    """Between which the expected count lies, after `number` were counted."""
    return _poisson(number - 1, 1 - LEVEL / 2) if number else 0.0, _poisson(number, LEVEL / 2)


def _poisson(number: int, level: float) -> float:
    """The mean at which `number` or fewer come up with this probability; by bisection."""

    def tail(mean: float) -> float:
        return sum(math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) for count in range(number + 1))

    low, high = 1e-9, 10.0 + 3.0 * number
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > level else (low, middle)
    return high


def _covered(spans: Sequence[tuple[datetime, datetime]]) -> float:
    """Seconds that the spans cover together; they are in the order of their beginnings."""
    total, until = 0.0, None
    for began, ended in spans:
        start = began if until is None or began > until else until
        if ended > start:
            total += (ended - start).total_seconds()
            until = ended
    return total
