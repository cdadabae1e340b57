"""What comes of a fault: it is switched on, rounds are run until the gate stops the rollout, and it is taken back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Outcome
from ringgate.estate.certificates import secured
from ringgate.estate.faults import Fault, repair
from ringgate.gate import GatePolicy, GateState, Verdict
from ringgate.judging.judge import Judge
from ringgate.store import Store
from tests.evaluation.faults.plans import clean_round, fault_round
from tests.evaluation.faults.rounds import RING, STEP, Bake, Bench, Clock, baking

POLICY = GatePolicy(tick=STEP, slower=1.2)
"""A run counts as slow from a fifth longer than before: other work on this machine may make it a little slower. Half as
long again was too much: where posting takes 2.5 s longer, whole runs take 1.6 times as long as usual, which a baseline
from a busy machine does not exceed. What part of a run posting takes says more: a busy machine changes it little."""

LEARNING = 20
"""Rounds before the first release, which are nothing but the baseline."""
MOST = 12
MOST_SLOW = 20
MOST_BY_CHANCE = 30
"""Rounds that a fault has to be noticed in, one that makes runs slower, and one that hits a few calls of a hundred."""
STOPS = (GateState.HOLD, GateState.PAUSE, GateState.ROLL_BACK)


@dataclass
class Trial:
    """What came of one fault. `by` are the scenarios that failed, `silent` those that were meant to and passed,
    `otherwise` those that failed for another reason than they were meant to."""

    fault: str
    expected: str
    caught: bool = False
    action: str = ""
    runs: int = 0
    rounds: int = 0
    cause: str = ""
    because: str = ""
    by: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        return self.caught and self.cause == self.expected

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "right": self.right}


def most_rounds(fault: Fault) -> int:
    if fault.chance < 1:
        return MOST_BY_CHANCE
    return MOST_SLOW if fault.sign == "slowness" else MOST


def judge_of(bench: Bench, bake: Bake, clock: Clock) -> Judge:
    return Judge(lambda: Store(bake.store_url), bench.inventory, POLICY, clock=lambda: clock.now)


def stops(fault: Fault, verdict: Verdict) -> bool:
    """Whether the rollout does not go on. What keeps us from the ERP is no evidence against it, but stops it, too."""
    if fault.sign == "broken":
        return any(reason.rule == "too_many_broken" for reason in verdict.reasons)
    return verdict.state in STOPS


def learn(bench: Bench, file: Path, clock: Clock) -> None:
    """What is usual."""
    with baking(bench, file, "before", clock) as before:
        for number in range(LEARNING):
            before.round(clean_round(number, list(bench.tenants)))


def clean(bench: Bench, file: Path, clock: Clock, rounds: int) -> Iterator[Verdict]:
    """Bakes a release that changes nothing: its verdict after each round."""
    tenants = list(bench.tenants)
    with baking(bench, file, "clean", clock) as bake:
        bake.deploy()
        judge = judge_of(bench, bake, clock)
        for number in range(rounds):
            bake.round(clean_round(LEARNING + number, tenants))
            yield judge.verdict(RING, bake.release)
        judge.close()


def try_out(bench: Bench, fault: Fault, baseline: Path, clock: Clock) -> Trial:
    """One fault from its switch to the last trace of it. What goes wrong on the way is in the trial."""
    trial, began = Trial(fault.id, fault.cause), time.monotonic()
    hit = bench.of(fault.currency)
    try:
        before = bench.books(hit)
        with _copy(baseline, bench.folder / f"{fault.id}.sqlite") as file:
            _bake(bench, fault, hit, file, clock, trial)
        trial.left = bench.take_back(bench.tenants)
        if bench.books(hit) != before:
            trial.left.append(f"the books of {hit.id} are others than before")
    except RinggateError as error:
        trial.error = str(error)
    if trial.left or trial.error:
        _make_anew(bench, hit)
    trial.seconds = time.monotonic() - began
    return trial


@contextmanager
def _copy(baseline: Path, file: Path) -> Iterator[Path]:
    """The baseline's results in a file of its own, whatever a killed trial left of one."""

    def remove() -> None:
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()

    remove()
    shutil.copyfile(baseline, file)
    try:
        yield file
    finally:
        remove()


def _bake(bench: Bench, fault: Fault, hit: Tenant, file: Path, clock: Clock, trial: Trial) -> None:
    where = hit.id if fault.scope == "tenant" else ""
    instead: Mapping[str, Tenant] = {hit.id: secured(bench.estate, hit)} if fault.secure else {}
    with baking(bench, file, fault.id, clock, impatient=fault.times_out) as bake:
        bake.deploy()
        judge = judge_of(bench, bake, clock)
        try:
            fault.on(bench.estate, where)
            for number in range(most_rounds(fault)):
                turns = fault_round(fault, number, hit.id, list(bench.tenants))
                bake.round(turns, instead)
                verdict = judge.verdict(RING, fault.id)
                if stops(fault, verdict):
                    break
        finally:
            fault.off(bench.estate, where)
            judge.close()
        _note(trial, fault, bake.results, verdict, number + 1)


def _note(trial: Trial, fault: Fault, results: Sequence[RunResult], verdict: Verdict, rounds: int) -> None:
    trial.caught = stops(fault, verdict)
    trial.action = verdict.action.value if verdict.state in STOPS else verdict.state.value
    trial.rounds, trial.runs = rounds, len(results)
    trial.cause, trial.because = (verdict.cause[0].value, verdict.cause[1]) if verdict.cause else ("", "")
    meant = [each for each in results if each.scenario in fault.catches and each.channel is fault.channel]
    bad = [each for each in results if each.outcome in (Outcome.FAILED, Outcome.BROKEN)]
    trial.by = sorted({each.scenario for each in bad})
    if fault.certain:
        on_it = [each for each in meant if fault.scope == "estate" or each in bad or each.tenant == results[0].tenant]
        trial.silent = sorted({each.scenario for each in on_it if each not in bad})
        trial.otherwise = sorted({f"{each.scenario}: {_why(each)}" for each in bad if not _as_said(fault, each)})


def _as_said(fault: Fault, result: RunResult) -> bool:
    words = fault.says.get(result.scenario)
    return words is not None and result.channel is fault.channel and words in _why(result)


def _why(result: RunResult) -> str:
    return f"{result.failure.kind}: {result.failure.message}" if result.failure else result.reason


def _make_anew(bench: Bench, hit: Tenant) -> None:
    """Whatever stands in the way of the next fault."""
    repair(bench.estate)
    repair(bench.estate, hit.id)
    bench.estate.reset(hit.id)
    for journal in bench.journal.free(frozenset({hit.id})):
        journal.path.unlink(missing_ok=True)
        journal.release()
