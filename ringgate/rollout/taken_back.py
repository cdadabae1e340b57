"""A tenant that was rolled back runs the release before: what probes meet on it from then on is not the release's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ringgate.domain.model import TAKEN_BACK, Deployment
from ringgate.execution.run_once import new_run_id
from ringgate.rollout.record import RehearsalRecord, StageRecord
from ringgate.store import Store, StoreError


@dataclass
class TakenBack:
    """Notes it in the store where the rollout had noted the release there. `remark` tells what could not be noted."""

    open_store: Callable[[], Store]
    remark: Callable[[str], None]
    _done: set[str] = field(default_factory=set)

    def note(self, record: RehearsalRecord) -> None:
        """Once for each rollback, also over several starts. Never raises."""
        stages = {tenant: kept.stages.get("rollback") for tenant, kept in record.tenants.items()}
        passed = {tenant: stage for tenant, stage in stages.items() if stage and stage.outcome == "passed"}
        back = {tenant: stage for tenant, stage in passed.items() if _key(tenant, stage) not in self._done}
        if not back:
            return
        try:
            store = self.open_store()
            try:
                for tenant, stage in back.items():
                    self._note(store, record, tenant, stage)
                    self._done.add(_key(tenant, stage))
            finally:
                store.close()
        except StoreError as error:
            self.remark(f"{', '.join(back)}: that they run {record.before} again is not noted in the store: {error}")

    def _note(self, store: Store, record: RehearsalRecord, tenant: str, stage: StageRecord) -> None:
        ring, by = record.tenants[tenant].ring, f"rollout {record.session}"
        reached = [x for x in store.deployments(ring=ring) if tenant in x.tenants or not x.tenants]
        if not reached or reached[-1].by != by or reached[-1].taken_back or reached[-1].at > stage.began:
            return
        to = _before(reached, record)
        store.deployed(Deployment(new_run_id(), stage.began, ring, to, (tenant,), TAKEN_BACK, by))


def _before(reached: Sequence[Deployment], record: RehearsalRecord) -> str:
    """What its runs were called before: by the last other release that was noted, else by its series."""
    return next((each.release for each in reversed(reached) if each.release != record.release), record.before)


def _key(tenant: str, stage: StageRecord) -> str:
    return f"{tenant} {stage.began.isoformat()}"
