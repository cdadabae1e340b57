"""The cases of the gate's table: what happens to a ring, and what must come of it.

Where a case says "p0 1 %", that is the failure rate of a healthy ring and the gate's null: the hardest that can be
asked of either. Where it says "baseline", the null is the bound that the gate makes of a baseline of that length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from ringgate.gate.bounds import upper_bound
from ringgate.gate.observations import POSTING_QUANTILE, POSTING_SLOWER, at_quantile
from ringgate.gate.rates import RateCount, Rates
from tests.evaluation.study.vectorised import Bools, Floats, Outcomes

ALPHA = 0.01
DAY = 1440


@dataclass(frozen=True)
class Case:
    """`outcomes` makes R bakes of K tenants, `null` their nulls. `judge` says what is measured: the share of bakes that
    were paused or promoted within the day, or the median minute in which they were held. `limit` is what it may be at
    most. `full` and `quick` are how many bakes are simulated. Rivals are asked where `rate`, the failure rate of a
    healthy ring, is given; `healthy` makes such a ring."""

    name: str
    judge: str
    limit: float
    tenants: int
    outcomes: Callable[[Generator, int], Outcomes]
    null: Callable[[Generator, int], Floats]
    full: int
    quick: int = 0
    rate: float | None = None
    healthy: Callable[[Generator, int], Outcomes] | None = None
    until: int = DAY
    block: int = 1
    mirror: tuple[float, int] | None = None
    own: bool = False  # not in the reference table: what else the gate promises


# --- what happens to a ring ------------------------------------------------------------------------------------------


def independent(tenants: int, rate: float) -> Callable[[Generator, int], Outcomes]:
    return lambda rng, bakes: lambda tick: rng.random((1, bakes, tenants)) < rate


def ring_wide(tenants: int, rate: float) -> Callable[[Generator, int], Outcomes]:
    """Half of the failures hit the whole ring for a minute."""

    def make(rng: Generator, bakes: int) -> Outcomes:
        def of(tick: int) -> Bools:
            return (rng.random((1, bakes, tenants)) < rate / 2) | (rng.random((1, bakes, 1)) < rate / 2)

        return of

    return make


def sticking(tenants: int, rate: float, minutes: int) -> Callable[[Generator, int], Outcomes]:
    """A failure goes on for some minutes, on its own tenant."""

    def make(rng: Generator, bakes: int) -> Outcomes:
        begun = [rng.random((1, bakes, tenants)) < rate / minutes for _ in range(minutes - 1)]

        def of(tick: int) -> Bools:
            begun.append(rng.random((1, bakes, tenants)) < rate / minutes)
            del begun[:-minutes]
            return np.asarray(np.logical_or.reduce(begun))

        return of

    return make


def one_sick(tenants: int, rate: float, sick: float) -> Callable[[Generator, int], Outcomes]:
    rates = np.full(tenants, rate)
    rates[0] = sick
    return lambda rng, bakes: lambda tick: rng.random((1, bakes, tenants)) < rates


SPREAD = 0.5
"""Of log durations: the 95th percentile of a step is 2.3 times its median."""
QUANTILES = (0.5, 0.9, 0.95)


def slowed(tenants: int, times: float) -> Callable[[Generator, int], Outcomes]:
    """Log-normal durations, against the quantiles of a baseline so long that they are the true ones."""
    normal = np.array([0.0, 1.2815515655446004, 1.6448536269514722])  # the normal distribution's, of QUANTILES
    limits = np.exp(SPREAD * normal)[:, None, None]

    def make(rng: Generator, bakes: int) -> Outcomes:
        return lambda tick: times * np.exp(SPREAD * rng.standard_normal((1, bakes, tenants))) > limits

    return make


STEPS, UNEVEN = 6, 0.3
"""Steps of a run, alike in length; and of the log of each one's duration, how far they vary."""


