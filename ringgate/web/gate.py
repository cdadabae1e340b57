"""Asks Ringgate's own gate for a judgement, and puts it into the words of this server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ringgate.domain.columns import ResultColumns
from ringgate.domain.model import Scenario
from ringgate.evidence import EvidenceActor, EvidenceChain
from ringgate.evidence.verdicts import hold_for, verdict_evidence
from ringgate.execution.run_once import new_run_id
from ringgate.gate import Verdict, Word
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory
from ringgate.judging import RegionalJudge as Gate
from ringgate.judging import as_json, load_policy
from ringgate.probing.silence import planned
from ringgate.store import Store, StoreError
from ringgate.web.judging import Curve, GateJudgement, VerdictSource, inconclusive

KEPT_BAKES = 32
"""Releases that the gate remembers; who asks for more than these makes it read anew."""


class GateJudge:
    """The gate over one store. Begins anew when the inventory or the policy's file changed. Safe for threads.

    With `by` each verdict that says another thing than the last one on its ring is noted as evidence. A pass that
    cannot be noted is none: nobody goes on with what nobody can prove later."""

    def __init__(
        self,
        url: str,
        load: Callable[[], Inventory],
        policy: Path | None,
        scenarios: Sequence[Scenario],
        clock: Callable[[], datetime],
        by: EvidenceActor | None = None,
    ) -> None:
        self._by, self._noted = by, dict[tuple[str, str], tuple[str, str, datetime | None]]()
        self._url, self._load, self._policy, self._scenarios, self._clock = url, load, policy, scenarios, clock
        self._guard = threading.Lock()
        self._gate: Gate | None = None
        self._made_from: object = None
        self._asked: set[tuple[str, str]] = set()

    def __call__(self, ring: str, release: str, now: datetime) -> GateJudgement:
        with self._guard:
            judge = self._current(ring, release)
            verdict = judge.verdict(ring, release)
            problem = self._note(verdict, judge.read(ring, release))
        if problem and verdict.word is Word.PASS:
            return inconclusive(ring, release, verdict.facts.now, problem)
        return judgement_of(verdict)

    def _note(self, verdict: Verdict, read: ResultColumns | None) -> str:
        """Notes what is new. Says why it could not be noted, "" if it was or need not be."""
        facts = verdict.facts
        place, said = (facts.ring, facts.release), (verdict.word.value, verdict.action.value, facts.started)
        if self._by is None or facts.unreadable or facts.started is None or self._noted.get(place) == said:
            return ""
        try:
            store = Store(self._url)
            try:
                hold_for(verdict, store)
                made = verdict_evidence(verdict, self._load(), store, new_run_id(), read=read)
                EvidenceChain(store, self._by).append(*made)
            finally:
                store.close()
        except StoreError as error:
            return f"the verdict cannot be noted as evidence: {redact(str(error))}"
        self._noted[place] = said
        return ""

    def _current(self, ring: str, release: str) -> Gate:
        inventory = self._load()
        changed = self._policy.stat().st_mtime_ns if self._policy else 0
        made_from = (id(inventory), inventory, changed)
        self._asked.add((ring, release))
        if self._gate is None or made_from != self._made_from or len(self._asked) > KEPT_BAKES:
            rules = load_policy(self._policy, inventory, [each.id for each in self._scenarios])
            if self._gate:
                self._gate.close()
            due = planned(inventory, self._scenarios)
            self._gate = Gate(lambda: Store(self._url), inventory, rules, due=due, clock=self._clock)
            self._made_from, self._asked = made_from, {(ring, release)}
        return self._gate


def judge_of(
    url: str,
    load: Callable[[], Inventory],
    policy: Path | None = None,
    scenarios: Sequence[Scenario] = (),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    by: EvidenceActor | None = None,
) -> VerdictSource:
    """The gate as this server asks it; `scenarios` are those that may be due. With `by` its verdicts are noted.

    Raises GatePolicyError with every mistake of the policy's file."""
    load_policy(policy, load(), [each.id for each in scenarios])
    return GateJudge(url, load, policy, scenarios, clock, by)


def judgement_of(verdict: Verdict) -> GateJudgement:
    """A verdict of the gate, as it is served."""
    facts = verdict.facts
    return GateJudgement(
        ring=facts.ring,
        release=facts.release,
        verdict=verdict.word.value,
        action=verdict.action.value,
        at=facts.now,
        reasons=tuple(redact(reason.sentence) for reason in verdict.reasons),
        outlook=tuple(redact(sentence) for sentence in (*verdict.outlook.sentences, *verdict.remarks)),
        since=facts.started,
        tested=tuple(facts.tested),
        expected=tuple(facts.expected),
        evidence={each.signal.value: each.quick for each in verdict.evidence},
        curves=tuple(
            Curve(
                each.signal.value,
                tuple((point.at, point.quick) for point in each.curve),
                hold=each.hold_at,
                pause=each.pause_at,
                roll_back=each.roll_back_at,
            )
            for each in verdict.evidence
        ),
        detail=as_json(verdict),
    )
