"""Leads a release, as a rehearsal or a rollout: ring by ring, wave by wave, stage by stage, until a ring speaks against
going on or none is left. A rehearsal takes a ring in one wave; what a rollout waits for, `pace` says.

What was decided or finished is in the record on disk before the next thing begins. So a rehearsal that was killed is
gone on with by the same command, and comes to the same end.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ringgate.domain.errors import ErpError, ErpTimedOut, OurSideError, RinggateError
from ringgate.domain.model import Residue, Scenario, Tenant
from ringgate.domain.terms import Layer, Outcome
from ringgate.execution.run_once import Engine
from ringgate.host.machine_load import MachineLoad, measured
from ringgate.inventory import Inventory
from ringgate.rollout.activating import activate, switch_off
from ringgate.rollout.background_load import BackgroundLoad
from ringgate.rollout.conditions import Condition, failed_as
from ringgate.rollout.lease import LeaseTaken
from ringgate.rollout.pace import AT_ONCE, Pace, RolloutHeld, Unlimited
from ringgate.rollout.platforms.hosted import ActionRefused
from ringgate.rollout.platforms.protocol import Platform
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.record import (
    Objection,
    RecordKeeper,
    RehearsalRecord,
    RingRecord,
    StageOutcome,
    StageRecord,
    worst,
)
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import NeighboursResult
from ringgate.rollout.stages.blame import PLAIN, is_plain
from ringgate.rollout.stages.context import SECOND_LOOK, StageFinding, applicable
from ringgate.rollout.stages.sequence import TenantStages
from ringgate.rollout.stages.upgrade import own_upgrade

_Work = tuple[str, Sequence[Tenant], Callable[[Tenant], StageFinding]]


class RolloutObserver(Protocol):
    """Whoever looks on: a terminal, a log. Called from several threads."""

    def began(self, ring: str, tenant: str, stage: str) -> None: ...
    def ended(self, ring: str, tenant: str, stage: str, record: StageRecord) -> None: ...
    def decided(self, ring: str, record: RingRecord) -> None: ...
    def remark(self, sentence: str) -> None: ...


@dataclass
class Rehearsal:
    """One release on one platform.

    `take_back` takes back what killed runs left on some tenants (True: work in flight, too), and says what it could
    not. `pause` waits before something that could not be done is tried once more. `opens` is asked before a ring is
    begun or gone on with: it returns when that may be, or raises what stands against it. `settled` raises what could
    not be noted as evidence. `pace` says who is next, and what must be waited for. `bake` is asked about a ring that is
    verified: it returns what speaks against promoting it, and raises RolloutHeld while that is not decided.
    """

    release: Release
    inventory: Inventory
    platform: Platform
    scenarios: Sequence[Scenario]
    engine: Callable[[], AbstractContextManager[Engine]]
    ledger: RecordKeeper
    stages: TenantStages
    watcher: RolloutObserver
    take_back: Callable[[bool, Collection[str]], Sequence[Residue]]
    pause: Callable[[], None] = lambda: time.sleep(SECOND_LOOK)
    opens: Callable[[str], None] = lambda ring: None
    settled: Callable[[], None] = lambda: None
    pace: Pace = field(default_factory=Unlimited)
    bake: Callable[[str], Sequence[Objection]] = lambda _: ()
    _loaded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def run(self) -> RehearsalRecord:
        """To its end, or until it must wait: then the record says for what (`waits`) and has no end.

        Raises what is wrong with our own side."""
        began = time.monotonic()
        record = self.ledger.record
        record.starts += 1
        before, record.waits = record.spent, ""
        try:
            self._tidy()
            self._rings()
            if record.activation and record.stopped is None:
                activate(self)
            record.left = [*self._unknown(), *(x.sentence for x in self.take_back(True, self._everybody))]
            for left in record.left:
                self.watcher.remark(left)
            record.ended = self.ledger.clock()
        except RolloutHeld as held:
            record.waits = str(held)
        finally:
            record.spent = before + time.monotonic() - began
            self.ledger.write()
        return record

    def _rings(self) -> None:
        """One after the other. What was begun and not needed is taken back while the next ring is at work."""
        spares: list[tuple[str, Future[Sequence[Residue]]]] = []
        with ThreadPoolExecutor(1, thread_name_prefix="spares") as pool:
            for ring, tenants in self.release.rings:
                kept = self.ledger.record.rings[ring]
                if kept.decision is None:
                    self.opens(ring)
                    self._ring(ring, tenants)
                if kept.decision is not RolloutAction.PROMOTE:
                    break
                spares.append((ring, pool.submit(self.take_back, True, {tenant.id for tenant in tenants})))
        for ring, future in spares:
            if problem := future.exception():
                told = f"{type(problem).__name__}: {problem}"
                self.watcher.remark(f"{ring}: what was begun and not needed is taken back once more, for {told}")

    def _tidy(self) -> None:
        """Takes back what an earlier start left half done: first the tenants, then what runs wrote into them. What was
        cut off is begun anew, when it may."""
        for tenant in self.release.tenants:
            kept = self.ledger.stage(tenant.id, "upgrade")
            known = not self._repaired(tenant)
            if known and kept and kept.outcome == "running" and not self._was_upgraded(tenant):
                self.ledger.renew(tenant.id, ("upgrade",))
        for left in self.take_back(False, self._everybody):
            self.watcher.remark(left.sentence)

    def _repaired(self, tenant: Tenant) -> str:
        """Why it cannot be found out now how far something on a tenant came, "" if it is known, and at rest. One that
        cannot be asked keeps nobody else waiting."""
        try:
            if self.platform.repair(tenant.id):
                self.watcher.remark(f"{tenant.id}: an upgrade had been cut off; the tenant is as it was before it")
        except (PlatformError, ActionRefused) as problem:
            words = f"{tenant.id}: nobody can tell how far what was begun on it has come: {problem}"
            self.watcher.remark(words)
            return words
        return ""

    def _unknown(self) -> list[str]:
        """Tenants whose upgrade got no answer are asked once more at the end; those of which still nobody can tell."""
        stages = [(tenant, self.ledger.stage(tenant.id, "upgrade")) for tenant in self.release.tenants]
        found = [self._repaired(tenant) for tenant, kept in stages if kept and kept.outcome == "broken"]
        return [each for each in found if each]

    def _was_upgraded(self, tenant: Tenant) -> bool:
        return own_upgrade(self.platform, self.ledger, tenant) is not None

    @property
    def _everybody(self) -> set[str]:
        return {tenant.id for tenant in self.inventory.tenants}

    # --- one ring -------------------------------------------------------------------------------------------------

    def _ring(self, ring: str, tenants: Sequence[Tenant]) -> None:
        kept = self.ledger.record.rings[ring]
        if kept.began is None:
            self.pace.open_ring(ring)
            kept.began = self.ledger.clock()
        reasons, left = list[Objection](), list(tenants)
        while left:
            wave = self.pace.wave(ring, left, self.ledger.record)
            found = self._wave(ring, wave, tenants[0], reasons)
            reasons += found
            left = [each for each in left if each not in wave]
            if not self._spares(ring, tenants, reasons):
                break
            self._set_apart(ring, wave, found)
        spared = self._spares(ring, tenants, reasons)
        if spared or not reasons:
            reasons += (against := list(self.bake(ring)))
            spared = spared and not against
        action = RolloutAction.PROMOTE if spared else worst(reasons)
        if action is RolloutAction.ROLL_BACK:
            begun = [each for each in tenants if self.ledger.stage(each.id, "baseline")]
            reasons += self.stage(ring, "rollback", begun, self.stages.roll_back)
        self.ledger.decide(ring, action, reasons)
        self.watcher.decided(ring, self.ledger.record.rings[ring])

    def _wave(self, ring: str, wave: Sequence[Tenant], first: Tenant, earlier: Sequence[Objection]) -> list[Objection]:
        """What speaks against these tenants. One that is not ready is left as it is; where the ring goes on all the
        same, the others of its wave are upgraded. Raises RolloutHeld when those that were begun are verified."""
        for tenant in wave:
            self._renew(tenant)
        reasons, held, not_ready = list[Objection](), dict[str, RolloutHeld](), set[str]()
        for name, everyone, do in self._work(wave, first):
            whom = [each for each in everyone if each.id not in not_ready and each.id not in held]
            if name == "upgrade" and not self._done(whom, name):
                whom = [each for each in whom if self._may_upgrade(each, held)]
                if not whom:
                    continue
                with self._background_load(ring) as background_load:
                    reasons += self.stage(ring, name, whom, do)
                reasons += self._judge_background_load(ring, background_load)
            else:
                reasons += self.stage(ring, name, whom, do)
            if name in ("baseline", "drill"):
                not_ready |= {each.tenant for each in reasons}
                if reasons and not self.pace.spares(ring, [*earlier, *reasons]):
                    break
            elif any(each.action is RolloutAction.ROLL_BACK for each in reasons) and not self.pace.spares(
                ring, [*earlier, *reasons]
            ):
                break
        if held and (not reasons or self.pace.spares(ring, [*earlier, *reasons])):
            raise next(iter(held.values()))
        return reasons

    def _work(self, wave: Sequence[Tenant], first: Tenant) -> list[_Work]:
        """The stages in their order: the name of each, whom it is for, and how it is done."""
        browser = {t.id: self._walks(t, first=t is first) for t in wave}
        plans = {tenant.id: applicable(tenant, self.release.plan_of(tenant.id)) for tenant in wave}
        drilled = [t for t in wave if plans[t.id].drill == "all" or t is first]
        return [
            ("baseline", wave, lambda t: self.stages.baseline(t, plans[t.id])),
            ("drill", drilled, self.stages.drill),
            ("upgrade", wave, lambda t: self.stages.upgrade(t, lambda: self.pace.may_upgrade(t))),
            ("fingerprint", wave, self.stages.fingerprint),
            ("verification", wave, lambda t: self.stages.verification(t, plans[t.id], browser[t.id])),
        ]

    def only(self, names: Collection[str], chosen: Collection[str]) -> list[Objection]:
        """Some stages of some tenants, round an upgrade that somebody else makes; what speaks against going on."""
        reasons = list[Objection]()
        for ring, tenants in self.release.rings:
            whom = [each for each in tenants if each.id in chosen]
            for name, everyone, do in self._work(whom, tenants[0]):
                if name in names:
                    reasons += self.stage(ring, name, everyone, do)
        return reasons

    def _may_upgrade(self, tenant: Tenant, held: dict[str, RolloutHeld]) -> bool:
        """One that came to its end before we were killed is gone on with, whatever the hour."""
        if not self._was_upgraded(tenant):
            try:
                self.pace.may_upgrade(tenant)
            except RolloutHeld as why:
                held[tenant.id] = why
                return False
        return True

    def _renew(self, tenant: Tenant) -> None:
        """A baseline that waited too long for its upgrade is taken again."""
        kept = self.ledger.stage(tenant.id, "baseline")
        begun = self.ledger.stage(tenant.id, "upgrade") is not None
        if kept is not None and not begun and not kept.reasons and not self.pace.fresh(kept.began):
            self.ledger.renew(tenant.id)

    def _spares(self, ring: str, tenants: Sequence[Tenant], reasons: Sequence[Objection]) -> bool:
        """Whether its budget covers what speaks against a ring. It covers no ring of which nobody is left."""
        against = {each.tenant for each in reasons}
        return not reasons or (any(each.id not in against for each in tenants) and self.pace.spares(ring, reasons))

    def _set_apart(self, ring: str, wave: Sequence[Tenant], reasons: Sequence[Objection]) -> None:
        """Rolls back, each by itself, the tenants of a wave that failed and are within their ring's budget."""
        failed = {each.tenant for each in reasons if each.action is RolloutAction.ROLL_BACK}
        self.stage(ring, "rollback", [each for each in wave if each.id in failed], self.stages.roll_back)

    def roll_back(self, by: str, why: str) -> RehearsalRecord:
        """Takes every ring back that was begun, the last first, because a person said so."""
        record = self.ledger.record
        self._tidy()
        switch_off(self, by, why)
        for ring, tenants in reversed(self.release.rings):
            begun = [each for each in tenants if self.ledger.stage(each.id, "upgrade")]
            if not begun:
                continue
            reasons = [self.objection(Condition.STOPPED_BY_PERSON, "", f"{by} had it rolled back: {why}")]
            reasons += self.stage(ring, "rollback", begun, self.stages.roll_back)
            self.ledger.decide(ring, RolloutAction.ROLL_BACK, reasons)
            self.watcher.decided(ring, record.rings[ring])
        record.left = [each.sentence for each in self.take_back(True, self._everybody)]
        record.ended, record.waits = self.ledger.clock(), ""
        self.ledger.write()
        return record

    def stage(
        self, ring: str, name: str, tenants: Sequence[Tenant], do: Callable[[Tenant], StageFinding]
    ) -> list[Objection]:
        """One stage of the tenants of a wave, unless an earlier start did it."""
        if not tenants:
            return []
        at_once = AT_ONCE if isinstance(self.pace, Unlimited) else len(tenants)
        with ThreadPoolExecutor(at_once, thread_name_prefix=name) as pool:
            found = list(pool.map(lambda tenant: self._once(ring, name, tenant, do), tenants))
        return [reason for each in found for reason in each]

    def _once(self, ring: str, name: str, tenant: Tenant, do: Callable[[Tenant], StageFinding]) -> list[Objection]:
        kept = self.ledger.stage(tenant.id, name)
        if kept is not None and kept.outcome != "running":
            return kept.reasons
        kept, began = self.ledger.open(tenant.id, name), time.monotonic()
        self.watcher.began(ring, tenant.id, name)
        try:
            found = self._attempt(name, tenant, do)
        except RolloutHeld:
            self.ledger.renew(tenant.id, (name,))
            raise
        kept.reasons = found.reasons
        unknown = all(each.condition is Condition.INCONCLUSIVE for each in found.reasons)
        outcome: StageOutcome = "passed" if not found.reasons else "broken" if unknown else "failed"
        self.ledger.close(tenant.id, kept, outcome, time.monotonic() - began, found.note, found.result)
        self.watcher.ended(ring, tenant.id, name, kept)
        return found.reasons

    def _attempt(self, name: str, tenant: Tenant, do: Callable[[Tenant], StageFinding]) -> StageFinding:
        """A stage that could not be done is tried once more, unless the ERP plainly said no: every stage may be."""
        load = MachineLoad()
        try:
            try:
                return do(tenant)
            except _NOT_THE_STAGES:
                raise
            except RinggateError as problem:
                if problem.kind in PLAIN:
                    raise
                self.ledger.failed(tenant.id, name, str(problem))
                self.watcher.remark(f"{tenant.id}: {name} is tried once more: {problem}")
            self.pause()
            with measured() as load:
                return do(tenant)
        except _NOT_THE_STAGES:
            raise
        except RinggateError as problem:
            slow = f" ({load}, which may be why)" if load.busy and isinstance(problem, ErpTimedOut) else ""
            unknown = slow or isinstance(problem, OurSideError)
            no_answer = isinstance(problem, ErpError) and problem.kind not in PLAIN
            condition = Condition.INCONCLUSIVE if unknown else failed_as(name, no_answer=no_answer)
            reason = self.objection(condition, tenant.id, f"{name}: {problem}{slow}")
            return StageFinding(note="could not be done", reasons=[reason])

    def objection(self, condition: Condition, tenant: str, sentence: str) -> Objection:
        """One thing that speaks against going on; what comes of it is the release's to say."""
        action = self.release.table.conditions.action(condition)
        return Objection(condition=condition, action=action, tenant=tenant, sentence=sentence)

    def _done(self, tenants: Sequence[Tenant], name: str) -> bool:
        kept = [self.ledger.stage(tenant.id, name) for tenant in tenants]
        return all(each is not None and each.outcome != "running" for each in kept)

    def _walks(self, tenant: Tenant, *, first: bool) -> bool:
        plan = self.release.plan_of(tenant.id)
        return bool(tenant.web) and (plan.browser == "all" or (plan.browser == "first" and first))

    # --- its neighbours ---------------------------------------------------------------------------------------------

    def _background_load(self, ring: str) -> BackgroundLoad:
        inside = {tenant.id for name, tenants in self.release.rings if name == ring for tenant in tenants}
        neighbours = [tenant for tenant in self.inventory.tenants if tenant.id not in inside]
        kept = self.ledger.record.rings
        later = {t.id for name, tenants in self.release.rings if kept[name].decision is None for t in tenants} - inside
        neighbours.sort(key=lambda tenant: tenant.id not in later)
        alone = [each for each in self.scenarios if each.layer in (Layer.PLATFORM, Layer.PROCESS)]
        every = self.release.table.background_load.every.total_seconds()
        return BackgroundLoad(neighbours, alone, self.engine, every, frozenset(later), self._loaded)

    def _judge_background_load(self, ring: str, load: BackgroundLoad) -> list[Objection]:
        """A neighbour that gave a wrong answer suffered. One that gave none may have been slow for another reason."""
        reasons, at = [], f"While {ring} was migrated"
        for result in load.failures:
            told = result.failure.message if result.failure else ""
            plain = is_plain(result)
            condition = Condition.BACKGROUND_LOAD_FAILED if plain else Condition.INCONCLUSIVE
            words = "failed on its neighbour" if plain else "got no proper answer on its neighbour"
            reasons.append(self.objection(condition, result.tenant, f"{at}, {result.scenario} {words}: {told}"))
        if load.error or load.broken:
            broken = load.broken[0] if load.broken else None
            told = load.error or (broken.failure.message if broken and broken.failure else "")
            words = f"{at}, its neighbours could not be tested: {told}"
            reasons.append(self.objection(Condition.INCONCLUSIVE, broken.tenant if broken else "", words))
        outcomes = [result.outcome.value for result in load.results]
        self.ledger.record.rings[ring].background_load = NeighboursResult(
            neighbours=[tenant.id for tenant in load.neighbours],
            outcomes={word: outcomes.count(word) for word in sorted(set(outcomes))},
            slowest=max((x.seconds for x in load.results if x.outcome is Outcome.PASSED), default=0.0),
        )
        self.ledger.write()
        return reasons


_NOT_THE_STAGES = (RolloutHeld, LeaseTaken)
"""What says nothing of a stage: it may not begin now, or not by us."""