def slow_step(tenants: int, times: float) -> Callable[[Generator, int], Outcomes]:
    """One step of six is slower, in every other run: those that post. The rest of the run is as before."""
    before = np.exp(UNEVEN * np.random.default_rng(1).standard_normal((200_000, STEPS))).sum(-1)
    limits = np.quantile(before, QUANTILES)[:, None, None]

    def make(rng: Generator, bakes: int) -> Outcomes:
        def of(tick: int) -> Bools:
            steps = np.exp(UNEVEN * rng.standard_normal((1, bakes, tenants, STEPS)))
            steps[..., 0] *= np.where(rng.random((1, bakes, tenants)) < 0.5, times, 1.0)
            return np.asarray(steps.sum(-1) > limits)

        return of

    return make


COMES_AND_GOES, OF_A_RUN = 0.7, 0.2
"""Of the logarithms: how far a machine's pace varies from minute to minute, and how far posting beside the rest of its
run does. The rest is as long as the posting."""


def slow_posting(tenants: int, times: float) -> Callable[[Generator, int], Outcomes]:
    """Posting takes so many times as long, on a machine whose pace other work changes every minute."""

    def ratios(rng: Generator, shape: tuple[int, ...], busy: Floats, slower: float) -> Floats:
        rest, posting = (busy * np.exp(OF_A_RUN / math.sqrt(2) * rng.standard_normal(shape)) for _ in range(2))
        return np.asarray(slower * posting / rest)

    before = ratios(np.random.default_rng(1), (200_000,), np.ones(200_000), 1.0)
    limit = at_quantile(np.sort(before), POSTING_QUANTILE) * POSTING_SLOWER

    def make(rng: Generator, bakes: int) -> Outcomes:
        def of(tick: int) -> Bools:
            busy = np.exp(COMES_AND_GOES * rng.standard_normal((1, bakes, 1)))
            return np.asarray(ratios(rng, (1, bakes, tenants), busy, times) > limit)

        return of

    return make


def known_postings(rng: Generator, bakes: int) -> Floats:
    """How often they are slow in a long baseline: log-normal ratios, at the limit."""
    rate = 1 - NormalDist().cdf(NormalDist().inv_cdf(POSTING_QUANTILE) + math.log(POSTING_SLOWER) / OF_A_RUN)
    return np.full((1, bakes), rate)


# --- what is known before --------------------------------------------------------------------------------------------


def known(rate: float) -> Callable[[Generator, int], Floats]:
    return lambda rng, bakes: np.full((1, bakes), rate)


def known_quantiles(rng: Generator, bakes: int) -> Floats:
    return np.repeat(1 - np.array(QUANTILES)[:, None], bakes, axis=1)


def baseline(rate: float, runs: int) -> Callable[[Generator, int], Floats]:
    """What the gate grants after so many runs."""
    return lambda rng, bakes: np.array(
        [[upper_bound(int(seen), runs, ALPHA / 2) for seen in rng.binomial(runs, rate, bakes)]]
    )


def baseline_by_tenant(rates: Floats, runs: int) -> Callable[[Generator, int], Floats]:
    """What the gate grants each tenant after so many runs of each: [1, R, K]."""

    def make(rng: Generator, bakes: int) -> Floats:
        nulls = []
        for seen in rng.binomial(runs, rates, (bakes, len(rates))):
            each = {str(tenant): RateCount(int(count), runs) for tenant, count in enumerate(seen)}
            null = Rates(RateCount(int(seen.sum()), runs * len(rates)), each).null(ALPHA / 2)
            nulls.append([null.of(tenant, "") for tenant in each])
        return np.array([nulls])

    return make


# --- the table -------------------------------------------------------------------------------------------------------


