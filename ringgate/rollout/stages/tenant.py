"""The stages of one tenant. Each does its work, and says in `Found` what it came to and what speaks against going on.

A stage may be killed and done again: what it leaves half done is taken back by the next start (`Platform.repair`, the
undo journal), and what is begun before the upgrade is begun once.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ringgate.domain.model import Channel, Layer, Outcome, Role, RunResult, Scenario, Tenant
from ringgate.domain.two_phase import TwoPhaseScenario
from ringgate.drivers.protocol import Call, Connection
from ringgate.execution.recovery import recover, waiting
from ringgate.execution.run_once import Engine, new_run_id, run_once
from ringgate.execution.two_phase import CutOff, begin_in_flight, finish_in_flight
from ringgate.fingerprint import ComparisonPolicy, Difference, compare, files, judge
from ringgate.fingerprint.model import Fingerprint
from ringgate.host.undo_journal import Journal
from ringgate.rollout.losses import losses, note_losses
from ringgate.rollout.platforms.protocol import Backup, Platform, UpgradeRefused
from ringgate.rollout.record import Objection, RecordKeeper
from ringgate.rollout.release import Plan, Release
from ringgate.rollout.surface import Surfaces

_CONDITION = {
    Layer.PLATFORM: "platform_failed",
    Layer.PROCESS: "process_failed",
    Layer.INTEGRATION: "process_failed",
    Layer.ISOLATION: "isolation_failed",
}


SPARE = "-spare"
"""What the label of the second set of begun work ends with."""

LANES = 4
"""How much of a tenant's verification runs beside each other."""

FRESH = timedelta(minutes=10)
"""How long a result may serve as baseline: for the time that migrating one ring takes."""

_CHANNELS = {Channel.API: "API", Channel.BROWSER: "browser"}


@dataclass
class Found:
    """What a stage came to: a note of a few words, what the report shows, and reasons against going on."""

    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    reasons: list[Objection] = field(default_factory=list)


