"""A ring that is verified bakes until the gate has decided: what probes met on it since its upgrade, judged as
`ringgate gate` judges it. Only a promotion of the gate's promotes the ring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringgate.domain.model import Deployment
from ringgate.execution.run_once import new_run_id
from ringgate.gate import Verdict
from ringgate.gate.verdict import Action
from ringgate.rollout.conditions import Condition
from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.record import Objection, RehearsalRecord
from ringgate.rollout.release_tables import RolloutAction
from ringgate.store import Store


class RingJudge(Protocol):
    def verdict(self, ring: str, release: str) -> Verdict: ...


@dataclass
class GateBake:
    """`objection` makes one of a condition and a sentence, by the release's `[conditions]`."""

    judge: RingJudge
    open_store: Callable[[], Store]
    record: Callable[[], RehearsalRecord]
    objection: Callable[[Condition, str], Objection]

    def __call__(self, ring: str) -> Sequence[Objection]:
        """What speaks against promoting the ring. Raises RolloutHeld while nothing is decided."""
        self._note(ring)
        verdict = self.judge.verdict(ring, self.record().release)
        if verdict.action is Action.PROMOTE:
            return ()
        why = verdict.reasons[0].sentence if verdict.reasons else "it gives no reason"
        if verdict.action is Action.WAIT:
            raise RolloutHeld(f"ring {ring} bakes: {why}")
        if verdict.action is Action.ROLL_BACK:
            return (self.objection(Condition.BAKE_FAILED, f"The gate says roll back: {why}"),)
        found = self.objection(Condition.INCONCLUSIVE, f"The gate says {verdict.action.value}: {why}")
        return (found.model_copy(update={"action": RolloutAction.PAUSE}),)

    def _note(self, ring: str) -> None:
        """From when on results on each tenant are the release's own: from the end of its own upgrade, for the others of
        its ring may come hours later. Once, also over several starts."""
        record = self.record()
        store = self.open_store()
        try:
            known = store.deployments(ring=ring)
            for tenant, kept in record.tenants.items():
                upgrade, after = kept.stages.get("upgrade"), kept.stages.get("fingerprint")
                if kept.ring != ring or upgrade is None or after is None or upgrade.outcome != "passed":
                    continue
                if not any(_says(each, record.release, tenant, upgrade.began) for each in known):
                    by = f"rollout {record.session}"
                    store.deployed(Deployment(new_run_id(), after.began, ring, record.release, (tenant,), by=by))
        finally:
            store.close()


def _says(deployment: Deployment, release: str, tenant: str, since: datetime) -> bool:
    """Whether it says that the tenant got the release, and when it was upgraded or later."""
    whom = deployment.tenants or (tenant,)
    return deployment.release == release and tenant in whom and deployment.at >= since
