"""The study's arithmetic is the gate's, tick by tick, and the quick part of its table is met."""

from __future__ import annotations

import numpy as np
import pytest

from ringgate.gate.gauge import Gauge, Mirror
from ringgate.gate.rates import Null
from tests.evaluation.study.cases import Case, table
from tests.evaluation.study.rivals import Wald, mann_whitney_z
from tests.evaluation.study.simulation import compare, measure
from tests.evaluation.study.vectorised import Gauges, Mirrors, watch

TENANTS, TICKS = 4, 240
NULLS = np.array([[0.01, 0.2], [0.05, 0.003]])  # two parts, two bakes


@pytest.fixture(scope="module")
def outcomes() -> np.ndarray:
    """[ticks, parts, bakes, tenants]: quiet at first, then an outage of one tenant, then quiet."""
    rng = np.random.default_rng(7)
    failed = rng.random((TICKS, 2, 2, TENANTS)) < 0.05
    failed[80:95, :, :, 0] = True
    return failed


@pytest.mark.parametrize("block", [1, 15])
def test_vectorised_evidence_is_the_gates(outcomes: np.ndarray, block: int) -> None:
    quick, firm = Gauges(NULLS, TENANTS, TICKS), Gauges(NULLS, TENANTS, TICKS // block)
    gauges = [
        Gauge([Null(float(null)) for null in NULLS[:, bake]], [str(t) for t in range(TENANTS)], TICKS, block)
        for bake in (0, 1)
    ]
    for tick, here in enumerate(outcomes):
        for bake, gauge in enumerate(gauges):
            for tenant in range(TENANTS):
                gauge.add(tick, str(tenant), "time-entry over api", [bool(x) for x in here[:, bake, tenant]])
            gauge.settle(tick + 1)
        by_tick = quick.step(tick, here.astype(float))
        assert [gauge.quick for gauge in gauges] == pytest.approx(by_tick, rel=1e-9)
        if (tick + 1) % block == 0:
            by_block = firm.step(tick // block, outcomes[tick + 1 - block : tick + 1].mean(0))
            assert [gauge.firm for gauge in gauges] == pytest.approx(by_block, rel=1e-9)
    assert max(gauge.peak for gauge in gauges) > 100


@pytest.mark.parametrize("streak", [1, 3])
def test_the_vectorised_mirror_is_the_gates(outcomes: np.ndarray, streak: int) -> None:
    block = 2 * streak if streak > 1 else 1
    mirror = Mirror(Null(0.01), TICKS, streak, times=3.0, least=0.02)
    many = Mirrors(np.array([0.03]), TICKS // block)
    for tick, here in enumerate(outcomes[:, 0, 0]):
        for tenant, failed in enumerate(here):
            mirror.add(tick, str(tenant), "time-entry over api", bool(failed))
        mirror.settle(tick + 1)
        if (tick + 1) % block == 0:
            stands = many.step(tick // block, outcomes[tick + 1 - block : tick + 1, 0, :1].mean(0))
            assert mirror.value == pytest.approx(float(stands[0]), rel=1e-9)


QUICK = [case for case in table() if case.quick]


@pytest.mark.parametrize("case", QUICK, ids=[case.name for case in QUICK])
def test_the_quick_part_of_the_table_is_met(case: Case) -> None:
    found = measure(case, case.quick)
    assert found.value <= case.limit


def test_the_table_is_whole() -> None:
    """A reference number cannot be dropped or softened unnoticed."""
    limits = [case.limit for case in table() if not case.own]
    assert limits == [0.010] * 10 + [0.02, 180, 20, 4, 3, 4, 8, 26] + [0.005] * 3 + [40, 10, 6, 0.010]


def test_a_gate_that_is_too_eager_would_be_noticed() -> None:
    """With a null of half the true rate, healthy rings are paused: the study can fail."""
    rng = np.random.default_rng(1)
    found = watch(lambda _: rng.random((1, 50, 10)) < 0.05, np.full((1, 50), 0.025), 10)
    assert np.isfinite(found.pause).mean() > 0.9


def test_fixed_counts_stop_a_healthy_ring() -> None:
    """What Argo's and Flagger's usual settings do at 1 %, and CUSUM where failures are ring-wide."""
    healthy = next(case for case in QUICK if case.name == "false pause, 10 tenants, p0 1.0%")
    others = compare(healthy, 20)
    assert others["Argo"] == others["Flagger"] == 1.0
    ring_wide = next(case for case in QUICK if "ring-wide" in case.name)
    assert compare(ring_wide, 20)["CUSUM"] > 0.9


def test_mann_whitney_scores() -> None:
    """Against values from the normal approximation by hand: U = 0 of 25, without ties, z = (12.5 - 0.5) / sd."""
    first, second = np.arange(5.0)[None], np.arange(5.0, 10.0)[None]
    assert mann_whitney_z(first, second)[0] == pytest.approx(12.0 / np.sqrt(5 * 5 * 11 / 12))
    assert mann_whitney_z(first, first)[0] == 0.0


def test_walds_test_ends_once_it_has_accepted() -> None:
    test = Wald(1, 0.01)
    for tick in range(300):
        test.step(tick, np.zeros((1, 10), bool))
    assert not any(test.step(tick, np.ones((1, 10), bool))[0] for tick in range(300))
