"""What a gate goes by: how sure it must be, how long it looks, which signals it takes, and what somebody accepted.

`GatePolicy()` is the built-in default; `deploy/gate.toml` writes it out with every key explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ringgate.domain.waivers import Waiver
from ringgate.gate.required import PROCESSES
from ringgate.gate.signals import Signal


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """One gate's rules.

    `alpha` is how often, at most, a release that is no worse than before may be paused, over the whole bake and all
    signals. `tick` is what one bet is made on. `soak` must have passed before a promotion, at `deadline` the rollout
    holds if nothing is decided. No tenant's newest result may be older than `freshness`.

    `must` are the scenarios that must have passed on every tenant, over any channel, or be waived as untested.

    `window` and `baseline_runs` bound the baseline; `broken` is the largest share of runs that may be our own fault;
    below `least_failures` nothing is held or paused. `times` and `least_rate`: a promotion must be able to exclude a
    failure rate of that many times the baseline's, but never one below `least_rate`. A self-test must have been
    caught within `self_test`.

    `signals` may switch one off (False), or insist on one that nothing is known about (True). A run is slow when it
    takes more than `slower` times a quantile of the baseline. `silence_rate` is the share of due results that may be
    missing.
    """

    alpha: float = 0.01
    tick: timedelta = timedelta(minutes=1)
    soak: timedelta = timedelta(hours=1)
    deadline: timedelta = timedelta(hours=24)
    freshness: timedelta = timedelta(minutes=30)
    window: timedelta = timedelta(days=7)
    baseline_runs: int = 60
    must: tuple[str, ...] = PROCESSES
    broken: float = 0.10
    least_failures: int = 3
    self_test: timedelta = timedelta(hours=2)
    times: float = 3.0
    least_rate: float = 0.01
    signals: Mapping[Signal, bool] = field(default_factory=dict)
    quantiles: tuple[float, ...] = (0.50, 0.90, 0.95)
    slower: float = 1.0
    silence_rate: float = 0.02
    waivers: tuple[Waiver, ...] = ()

    def wants(self, signal: Signal) -> bool | None:
        """True: it must be judged; False: it must not be; None: it is as soon as anything is known about it."""
        return True if signal.definition.always else self.signals.get(signal)

    @property
    def reads_samples(self) -> bool:
        """Whether it is judged by any signal that the platform's samples speak to."""
        return any(each.definition.of_sample and self.wants(each) is not False for each in Signal)

    @property
    def ticks(self) -> int:
        """Ticks of a bake until its deadline."""
        return max(1, round(self.deadline / self.tick))
