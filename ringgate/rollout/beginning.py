"""How a rehearsal or a rollout begins, or goes on with the record of an earlier start."""

from __future__ import annotations

from collections.abc import Mapping

from ringgate.domain.errors import RinggateError
from ringgate.rollout.platforms.protocol import Platform
from ringgate.rollout.platforms.registry import PlatformError
from ringgate.rollout.record import ACTIVATION_STAGES, FORM, RecordKeeper, RehearsalRecord, RingRecord, TenantRecord
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction


class AlreadyThere(RinggateError):
    """A tenant runs the new series before the rehearsal began."""


class AnotherRelease(RinggateError):
    """An unfinished rehearsal is of another text of the release definition."""


def begin(ledger: RecordKeeper, release: Release, platform: Platform, session: str, *, activates: bool = False) -> bool:
    """Finds the record of an unfinished rehearsal, or begins a new one. Says whether it goes on with one. `activates`:
    features are switched on at its end, if the release has some.

    Raises AnotherRelease or AlreadyThere before anything is touched, and PlatformError where no tenant can be asked.
    One of several that cannot be is no reason to wait: it counts against its ring when it is its turn.
    """
    kept = ledger.find()
    if kept is not None and kept.ended is None:
        if kept.digest != release.digest:
            raise AnotherRelease(
                f"The rehearsal of {kept.release} begun at {kept.began:%Y-%m-%d %H:%M} UTC is not finished, but "
                f"{release.path} has changed since: put the old text back, or give --anew to begin again."
            )
        return True
    table = release.table
    if table.after != table.before and (there := _already(release, platform)):
        raise AlreadyThere(
            f"{', '.join(there)} run {table.after} already: give --anew to have them fresh and begin again."
        )
    ledger.begin(
        RehearsalRecord(
            form=FORM,
            release=release.id,
            title=table.title,
            before=table.before,
            after=table.after,
            risk=table.risk.value,
            digest=release.digest,
            session=session,
            began=ledger.clock(),
            tenants={tenant.id: TenantRecord(ring=ring) for ring, tenants in release.rings for tenant in tenants},
            rings={ring: RingRecord() for ring, _ in release.rings},
            activation={ring: RingRecord() for ring, _ in release.rings if activates and table.activation},
            skipped={name: each.reason for name, each in release.skipped.items()},
        )
    )
    return False


def _already(release: Release, platform: Platform) -> list[str]:
    """Tenants that run the new series."""
    found, unknown = list[str](), list[PlatformError]()
    for tenant in release.tenants:
        try:
            if platform.series(tenant.id) == release.table.after:
                found.append(tenant.id)
        except PlatformError as problem:
            unknown.append(problem)
    if unknown and len(unknown) == len(release.tenants):
        raise unknown[0]
    return found


def reopen(ledger: RecordKeeper) -> None:
    """Makes a rollout that a ring stopped, or that was taken back, one that is under way again: what failed is done
    again, tenants that were rolled back from the beginning. What the other rings came to stays."""
    record = ledger.find()
    if record is None:
        return
    stopped = _not_promoted(record.rings)
    dark = {*_not_promoted(record.activation), *(name for name in stopped if name in record.activation)}
    if not stopped and not dark:
        return
    for tenant in record.tenants.values():
        if tenant.ring in dark:
            for stage in ACTIVATION_STAGES:
                tenant.stages.pop(stage, None)
    record.activation.update((name, RingRecord(began=record.activation[name].began)) for name in dark)
    for tenant in record.tenants.values():
        if tenant.ring not in stopped:
            continue
        if "rollback" in tenant.stages:
            tenant.stages.clear()
        failed = next((name for name, each in tenant.stages.items() if each.reasons), None)
        names = list(tenant.stages)
        for name in names[names.index(failed) :] if failed else ():
            del tenant.stages[name]
    for name in stopped:
        record.rings[name] = RingRecord(began=record.rings[name].began)
    record.ended, record.left = None, []
    ledger.write()


def _not_promoted(rings: Mapping[str, RingRecord]) -> list[str]:
    """Those that were decided on, and against."""
    return [name for name, ring in rings.items() if ring.decision not in (None, RolloutAction.PROMOTE)]
