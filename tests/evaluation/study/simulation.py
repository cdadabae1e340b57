"""Runs the cases: the gate's rule, and its rivals' on the same outcomes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tests.evaluation.study.cases import Case
from tests.evaluation.study.rivals import Argo, Cusum, Flagger, Kayenta, Rival, Wald
from tests.evaluation.study.vectorised import NEVER, Bools, Floats, watch

SEED = 20261124
CHUNK = 40_000
"""Stakes that are simulated at once: as many as fit into a processor's cache."""


@dataclass(frozen=True)
class Measured:
    """What came of a case: the share of bakes, or the median minute."""

    case: Case
    value: float

    @property
    def met(self) -> bool:
        return self.value <= self.case.limit


def generator(case: Case, stream: int = 0) -> np.random.Generator:
    """Each case has its own random numbers, whatever else is simulated."""
    return np.random.default_rng([SEED, zlib.crc32(case.name.encode()), stream])


def measure(case: Case, bakes: int) -> Measured:
    size = max(10, CHUNK // (case.tenants * 10))
    rng, found = generator(case), []
    for start in range(0, bakes, size):
        here = min(size, bakes - start)
        nulls = case.null(rng, here)
        done = watch(
            case.outcomes(rng, here), nulls, case.tenants, until=case.until, block=case.block, mirror=case.mirror,
            stop_when_held=case.judge == "held",
        )  # fmt: skip
        found.append({"paused": done.pause, "held": done.hold}.get(case.judge, done.promote))
    return Measured(case, summarise(case.judge, np.concatenate(found)))


def summarise(judge: str, first: Floats) -> float:
    if judge in ("paused", "promoted"):
        return float(np.isfinite(first).mean())
    return float(np.median(first))


def compare(case: Case, bakes: int) -> Mapping[str, float]:
    """What the rivals do with the same case."""
    if case.rate is None or case.healthy is None:
        return {}
    rng = generator(case, 1)
    control = case.healthy(generator(case, 2), bakes)
    minutes = np.stack([control(tick)[0].mean(-1) for tick in range(60)], axis=1)
    rivals: dict[str, Rival] = {
        "Argo": Argo(bakes),
        "Flagger": Flagger(bakes),
        "Kayenta": Kayenta(bakes, minutes),
        "Wald": Wald(bakes, case.rate),
        "CUSUM": Cusum(bakes, case.tenants, case.rate),
    }
    first = {name: np.full(bakes, NEVER) for name in rivals}
    outcomes = case.outcomes(rng, bakes)
    for tick in range(case.until):
        failed: Bools = outcomes(tick)[0]
        for name, rival in rivals.items():
            first[name] = np.where(rival.step(tick, failed), np.minimum(first[name], tick + 1), first[name])
    return {name: summarise(case.judge, stopped) for name, stopped in first.items()}
