"""Before a ring is opened: every control that the release asks for is read anew, noted, and passes."""

from __future__ import annotations

from collections.abc import Callable

from ringgate.evidence import EvidenceActor, EvidenceChain
from ringgate.rollout.controls import control_evidence, judge_controls
from ringgate.rollout.pace import RolloutHeld
from ringgate.rollout.release import Release
from ringgate.store import Store


def held_by_controls(release: Release, open_store: Callable[[], Store], by: EvidenceActor) -> None:
    """Raises RolloutHeld with what does not pass, and StoreError where that cannot be noted."""
    found = judge_controls(release.table.controls, release.path.parent)
    if not found:
        return
    store = open_store()
    try:
        EvidenceChain(store, by).append(*(control_evidence(each, release.id) for each in found))
    finally:
        store.close()
    if wrong := [f"control {each.name}: {each.problem}" for each in found if each.problem]:
        raise RolloutHeld(f"{'; '.join(wrong)}. The same command goes on when that is mended")
