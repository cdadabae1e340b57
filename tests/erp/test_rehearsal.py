"""A real upgrade that is rolled back: what a migration may do to the books is caught right after it, and what people
wrote on the new series is named as lost, with its amount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ringgate.domain.documents import ProjectDraft, RequestDraft, TaskDraft
from ringgate.domain.model import Tenant
from ringgate.domain.money import Money
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.protocol import Call, Connection
from ringgate.estate import Estate
from ringgate.estate.faults.migration import MigrationFault, planted
from ringgate.estate.tryton.migration_faults import MIGRATION_FAULTS
from ringgate.execution import setup
from ringgate.fingerprint.loss import SYNTHETIC
from ringgate.fingerprint.model import Fingerprint
from ringgate.rollout.conditions import Condition
from ringgate.rollout.record import RehearsalRecord
from ringgate.rollout.release import Release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.report import write_report
from ringgate.rollout.results import FingerprintResult, RollbackResult
from ringgate.rollout.risk_classes import Plan
from ringgate.rollout.stages.context import StageFinding, connected
from ringgate.rollout.stages.sequence import TenantStages
from tests.support.estate import Leased
from tests.support.rehearsal import rehearsal_of, release_file


@dataclass(frozen=True)
class Business:
    """What people wrote after the upgrade: numbers of an invoice and a request, the invoice's total."""

    customer: str
    invoice: str
    total: Decimal
    request: str


def business(connection: Connection, tenant: Tenant) -> Business:
    """A project, time on it, an invoice of it, more time, and a request: none of it marked as ours."""
    manager, consultant, accountant = map(
        connection.sign_in, (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT)
    )  # fmt: skip
    today, currency = datetime.now(UTC).date(), tenant.policy.currency
    documents = connection.books().fingerprint().documents
    customer = next(x.party for x in documents if x.kind == "invoice" and not x.party.startswith(SYNTHETIC))
    task = TaskDraft("Search", Money("120.00", currency), Decimal(8), "")
    project = manager.create_project(ProjectDraft("Website relaunch", customer, "", (task,)))
    consultant.enter_time(project.task, Decimal("7.5"), today, "indexed the catalogue")
    posted = accountant.post_invoice(accountant.draft_invoice(project), today)
    consultant.enter_time(project.task, Decimal("1.25"), today, "not billed yet")
    request = consultant.request_purchase(RequestDraft("Two desk lamps", "", Decimal(2), Money("40.00", currency)))
    return Business(customer, posted.number, posted.total.amount, request.number)


@dataclass
class Seen:
    """What came of the rehearsal, and of what happened on its way. `before` is read right before the upgrade."""

    before: Fingerprint | None = None
    faults: dict[str, StageFinding] = field(default_factory=dict)
    written: list[Business] = field(default_factory=list)
    record: RehearsalRecord | None = None
    release: Release | None = None
    after: Fingerprint | None = None


@pytest.fixture
def seen(estate: Estate, lease: Callable[..., Leased], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """One tenant is upgraded, its migration corrupts the books in every known way, people work, it is rolled back."""
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    tenant = lease("GBP").tenant
    found = Seen()

    class Unlucky(TenantStages):
        def upgrade(self, tenant: Tenant, begins: Callable[[], None] = lambda: None) -> StageFinding:
            found.before = _books(tenant)
            return super().upgrade(tenant, begins)

        def fingerprint(self, tenant: Tenant) -> StageFinding:
            with estate.sql(tenant.id) as database:
                for fault in MIGRATION_FAULTS.values():
                    with planted(fault, database):
                        found.faults[fault.id] = super().fingerprint(tenant)
            return super().fingerprint(tenant)

        def verification(self, tenant: Tenant, plan: Plan, browser: bool) -> StageFinding:
            with self.context.engine() as engine, connected(engine, tenant) as connection:
                found.written.append(business(connection, tenant))
            reason = self.context.objection(Condition.PROCESS_FAILED, tenant, "planned")
            return StageFinding(note="people worked", reasons=[reason])

    rehearsal, found.release = rehearsal_of(tenant.id, estate, release_file(tmp_path), tmp_path / "kept", Unlucky)
    found.record, found.after = rehearsal.run(), _books(tenant)
    assert estate.place(tenant.id).series == "7.0"
    return found


def _books(tenant: Tenant) -> Fingerprint:
    with setup.engine([tenant], session="books") as engine:
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("books", "0" * 32))
        try:
            return connection.books().fingerprint()
        finally:
            connection.close()


def test_an_upgrade_is_judged_and_taken_back(seen: Seen, tmp_path: Path) -> None:
    assert seen.record is not None
    assert seen.before is not None
    assert seen.after is not None
    (stages,), (ring,), (written,) = (
        [kept.stages for kept in seen.record.tenants.values()], seen.record.rings.values(), seen.written
    )  # fmt: skip
    for name, fault in MIGRATION_FAULTS.items():
        _is_caught(fault, seen.faults[name])
    clean = stages["fingerprint"]
    assert isinstance(clean.result, FingerprintResult)
    assert (clean.outcome, clean.result.differences) == ("passed", []), "a clean migration raises no alarm"
    assert ring.decision is RolloutAction.ROLL_BACK
    for section in ("entries", "documents", "hours", "works", "balances", "sequences", "users", "settings"):
        assert getattr(seen.after, section) == getattr(seen.before, section), f"{section} after the rollback"
    lost = stages["rollback"].result
    assert isinstance(lost, RollbackResult)
    _is_named(written, lost)
    assert seen.release is not None
    page = write_report(seen.record, seen.release, tmp_path / "page.html").read_text(encoding="utf-8")
    for words in (written.invoice, written.customer, written.request, "1,080.00 GBP", "80.00 GBP", "7.5 h",
                  "6 to be entered again"):  # fmt: skip
        assert words in page


def _is_caught(fault: MigrationFault, found: StageFinding) -> None:
    assert isinstance(found.result, FingerprintResult)
    (difference,) = found.result.differences
    assert fnmatchcase(difference.signature, fault.signature), f"{fault.id}: {difference}"
    assert fault.says in difference.cause, f"{fault.id}: {difference}"
    told = [(each.condition, each.action) for each in found.reasons]
    # What the inventory states, too, such as a tax rate, is also not as the inventory says.
    assert [each for each in told if each != (Condition.DRIFT, RolloutAction.PAUSE)] == [
        (Condition.FINGERPRINT_DRIFT, RolloutAction.ROLL_BACK)
    ]


def _is_named(written: Business, result: RollbackResult) -> None:
    lost = {(each.kind, each.name): each.amount for each in result.lost if each.again}
    today = datetime.now(UTC).date()
    assert result.unread == ""
    assert written.total == Decimal("1080.00"), "7.5 h at 120.00, and 20 % tax"
    assert lost == {
        ("invoice", written.invoice): "1,080.00 GBP",
        ("request", written.request): "80.00 GBP",
        ("project", "Website relaunch"): "",
        ("task", "Website relaunch\\Search"): "",
        ("time", f"Website relaunch\\Search, {today}: indexed the catalogue"): "7.5 h",
        ("time", f"Website relaunch\\Search, {today}: not billed yet"): "1.25 h",
    }