def table() -> Iterator[Case]:
    """The reference table, in its order, then what else is promised."""
    for tenants, full, quick in ((1, 20_000, 1000), (10, 6_000, 200), (100, 2_000, 0)):
        for rate in (0.001, 0.01, 0.05):
            make = independent(tenants, rate)
            yield Case(
                f"false pause, {tenants} tenant{'s' if tenants > 1 else ''}, p0 {rate:.1%}", "paused", 0.010, tenants,
                make, known(rate), full, quick if rate == 0.01 else 0, rate, make,
            )  # fmt: skip
    make = ring_wide(10, 0.01)
    yield Case(
        "false pause, half of failures ring-wide", "paused", 0.010, 10, make, known(0.01), 6_000, 200, 0.01, make
    )
    make = sticking(10, 0.01, 3)
    yield Case(
        "false pause, failures stick 3 min, blocks of 15", "paused", 0.02, 10, make, known(0.01), 6_000, 150, 0.01,
        make, block=15,
    )  # fmt: skip
    make = independent(10, 0.01)
    for name, times, limit, until in (("2x", 2, 180, 1200), ("5x", 5, 20, 240), ("20x", 20, 4, 60)):
        yield Case(
            f"minutes to hold, {name}", "held", limit, 10, independent(10, 0.01 * times), known(0.01), 4_000,
            {"2x": 0}.get(name, 300), 0.01, make, until,
        )  # fmt: skip
    yield Case("minutes to hold, outage", "held", 3, 10, independent(10, 1.0), known(0.01), 1_000, 50, 0.01, make, 120)
    make = independent(20, 0.01)
    for name, sick, limit in (("outage", 1.0, 4), ("50 %", 0.5, 8), ("20x", 0.2, 26)):
        yield Case(
            f"one sick tenant of 20, {name}", "held", limit, 20, one_sick(20, 0.01, sick), known(0.01), 3_000, 200,
            0.01, make, 240,
        )  # fmt: skip
    for runs in (60, 300, 1440):
        yield Case(
            f"false pause, baseline of {runs:,} runs", "paused", 0.005, 10, independent(10, 0.01), baseline(0.01, runs),
            6_000, 150 if runs == 60 else 0, 0.01, independent(10, 0.01),
        )  # fmt: skip
    for times, limit in ((1.2, 40), (1.5, 10), (2.0, 6)):
        yield Case(
            f"minutes to hold, {times:g} times slower", "held", limit, 10, slowed(10, times), known_quantiles, 2_000,
            150, until=400,
        )  # fmt: skip
    yield Case("false pause, slowness", "paused", 0.010, 10, slowed(10, 1.0), known_quantiles, 2_000, 40)
    yield from promises()


def promises() -> Iterator[Case]:
    """What the gate adds to the table."""
    bad = 0.03
    yield Case(
        "false promotion at 3 x p0", "promoted", 0.010, 1, independent(1, bad), known(0.01), 20_000, 4_000,
        mirror=(bad, 1), own=True,
    )  # fmt: skip
    yield Case(
        "false promotion at 3 x p0, failures stick 3 min", "promoted", 0.010, 1, sticking(1, bad, 3), known(0.01),
        20_000, 500, mirror=(bad, 6), own=True,
    )  # fmt: skip
    yield Case(
        "minutes to promote a ring as before", "to promote", 400, 10, independent(10, 0.01), known(0.01), 2_000, 60,
        mirror=(bad, 1), own=True,
    )  # fmt: skip
    for tenants, limit in ((10, 10), (3, 25)):
        yield Case(
            f"minutes to hold, one step of six 3 times slower, {tenants} tenants", "held", limit, tenants,
            slow_step(tenants, 3.0), known_quantiles, 2_000, 60 if tenants == 3 else 0, until=400, own=True,
        )  # fmt: skip
    yield Case(
        "false pause, slowness of six steps", "paused", 0.010, 3, slow_step(3, 1.0), known_quantiles, 2_000, own=True
    )
    yield Case(
        "minutes to hold, posting takes half as long again, busy", "held", 10, 3, slow_posting(3, 1.5), known_postings,
        2_000, 60, until=400, own=True,
    )  # fmt: skip
    yield Case(
        "false pause, posting, on a busy machine", "paused", 0.010, 3, slow_posting(3, 1.0), known_postings, 6_000,
        100, own=True,
    )  # fmt: skip
    rates = np.full(10, 0.01)
    rates[0] = 0.05
    yield Case(
        "false pause, one tenant was 5x worse before, too", "paused", 0.020, 10, one_sick(10, 0.01, 0.05),
        baseline_by_tenant(rates, 300), 4_000, 100, 0.01, one_sick(10, 0.01, 0.05), own=True,
    )  # fmt: skip
    yield Case(
        "minutes to hold, 2x, baseline of a week", "held", 240, 10, independent(10, 0.02), baseline(0.01, 7 * 14_400),
        2_000, until=1200, own=True,
    )  # fmt: skip
