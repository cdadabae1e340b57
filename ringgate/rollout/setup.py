"""Puts a rehearsal together from this machine's folders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from ringgate.domain.model import Residue
from ringgate.domain.terms import Source
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.registry import Drivers
from ringgate.evidence import this_actor
from ringgate.execution import setup
from ringgate.execution.recovery import recover
from ringgate.execution.twins import Twins
from ringgate.execution.undo import SETTLE, Patience
from ringgate.host import paths
from ringgate.host.secrets import redact
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory
from ringgate.inventory.tenants import reference
from ringgate.rollout.approval_wait import RingApprovals
from ringgate.rollout.control_gate import held_by_controls
from ringgate.rollout.controller import Rehearsal, RolloutObserver
from ringgate.rollout.evidence import RolloutEvidence
from ringgate.rollout.flags.protocol import FlagSwitch
from ringgate.rollout.messages import RolloutMessages, messages_of
from ringgate.rollout.platforms.protocol import Platform
from ringgate.rollout.record import RecordKeeper, RehearsalRecord
from ringgate.rollout.release import Release
from ringgate.rollout.stages.context import StageContext
from ringgate.rollout.stages.sequence import TenantStages
from ringgate.rollout.surface import Surfaces
from ringgate.rollout.taken_back import TakenBack
from ringgate.scenario.discovery import known_scenarios
from ringgate.store import Store
from ringgate.twins.files import TwinFolder

LED_AS = {"rehearsals": "rehearsal", "rollouts": "rollout", "brackets": "before and after"}
"""What is led, by the folder of its record."""


def assembled(
    release: Release,
    inventory: Inventory,
    platform: Platform,
    ledger: RecordKeeper,
    watcher: RolloutObserver,
    results: str | None = None,
    settle: float = SETTLE,
    flags: Sequence[FlagSwitch] = (),
) -> Rehearsal:
    """A rehearsal that is ready to run; `ledger` has its record already.

    `results` is the store's URL, `settle` the seconds for which a write that got no answer may still come.
    `flags` are the features that are switched on at its end.
    """
    record = ledger.record
    rings = {name: tenant.ring for name, tenant in record.tenants.items()}
    surfaces = Surfaces(ledger.folder, rings, release.accepted, release.table.integrations, release.id)
    every = release.table.twins.every
    twins = Twins(TwinFolder(paths.twins()), every, release.reviewed) if every else None
    engine = partial(
        setup.engine, inventory.tenants, session=record.session, release=record.release, source=Source.REHEARSAL,
        results=results, sinks=[surfaces], twins=twins,
    )  # fmt: skip
    known = list(known_scenarios().values())
    processes = [each for each in known if isinstance(each, TwoPhaseScenario)]
    scenarios = [each for each in known if not isinstance(each, TwoPhaseScenario)]

    def take_back(in_flight: bool, whose: Collection[str]) -> Sequence[Residue]:
        """Patiently, and notes in the store what was taken back. Returns what could not be."""
        drivers = Drivers([tenant.erp for tenant in inventory.tenants])
        store = Store(setup.results_url(results))
        tenants = {tenant.id: tenant for tenant in inventory.tenants}
        try:
            done = recover(
                Journal(paths.journal()), tenants, drivers, only=frozenset(whose), redact=redact, settle=settle,
                in_flight=in_flight, patience=Patience(), sinks=[store],
            )  # fmt: skip
        finally:
            drivers.close()
            store.close()
        return [left for each in done for left in each.left]

    context = StageContext(
        release=release,
        platform=platform,
        scenarios=scenarios,
        processes=processes,
        engine=engine,
        folder=ledger.folder,
        label=record.session,
        ledger=ledger,
        history=partial(setup.results_of, record.session, results),
        surfaces=surfaces,
        flags=flags,
        take_back=lambda tenant: take_back(False, {tenant.id}),
        started=ledger.clock(),
    )
    stages = TenantStages(context)
    by = this_actor()
    evidence = RolloutEvidence(lambda: Store(setup.results_url(results)), by, release, type(platform).__name__)
    evidence.led_as = LED_AS.get(ledger.folder.parent.name, "rollout")
    approvals = RingApprovals(lambda: Store(setup.results_url(results)), by, release, watcher.remark)
    addresses = [(reference(each.to, "", release.path.parent), each.on) for each in release.table.notify]
    messages = RolloutMessages(addresses, watcher.remark, {each.key for each in messages_of(record)})

    back = TakenBack(lambda: Store(setup.results_url(results)), watcher.remark)

    def noted(kept: RehearsalRecord) -> None:
        evidence.note(kept)
        back.note(kept)
        messages.note(kept)
        if kept.ended:
            messages.settle()

    def waits(sentence: str) -> None:
        record.waits = sentence
        ledger.write()

    approvals.waits = waits

    ledger.noted = noted

    def opens(ring: str) -> None:
        evidence.settle(record)
        held_by_controls(release, lambda: Store(setup.results_url(results)), by)
        approvals.wait(record, ring)

    return Rehearsal(
        release, inventory, platform, scenarios, engine, ledger, stages, watcher, take_back,
        opens=opens, settled=lambda: evidence.settle(record),
    )  # fmt: skip