@dataclass(frozen=True)
class StageContext:
    """What the stages of a rehearsal share.

    `engine` makes one for the calling thread, `folder` keeps their files, `label` is that of the results and of begun
    work, `processes` are begun before the upgrade and finished after it, `history` reads the results so far, `surfaces`
    compares what the ERP offers. `started` is when this start of the rehearsal was made.
    """

    release: Release
    platform: Platform
    scenarios: Sequence[Scenario]
    engine: Callable[[], AbstractContextManager[Engine]]
    folder: Path
    label: str
    policy: ComparisonPolicy
    processes: Sequence[TwoPhaseScenario]
    ledger: RecordKeeper
    history: Callable[[], Sequence[RunResult]]
    surfaces: Surfaces
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    # --- before -----------------------------------------------------------------------------------------------------

    def baseline(self, tenant: Tenant, plan: Plan) -> Found:
        """The processes as they run before the change, work begun that must outlive it, and the books.

        What ran well on the tenant a moment ago, while another ring was migrated, is not run again."""
        found = Found()
        chosen = [each for each in self._chosen(plan) if each.layer is not Layer.ISOLATION]  # its rules are absolute
        results = self._just_passed(tenant, chosen, plan)
        known = {result.scenario for result in results}
        with ThreadPoolExecutor(2, thread_name_prefix=f"baseline-{tenant.id}") as pool:
            begun = pool.submit(self._begin_in_flight, tenant) if plan.in_flight else None
            ahead = pool.submit(self._read_ahead, tenant) if plan.surface else None
            results += self._run(tenant, [(each, Channel.API) for each in chosen if each.id not in known])
            self._judge(found, tenant, results, at="before the upgrade")
            for reason in found.reasons:
                reason.condition = "not_ready" if reason.condition != "inconclusive" else "inconclusive"
                reason.action = self._action(reason.condition)
            found.reasons += begun.result() if begun else []
            if ahead:
                ahead.result()
        with self.engine() as engine:
            with connected(engine, tenant) as connection:
                before = connection.books().fingerprint()
                self._keep(tenant, "before", before)
                if plan.surface:
                    self.surfaces.before(tenant, connection, before.extensions)
            wait = sum(1 for each in waiting(engine.journal, only=frozenset({tenant.id})) if each.label == self.label)
        found.detail = {"runs": _counts(results), "begun": wait, "books": _size(before)}
        found.note = f"{_passed(results)} checks passed, {wait} begun for after"
        return found

    def _just_passed(self, tenant: Tenant, chosen: Sequence[Scenario], plan: Plan) -> list[RunResult]:
        """The last result of each scenario on this tenant, where it is a pass and fresh, and what it used is known."""
        names, since = {each.id for each in chosen}, datetime.now(UTC) - FRESH
        last = {x.scenario: x for x in self.history() if x.tenant == tenant.id and x.scenario in names}
        fine = [x for x in last.values() if x.outcome is Outcome.PASSED and x.started_at >= since and not x.residue]
        known = self.surfaces.known() if plan.surface else names
        return [each for each in fine if each.scenario in known]

    def drill(self, tenant: Tenant) -> Found:
        """Backs the tenant up, restores it beside itself, and compares the books of both."""
        found = Found()
        earlier = self.platform.backups(tenant.id)
        backup = self.platform.backup(tenant.id)
        began = time.monotonic()
        # The sessions on the copy end before the copy does.
        with (
            self.platform.beside(tenant.id, backup.name) as copy,
            self.engine() as engine,
            connected(engine, copy) as connection,
        ):
            connection.sign_in(Role.AUDITOR).who_am_i()
            recovery_time = time.monotonic() - began
            restored = connection.books().fingerprint()
        recovery_point = (datetime.now(UTC) - backup.taken_at).total_seconds()
        differences = compare(self._kept(tenant, "before"), restored, self.policy.tolerances)
        found.detail = {
            "backup": backup.name, "size": backup.size, "backup_seconds": backup.seconds,
            "earlier_backup_age": _age(earlier[-1]) if earlier else None,
            "recovery_time": recovery_time, "recovery_point": recovery_point,
            "promised_time": tenant.recovery.time.total_seconds() if tenant.recovery else None,
            "promised_point": tenant.recovery.point.total_seconds() if tenant.recovery else None,
            "differences": [each.cause for each in differences],
        }  # fmt: skip
        for each in differences:
            self._object(found, "drill_failed", tenant, f"The restored books differ: {each.cause}")
        if tenant.recovery is None:
            self._object(found, "inconclusive", tenant, "The inventory promises no recovery time to measure against.")
        elif recovery_time > tenant.recovery.time.total_seconds():
            promised = tenant.recovery.time.total_seconds()
            self._object(
                found, "drill_failed", tenant, f"Restoring took {recovery_time:.0f} s, promised {promised:.0f} s."
            )
        elif recovery_point > tenant.recovery.point.total_seconds():
            promised = tenant.recovery.point.total_seconds()
            words = f"A backup was {recovery_point:.0f} s old when it was back, promised {promised:.0f} s."
            self._object(found, "drill_failed", tenant, words)
        found.note = f"restored in {recovery_time:.1f} s, books equal" if not differences else "restored books differ"
        return found

    # --- the change -------------------------------------------------------------------------------------------------

    def upgrade(self, tenant: Tenant, since: datetime) -> Found:
        """The migration. One that had come to its end since `since`, before we were killed, is not done again."""
        found, parts = Found(), dict[str, float]()

        @contextmanager
        def timed(part: str) -> Any:
            began = time.monotonic()
            try:
                yield
            finally:
                parts[part] = time.monotonic() - began

        table = self.release.table
        done = self.platform.upgraded_from(tenant.id)
        try:
            if done is None or done.taken_at < since or self.platform.series(tenant.id) != table.after:
                done = self.platform.upgrade(tenant.id, table.after, table.manual_steps, timed)
        except UpgradeRefused as refused:
            words = f"Upgrade stopped at {refused.at}: {refused.reason} The tenant runs {table.before} from its backup."
            self._object(found, "migration_failed", tenant, words)
            found.note, found.detail = f"stopped at {refused.at}", {"parts": parts, "stopped_at": refused.at}
            return found
        found.note, found.detail = f"{table.before} to {table.after}", {"parts": parts, "backup": done.name}
        return found

    # --- after ------------------------------------------------------------------------------------------------------

    def fingerprint(self, tenant: Tenant) -> Found:
        """The books as they are now against the books as they were, before anybody writes into them."""
        found = Found()
        after = self._books(tenant)
        self._keep(tenant, "after", after)
        differences = compare(self._kept(tenant, "before"), after, self.policy.tolerances)
        judged = judge(tenant.id, differences, self.policy, datetime.now(UTC).date(), self.release.id)
        for words in (*(each.cause for each in judged.left), *judged.expired):
            self._object(found, "fingerprint_drift", tenant, words)
        found.detail = {
            "books": _size(after),
            "differences": [{**_difference(each), "waiver": ""} for each in judged.left],
            "waived": [{**_difference(each), "waiver": str(waiver)} for each, waiver in judged.waived],
        }
        found.note = "books equal" if not found.reasons else f"{len(found.reasons)} differences"
        return found

    def verification(self, tenant: Tenant, plan: Plan, browser: bool, since: datetime) -> Found:
        """The platform first; on it, some beside each other, the work that was begun before the upgrade, the browser
        (which signs in, too), the processes and isolation. `since` is when this was first begun: where an earlier start
        was killed on it, begun work goes ahead of the rest, for the fewer kills it meets, the better."""
        found, finished, offered = Found(), 0, dict[str, Any]()
        chosen = self._chosen(plan)
        platform = [each for each in chosen if each.layer is Layer.PLATFORM]
        others = [each for each in chosen if each.layer is not Layer.PLATFORM]
        walks = [(each, Channel.BROWSER) for each in others if each.smoke and browser]
        results = self._run(tenant, [(each, Channel.API) for each in platform])
        if all(each.outcome in (Outcome.PASSED, Outcome.SKIPPED) for each in results):
            with ThreadPoolExecutor(LANES, thread_name_prefix=f"verification-{tenant.id}") as pool:
                begun = pool.submit(self._finish_in_flight, tenant, since) if plan.in_flight else None
                if begun and since < self.started:
                    futures.wait([begun])
                surface = pool.submit(self._compare_surface, tenant) if plan.surface else None
                runs = [*walks, *((each, Channel.API) for each in others)]
                lanes = [pool.submit(self._run, tenant, [run]) for run in runs]
                results += [result for lane in lanes for result in lane.result()]
                if begun:
                    finished, found.reasons = begun.result()
                if surface:
                    offered, broken = surface.result()
                    found.reasons += broken
        self._judge(found, tenant, results, at="after the upgrade")
        of_layer = {each.id: each.layer for each in chosen}
        grouped = {layer: [x for x in results if of_layer[x.scenario] is layer] for layer in Layer}
        layers = {layer.value: _counts(some) for layer, some in grouped.items() if some}
        found.detail = {"layers": layers, "finished": finished, "surface": offered}
        total = sum(sum(each.values()) for each in layers.values())
        passed = sum(each.get("passed", 0) for each in layers.values())
        more = ", a break is used" if any(each.condition == "surface_broken" for each in found.reasons) else ""
        found.note = f"{passed} of {total} checks passed, {finished} begun before finished{more}"
        return found

    def roll_back(self, tenant: Tenant) -> Found:
        """States what the new series holds that the backup does not, restores the backup, and compares the books."""
        found, backup, before = Found(), self.platform.upgraded_from(tenant.id), self._kept(tenant, "before")
        if backup is not None and self.platform.series(tenant.id) == self.release.table.after:
            note_losses(self.folder, tenant.id, before, lambda: self._books(tenant))
            self.platform.roll_back(tenant.id, backup.name)
        with self.engine() as engine, connected(engine, tenant) as connection:
            differences = compare(before, connection.books().fingerprint(), self.policy.tolerances)
            for done in recover(
                Journal(self._kept_journals(tenant)), {tenant.id: tenant}, engine.drivers, settle=0, in_flight=True
            ):
                for left in done.left:
                    words = f"Work begun before the upgrade was left behind: {left.verb} {left.marker}: {left.reason}"
                    self._object(found, "inconclusive", tenant, words)
        for each in differences:
            self._object(found, "fingerprint_drift", tenant, f"After the rollback: {each.cause}")
        found.detail = losses(self.folder, tenant.id)
        lost = found.detail["lost"]
        again = sum(1 for each in lost if each["again"])
        found.note = f"runs {self.platform.series(tenant.id)}, {len(lost)} documents lost, {again} to enter again"
        return found

    def _books(self, tenant: Tenant) -> Fingerprint:
        with self.engine() as engine, connected(engine, tenant) as connection:
            found: Fingerprint = connection.books().fingerprint()
            return found

    # --- what they share ----------------------------------------------------------------------------------------------

    def _chosen(self, plan: Plan) -> list[Scenario]:
        order = list(Layer)
        chosen = [
            each
            for each in self.scenarios
            if (plan.everything or each.smoke or each.layer is Layer.PLATFORM)
            and (plan.isolation or each.layer is not Layer.ISOLATION)
        ]
        return sorted(chosen, key=lambda each: order.index(each.layer))

    def _action(self, condition: str) -> Any:
        return getattr(self.release.table.conditions, condition)

    def _object(self, found: Found, condition: str, tenant: Tenant, sentence: str) -> None:
        reason = Objection(condition=condition, action=self._action(condition), tenant=tenant.id, sentence=sentence)
        found.reasons.append(reason)

    def _judge(self, found: Found, tenant: Tenant, results: Sequence[RunResult], at: str) -> None:
        by_id = {each.id: each for each in self.scenarios}
        for result in results:
            if result.outcome in (Outcome.PASSED, Outcome.SKIPPED) and not result.residue:
                continue
            what = f"{result.scenario} over the {_CHANNELS[result.channel]} {at}"
            told = result.failure.message if result.failure else "left something behind"
            failed = result.outcome is Outcome.FAILED or result.residue
            condition = _CONDITION[by_id[result.scenario].layer] if failed else "inconclusive"
            self._object(found, condition, tenant, f"{what}: {told}")
        if results and not _passed(results) and not found.reasons:
            self._object(found, "inconclusive", tenant, f"Nothing was tested {at}: every check was skipped.")

    def _begin_in_flight(self, tenant: Tenant) -> list[Objection]:
        """Each process twice: a second half that is killed on its way cannot be done again, then its spare is."""
        found = Found()
        with self.engine() as engine:
            for label in (self.label, self.label + SPARE):
                begun = begin_in_flight(tenant, engine, label, processes=self.processes)
                self._judge_in_flight(found, tenant, begun, "not_ready", "could not be begun")
            self._kept_journals(tenant).mkdir(exist_ok=True)
            for journal in engine.journal.free(frozenset({tenant.id})):
                if journal.waits and journal.label in (self.label, self.label + SPARE):
                    shutil.copy2(journal.path, self._kept_journals(tenant))
                journal.release()
        return found.reasons

    def _kept_journals(self, tenant: Tenant) -> Path:
        """Copies of the journals of begun work. Finishing uses the journals up, and a rollback brings the work back."""
        return self.folder / f"{tenant.id}-journals"

    def _run(self, tenant: Tenant, runs: Sequence[tuple[Scenario, Channel]]) -> list[RunResult]:
        """One after the other, with an engine of their own."""
        with self.engine() as engine:
            return [run_once(scenario, tenant, channel, engine) for scenario, channel in runs]

    def _finish_in_flight(self, tenant: Tenant, since: datetime) -> tuple[int, list[Objection]]:
        """How many processes were finished since, by this start or an earlier one that was killed; what went wrong."""
        found, begun = Found(), self.ledger.stage(tenant.id, "baseline")
        expected = int(begun.detail["begun"]) if begun else 0
        with self.engine() as engine:
            finish_in_flight(tenant, engine, self.label, processes=self.processes)
            known = {each.scenario for each in self._finished(tenant, since)}
            cut = [each for each in self.processes if each.id not in known]
            finish_in_flight(tenant, engine, self.label + SPARE, processes=cut)
        results = self._finished(tenant, since)
        self._judge_in_flight(found, tenant, results, "in_flight_failed", "could not be finished")
        passed = _passed(results)
        if passed < expected and not found.reasons:
            words = f"Of {expected} processes begun before the upgrade only {passed} were finished after it."
            self._object(found, "inconclusive", tenant, words)
        return passed, found.reasons

    def _finished(self, tenant: Tenant, since: datetime) -> list[RunResult]:
        """The last result of each process whose second half came to an end since. What was cut off proves nothing."""
        names = {each.id for each in self.processes}
        return list(
            {
                each.scenario: each
                for each in self.history()
                if each.tenant == tenant.id
                and each.scenario in names
                and each.started_at >= since
                and not (each.failure and each.failure.kind == CutOff.kind)
            }.values()
        )

    def _judge_in_flight(
        self, found: Found, tenant: Tenant, results: Sequence[RunResult], condition: str, words: str
    ) -> None:
        for result in results:
            if result.outcome in (Outcome.FAILED, Outcome.BROKEN):
                told = result.failure.message if result.failure else ""
                kind = condition if result.outcome is Outcome.FAILED else "inconclusive"
                self._object(found, kind, tenant, f"{result.scenario} {words}: {told}")

    def _read_ahead(self, tenant: Tenant) -> None:
        with self.engine() as engine, connected(engine, tenant) as connection:
            self.surfaces.ahead(tenant, connection)

    def _compare_surface(self, tenant: Tenant) -> tuple[dict[str, Any], list[Objection]]:
        """What the report shows, by tenant, and what speaks against going on."""
        with self.engine() as engine, connected(engine, tenant) as connection:
            offered = self.surfaces.after(tenant, connection, datetime.now(UTC).date())
        action = self._action("surface_broken")
        reasons = [
            Objection(condition="surface_broken", action=action, tenant=each.tenant, sentence=each.objection)
            for each in offered
            if each.objection
        ]
        return {each.tenant: each.detail for each in offered}, reasons

    def _keep(self, tenant: Tenant, when: str, fingerprint: Fingerprint) -> None:
        files.write(fingerprint, self.folder / f"{tenant.id}-{when}.json.gz")

    def _kept(self, tenant: Tenant, when: str) -> Fingerprint:
        return files.read(self.folder / f"{tenant.id}-{when}.json.gz")


@contextmanager
def connected(engine: Engine, tenant: Tenant) -> Any:
    run_id = new_run_id()
    connection: Connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call(run_id, "0" * 32))
    try:
        yield connection
    finally:
        connection.close()


def _size(books: Fingerprint) -> dict[str, int]:
    """How much there is in them, for people."""
    return {
        "postings": len(books.entries),
        "documents": len(books.documents),
        "accounts": len(books.accounts),
        "time entries": len(books.hours),
        "users": len(books.users),
    }


def _difference(each: Difference) -> dict[str, str]:
    return {
        "signature": each.signature,
        "cause": each.cause,
        "path": " → ".join(each.path),
        "before": str(each.before),
        "after": str(each.after),
    }


def _counts(results: Sequence[RunResult]) -> dict[str, int]:
    outcomes = [result.outcome.value for result in results]
    return {word: outcomes.count(word) for word in sorted(set(outcomes))}


def _passed(results: Sequence[RunResult]) -> int:
    return sum(1 for result in results if result.outcome is Outcome.PASSED)


def _age(backup: Backup) -> float:
    return (datetime.now(UTC) - backup.taken_at).total_seconds()
