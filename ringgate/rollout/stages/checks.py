"""Checks of a tenant, before and after the upgrade: run beside each other, looked at again where they prove nothing,
taken back patiently, and judged only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ringgate.domain.model import Residue, RunResult, Scenario, Tenant
from ringgate.domain.terms import Channel, Outcome
from ringgate.host.machine_load import measured
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import Objection
from ringgate.rollout.results import Counts, SecondLook
from ringgate.rollout.stages.beside import Job
from ringgate.rollout.stages.blame import (
    Looked,
    check_of,
    condition_of,
    condition_of_residue,
    needs_second_look,
    passed,
    sentence_of,
)  # fmt: skip
from ringgate.rollout.stages.context import StageContext

Check = tuple[Scenario, Channel]
Paces = Mapping[tuple[str, Channel], float]

ENOUGH = 3
"""When so many have failed again, no more are looked at: the tenant is down, or has too much to do."""


@dataclass
class Checked:
    """All checks of a stage so far, and what could not be taken back."""

    looked: list[Looked] = field(default_factory=list)
    left: list[Residue] = field(default_factory=list)

    @property
    def again(self) -> list[SecondLook]:
        """Those that were looked at twice, for people."""
        return [_shown(each) for each in self.looked if each.second]

    @property
    def fine(self) -> bool:
        """Whether all passed, or do not apply."""
        return all(passed(x.counts) or x.counts.outcome is Outcome.SKIPPED for x in self.looked)

    def counts(self, only: frozenset[str] | None = None) -> Counts:
        """How many came to what, as they are judged; of these scenarios only."""
        left = {each.run_id for each in self.left}
        counting = [x.counts for x in self.looked if only is None or x.counts.scenario in only]
        words = [
            (Outcome.PASSED if passed(each) and each.run_id not in left else each.outcome).value for each in counting
        ]
        return {word: words.count(word) for word in sorted(set(words))}


def job_of(context: StageContext, tenant: Tenant, check: Check, paces: Paces) -> Job:
    """One check as a job."""
    scenario, channel = check
    return Job(lambda: [context.run(tenant, scenario, channel)], paces.get((scenario.id, channel)))


def paces_of(context: StageContext, tenant: Tenant) -> dict[tuple[str, Channel], float]:
    """Seconds that each scenario took on the tenant before it was upgraded: the last that passed."""
    upgrade = context.ledger.stage(tenant.id, "upgrade")
    return {
        (each.scenario, each.channel): each.seconds
        for each in context.history()
        if each.tenant == tenant.id
        and each.outcome is Outcome.PASSED
        and (upgrade is None or each.started_at < upgrade.began)
    }


def settle(context: StageContext, tenant: Tenant, results: Sequence[RunResult]) -> Checked:
    """What these checks come to: takes back what they left, looks again, alone and after a pause, at what proved
    nothing, and takes back what that left."""
    if not any(map(needs_second_look, results)):
        return Checked([Looked(each) for each in results], _taken_back(context, tenant, results))
    context.take_back(tenant)
    context.pause()
    scenarios = {each.id: each for each in context.scenarios}
    looked, failed_again = list[Looked](), 0
    for result in results:
        scenario = scenarios.get(result.scenario)
        if scenario is None or failed_again >= ENOUGH or not needs_second_look(result):
            looked.append(Looked(result))
            continue
        with measured() as load:
            second = context.run(tenant, scenario, result.channel)
        failed_again += second.outcome is Outcome.FAILED and not passed(second)
        looked.append(Looked(result, second, str(load) if load.busy else ""))
    return Checked(looked, list(context.take_back(tenant)))


def _taken_back(context: StageContext, tenant: Tenant, results: Sequence[RunResult]) -> list[Residue]:
    """Nothing is asked of the ERP where every run says that it left nothing."""
    return list(context.take_back(tenant)) if any(each.residue for each in results) else []


def judge(
    context: StageContext,
    tenant: Tenant,
    checked: Checked,
    at: str,
    wrong: Callable[[str], Condition],
    refused: Condition = Condition.PROCESS_FAILED,
) -> list[Objection]:
    """What the checks speak for. `wrong` says of a scenario what it means that the ERP failed it, `refused` what it
    means that the ERP refused to take something back; `at` is when it was, in words."""
    found = []
    for looked in checked.looked:
        condition = condition_of(looked, wrong(looked.counts.scenario))
        if condition is not None:
            found.append(context.objection(condition, tenant, sentence_of(looked, at)))
    for left in checked.left:
        found.append(context.objection(condition_of_residue(left, refused), tenant, left.sentence))
    if checked.looked and not found and not any(passed(each.counts) for each in checked.looked):
        words = f"Nothing was tested {at}: every check was skipped."
        found.append(context.objection(Condition.INCONCLUSIVE, tenant, words))
    return found


def _shown(looked: Looked) -> SecondLook:
    first, second = looked.first, looked.counts
    told = second.failure.message if second.failure else second.outcome.value
    then = "passed" if passed(second) else told
    met = first.failure.message if first.failure else first.outcome.value
    return SecondLook(check_of(first), met, then)
