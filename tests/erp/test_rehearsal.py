"""A rollback after business went on for a while on the new series: what is lost is said by name and amount."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fixtures.estate import Books, Leased
from fixtures.rehearsal import rehearsal_of, release_file
from ringgate.business import ProjectDraft, RequestDraft, TaskDraft
from ringgate.drivers.protocol import Connection
from ringgate.estate import Estate
from ringgate.fingerprint.loss import SYNTHETIC
from ringgate.model import Role, Tenant
from ringgate.money import Money
from ringgate.rehearsal.record import Reason
from ringgate.rehearsal.release import Action, Plan
from ringgate.rehearsal.stages import Found, Stagehand, connected
from ringgate.rehearsal.story import write_story

HOURS = "7.5"
WRITTEN: dict[str, str] = {}
"""What people wrote: the invoice's number, customer and total, the request's number."""


def business(connection: Connection, tenant: Tenant) -> None:
    """A project, time on it, an invoice of it, more time, and a request: none of it marked as ours."""
    manager, consultant, accountant = map(
        connection.sign_in, (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT)
    )  # fmt: skip
    today = datetime.now(UTC).date()
    documents = connection.books().fingerprint().documents
    customer = next(x.party for x in documents if x.kind == "invoice" and not x.party.startswith(SYNTHETIC))
    rate = Money("120.00", tenant.policy.currency)
    task = TaskDraft("Search", rate, Decimal(8), "")
    project = manager.create_project(ProjectDraft("Website relaunch", customer, "", (task,)))
    consultant.enter_time(project.task, Decimal(HOURS), today, "indexed the catalogue")
    posted = accountant.post_invoice(accountant.draft_invoice(project), today)
    consultant.enter_time(project.task, Decimal("1.25"), today, "not billed yet")
    request = consultant.request_purchase(RequestDraft("Two desk lamps", "", Decimal(2), Money("40.00", rate.currency)))
    WRITTEN.update(customer=customer, invoice=posted.number, total=str(posted.total.amount), request=request.number)


class Busy(Stagehand):
    """After the upgrade people work, and then something speaks against the release."""

    def verification(self, tenant: Tenant, plan: Plan, browser: bool, since: datetime) -> Found:
        with self.engine() as engine, connected(engine, tenant) as connection:
            business(connection, tenant)
        reason = Reason(condition="process_failed", action=Action.ROLL_BACK, tenant=tenant.id, sentence="as planned")
        return Found(note="people worked", reasons=[reason])


def test_a_rollback_says_what_is_lost_by_name_and_amount(
    lease: Callable[..., Leased], estate: Estate, books_of: Callable[[Tenant], Books], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    tenant = lease("GBP").tenant
    before = books_of(tenant)
    rehearsal, release = rehearsal_of(tenant.id, estate, release_file(tmp_path), tmp_path / "kept", Busy)
    record = rehearsal.run()
    assert record.rings[tenant.ring].decision is Action.ROLL_BACK
    assert estate.place(tenant.id).series == "7.0"
    assert books_of(tenant) == before

    kept = record.tenants[tenant.id].stages
    assert [name for name, stage in kept.items() if stage.outcome != "passed"] == ["verification"], kept
    lost = [each for each in kept["rollback"].detail["lost"] if each["again"]]
    assert kept["rollback"].detail["unread"] == ""
    found = {(each["kind"], each["name"]): each for each in lost}
    today = datetime.now(UTC).date()
    amounts = {key: each["amount"] for key, each in found.items()}
    assert amounts == {
        ("invoice", WRITTEN["invoice"]): f"{Decimal(WRITTEN['total']):,} GBP",
        ("request", WRITTEN["request"]): "80.00 GBP",
        ("project", "Website relaunch"): "",
        ("task", "Website relaunch\\Search"): "",
        ("time", f"Website relaunch\\Search, {today}: indexed the catalogue"): f"{HOURS} h",
        ("time", f"Website relaunch\\Search, {today}: not billed yet"): "1.25 h",
    }
    assert Decimal(WRITTEN["total"]) == Decimal("1080.00"), "7.5 h at 120.00, and 20 % tax"
    page = write_story(record, release, tmp_path / "page.html").read_text(encoding="utf-8")
    for words in (
        WRITTEN["invoice"],
        WRITTEN["customer"],
        WRITTEN["request"],
        "1,080.00 GBP",
        "80.00 GBP",
        "Website relaunch",
        "6 to be entered again",
    ):
        assert words in page
