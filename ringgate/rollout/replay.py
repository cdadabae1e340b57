"""The gate once more on the stored runs, under the policy that was in force or another one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringgate.domain.labels import moment_of
from ringgate.evidence.canonical import digest_of
from ringgate.gate import GatePolicy, Verdict
from ringgate.inventory import Inventory, SelectionError
from ringgate.judging import Judge
from ringgate.store import Store


@dataclass(frozen=True, slots=True)
class BakeReplay:
    """A release on a ring, judged anew. `bad`: something was wrong with it there. `first` has, for each rule that would
    have stopped it, after how many minutes; `verdict` is what it would have come to at its last run."""

    ring: str
    release: str
    bad: bool
    runs: int
    verdict: str
    action: str
    first: Mapping[str, float]

    @property
    def stopped_after(self) -> float | None:
        return min(self.first.values(), default=None)


@dataclass
class Replays:
    """`open_store` is called once for each policy and place; answers are kept."""

    open_store: Callable[[], Store]
    inventory: Inventory
    policy: GatePolicy
    _kept: dict[tuple[str, str, str], BakeReplay | None] = field(default_factory=dict)

    def all(
        self, places: Sequence[tuple[str, str]], bad: Collection[tuple[str, str]], policy: GatePolicy | None = None
    ) -> list[BakeReplay]:
        """Of each (ring, release) of which there are runs that a gate weighs."""
        found = [self.one(ring, release, (ring, release) in bad, policy) for ring, release in places]
        return [each for each in found if each is not None]

    def one(self, ring: str, release: str, bad: bool, policy: GatePolicy | None = None) -> BakeReplay | None:
        """None where there are no such runs."""
        rules = policy or self.policy
        key = (ring, release, digest_of(rules))
        if key not in self._kept:
            self._kept[key] = self._replayed(ring, release, bad, rules)
        return self._kept[key]

    def _replayed(self, ring: str, release: str, bad: bool, rules: GatePolicy) -> BakeReplay | None:
        store = self.open_store()
        try:
            runs = store.columns(ring=ring, release=release)
        finally:
            store.close()
        if not len(runs):
            return None
        last = moment_of(int(runs.records["started"].max())) + timedelta(seconds=1)
        judge = Judge(self.open_store, self.inventory, rules, clock=lambda: last)
        try:
            verdict = judge.verdict(ring, release)
        except SelectionError:  # the ring is no more
            return None
        finally:
            judge.close()
        if verdict.facts.unreadable or verdict.facts.started is None:
            return None
        word, action = verdict.word.value, verdict.action.value
        return BakeReplay(ring, release, bad, len(runs), word, action, _first(verdict, verdict.facts.started))


def _first(verdict: Verdict, began: datetime) -> dict[str, float]:
    """For each signal, how many minutes it took to hold and to pause. Fewer failures than the least stop nothing."""
    found = {}
    for each in verdict.evidence:
        if each.bad < verdict.facts.policy.least_failures:
            continue
        for what, limit, values in (
            ("hold", each.hold_at, [(point.at, point.quick) for point in each.curve]),
            ("pause", each.pause_at, [(point.at, point.firm) for point in each.curve]),
        ):
            at = next((at for at, value in values if limit is not None and value >= limit), None)
            if at is not None:
                found[f"{each.signal.value} to {what}"] = (at - began).total_seconds() / 60
    for reason in verdict.reasons:
        if reason.state.value in ("pause", "roll back") and reason.rule not in (
            "evidence_to_pause",
            "evidence_to_hold",
        ):
            found.setdefault(reason.rule.replace("_", " "), (verdict.facts.now - began).total_seconds() / 60)
    return dict(sorted(found.items(), key=lambda item: item[1]))
