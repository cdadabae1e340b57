"""The Tryton API driver on the real ERP: what it refuses, and that each reversal leaves the books as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ringgate.domain.documents import Invoice, Project, PurchaseRequest, TimeEntry
from ringgate.domain.errors import Refused
from ringgate.domain.model import Tenant
from ringgate.domain.money import Money
from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import InvoiceMethod, Role
from ringgate.drivers.protocol import Call, Connection, SignedInUser
from ringgate.drivers.tryton.api.driver import TrytonApiDriver
from ringgate.execution.run_once import new_run_id
from ringgate.scenario.test_data import Make
from tests.support.estate import Books, Leased


class Office:
    """Does business as the engine lets it be done: each write is noted first, and what came of it afterwards.

    With `crashes` nothing is noted afterwards, as if the process had been killed in between.
    """

    def __init__(self, tenant: Tenant, connection: Connection, *, crashes: bool) -> None:
        self.tenant, self.connection, self.crashes = tenant, connection, crashes
        self.today: date = datetime.now(ZoneInfo(tenant.timezone)).date()
        self.make = Make(tenant, new_run_id(), self.today)
        self.noted: list[Reversal] = []

    def note(self, verb: str, actor: SignedInUser, marker: str = "", target: str = "") -> None:
        self.noted.append(Reversal(verb, actor.role.value, marker or self.make.marker, target))

    def came(self, ref: str) -> None:
        if not self.crashes:
            self.noted[-1] = replace(self.noted[-1], ref=ref)

    def undo(self) -> list[str]:
        return [self.connection.undo(reversal) for reversal in reversed(self.noted)]

    @property
    def accountant(self) -> SignedInUser:
        return self.connection.sign_in(Role.ACCOUNTANT)

    def project(self) -> Project:
        manager, draft = self.connection.sign_in(Role.PROJECT_MANAGER), self.make.project(planned="7.5")
        self.note("create_project", manager, draft.marker)
        project = manager.create_project(draft)
        self.came(project.ref.id)
        return project

    def time(self, project: Project) -> TimeEntry:
        consultant, text = self.connection.sign_in(Role.CONSULTANT), self.make.note()
        self.note("enter_time", consultant, text[text.rindex("[") + 1 : -1], project.task.ref.id)
        entry = consultant.enter_time(project.task, Decimal("7.5"), self.today, text)
        self.came(entry.ref.id)
        return entry

    def draft(self) -> Invoice:
        project = self.project()
        self.time(project)
        self.connection.sign_in(Role.PROJECT_MANAGER).complete_work(project)
        self.note("draft_invoice", self.accountant, target=project.ref.id)
        invoice = self.accountant.draft_invoice(project)
        self.came(invoice.ref.id)
        return invoice

    def posted(self) -> Invoice:
        invoice = self.draft()
        self.note("post_invoice", self.accountant, target=invoice.ref.id)
        invoice = self.accountant.post_invoice(invoice, self.today)
        self.came(invoice.ref.id)
        return invoice

    def paid(self, invoice: Invoice, amount: str = "") -> Invoice:
        self.note("pay_invoice", self.accountant, target=invoice.ref.id)
        due = self.make.money(amount) if amount else invoice.open
        invoice = self.accountant.pay_invoice(invoice, due, self.today)
        self.came(invoice.ref.id)
        return invoice

    def credited(self, invoice: Invoice) -> Invoice:
        self.note("credit_invoice", self.accountant, target=invoice.ref.id)
        note = self.accountant.credit_invoice(invoice, self.today)
        self.came(note.ref.id)
        return note

    def entry(self) -> None:
        entry = self.make.entry()
        self.note("post_entry", self.accountant, entry.marker)
        self.came(self.accountant.post_entry(entry).ref.id)

    def request(self, amount: Decimal | str) -> PurchaseRequest:
        consultant, draft = self.connection.sign_in(Role.CONSULTANT), self.make.request(str(amount))
        self.note("request_purchase", consultant, draft.marker)
        request = consultant.request_purchase(draft)
        self.came(request.ref.id)
        return request

    def waiting(self, amount: Decimal | str = "") -> PurchaseRequest:
        above = self.tenant.policy.approval.threshold + 350
        return self.connection.sign_in(Role.CONSULTANT).submit_request(self.request(amount or above))

    def approved(self) -> PurchaseRequest:
        return self.connection.sign_in(Role.APPROVER).approve_request(self.waiting())

    def rejected(self) -> PurchaseRequest:
        return self.connection.sign_in(Role.APPROVER).reject_request(self.waiting())


BUSINESS: dict[str, Callable[[Office], object]] = {
    "a project": Office.project,
    "time on a project": lambda office: office.time(office.project()),
    "a draft invoice": Office.draft,
    "a posted invoice": Office.posted,
    "a paid invoice": lambda office: office.paid(office.posted()),
    "an invoice paid in part": lambda office: office.paid(office.posted(), "50"),
    "an invoice paid in two parts": lambda office: office.paid(office.paid(office.posted(), "50")),
    "a credited invoice": lambda office: office.credited(office.posted()),
    "an invoice paid and credited": lambda office: office.credited(office.paid(office.posted())),
    "an invoice paid in part and credited": lambda office: office.credited(office.paid(office.posted(), "50")),
    "a manual entry": Office.entry,
    "a request": lambda office: office.request("120"),
    "a submitted request": Office.waiting,
    "an approved request": Office.approved,
    "a rejected request": Office.rejected,
}


@pytest.fixture(scope="module")
def driver() -> Iterator[TrytonApiDriver]:
    driver = TrytonApiDriver()
    yield driver
    driver.close()


@pytest.fixture(params=["GBP", "USD", "EUR", "JPY", "8.0"])
def any_kind(request: pytest.FixtureRequest, lease: Callable[..., Leased]) -> Tenant:
    """A tenant of each kind in turn: they differ in tax, rounding, approval and what they bill; one runs 8.0."""
    leased: Leased = request.getfixturevalue("upgraded_tenant") if request.param == "8.0" else lease(request.param)
    return leased.tenant


@pytest.fixture
def office(own_tenant: Leased, driver: TrytonApiDriver) -> Iterator[Office]:
    connection = driver.connect(own_tenant.tenant, Call("test", "ab" * 16))
    office = Office(own_tenant.tenant, connection, crashes=False)
    yield office
    office.undo()
    connection.close()


CRASHED = [pytest.param(business, True, id=f"{business}, crashed") for business in BUSINESS]
NOTED = [
    pytest.param(each, False, id=each) for each in ("a draft invoice", "an invoice paid and credited", "a request")
]


@pytest.mark.parametrize(("business", "crashes"), CRASHED + NOTED)
def test_what_was_done_is_taken_back(
    own_tenant: Leased, driver: TrytonApiDriver, books_of: Callable[[Tenant], Books], business: str, crashes: bool
) -> None:
    tenant = own_tenant.tenant
    before = books_of(tenant)
    connection = driver.connect(tenant, Call("test", "ab" * 16))
    office = Office(tenant, connection, crashes=crashes)
    BUSINESS[business](office)
    office.undo()
    assert books_of(tenant) == before
    assert set(office.undo()) == {"nothing to undo"}
    assert books_of(tenant) == before
    connection.close()


def test_every_kind_of_tenant_is_left_as_it_was(
    any_kind: Tenant, driver: TrytonApiDriver, books_of: Callable[[Tenant], Books]
) -> None:
    before = books_of(any_kind)
    connection = driver.connect(any_kind, Call("test", "ab" * 16))
    office = Office(any_kind, connection, crashes=True)
    office.credited(office.paid(office.posted(), "50"))
    office.approved()
    office.undo()
    assert books_of(any_kind) == before
    connection.close()


def test_an_entry_that_does_not_balance_is_refused_and_its_draft_taken_back(
    office: Office, books_of: Callable[[Tenant], Books]
) -> None:
    before, entry = books_of(office.tenant), office.make.entry(amount="75")
    crooked = replace(entry, lines=(entry.lines[0], replace(entry.lines[1], credit=office.make.money("74"))))
    office.note("post_entry", office.accountant, crooked.marker)
    with pytest.raises(Refused, match="post_entry"):
        office.accountant.post_entry(crooked)
    office.undo()
    assert books_of(office.tenant) == before


def test_an_invoice_is_posted_once(office: Office) -> None:
    invoice = office.posted()
    for stale in (invoice, replace(invoice, state="draft", number="")):
        with pytest.raises(Refused) as refusal:
            office.accountant.post_invoice(stale, office.today)
        assert refusal.value.state == "posted"
    assert office.accountant.read_invoice(invoice) == invoice


def test_a_project_is_billed_once(office: Office) -> None:
    project = office.project()
    office.time(project)
    office.connection.sign_in(Role.PROJECT_MANAGER).complete_work(project)
    office.note("draft_invoice", office.accountant, target=project.ref.id)
    office.accountant.draft_invoice(project)
    with pytest.raises(Refused, match="nothing to bill"):
        office.accountant.draft_invoice(project)


def test_an_older_draft_is_not_taken_for_a_new_one(office: Office, driver: TrytonApiDriver) -> None:
    project = office.project()
    office.time(project)
    office.connection.sign_in(Role.PROJECT_MANAGER).complete_work(project)
    office.note("draft_invoice", office.accountant, target=project.ref.id)
    office.accountant.draft_invoice(project)
    another = driver.connect(office.tenant, Call("test", "ab" * 16))
    with pytest.raises(Refused, match="nothing to bill"):
        another.sign_in(Role.ACCOUNTANT).draft_invoice(project)


def test_more_than_is_open_cannot_be_paid(office: Office) -> None:
    invoice = office.posted()
    office.note("pay_invoice", office.accountant, target=invoice.ref.id)
    with pytest.raises(Refused) as refusal:
        office.accountant.pay_invoice(invoice, invoice.open + office.make.money("1"), office.today)
    assert refusal.value.state == "posted"
    assert office.accountant.read_invoice(invoice).open == invoice.total


def test_a_draft_cannot_be_paid_or_credited(office: Office) -> None:
    invoice = office.draft()
    with pytest.raises(Refused, match="state read back: draft"):
        office.accountant.pay_invoice(invoice, invoice.total, office.today)
    with pytest.raises(Refused, match="state read back: draft"):
        office.accountant.credit_invoice(invoice, office.today)


def test_billed_time_cannot_be_corrected(office: Office) -> None:
    if office.tenant.policy.invoice_method is not InvoiceMethod.TIMESHEET:
        pytest.skip("this tenant does not bill time")
    project = office.project()
    entry = office.time(project)
    office.note("draft_invoice", office.accountant, target=project.ref.id)
    office.accountant.draft_invoice(project)
    with pytest.raises(Refused, match="correct_time"):
        office.connection.sign_in(Role.CONSULTANT).correct_time(entry, Decimal(1))
    assert office.connection.books().hours_on(project) == Decimal("7.5")


def test_a_button_without_effect_is_a_refusal(lease: Callable[..., Leased], driver: TrytonApiDriver) -> None:
    tenant = lease("GBP").tenant
    connection = driver.connect(tenant, Call("test", "ab" * 16))
    office = Office(tenant, connection, crashes=False)
    try:
        request = office.waiting(tenant.policy.approval.threshold + Decimal("0.01"))
        with pytest.raises(Refused) as refusal:
            connection.sign_in(Role.CONSULTANT).approve_request(request)
        assert refusal.value.state == "waiting"
    finally:
        office.undo()
        connection.close()


def test_an_ended_session_is_renewed_unless_it_was_ended_on_purpose(office: Office) -> None:
    actor = office.connection.sign_in(Role.AUDITOR)
    actor._session.client.raw("common.db.logout", [])  # type: ignore[attr-defined]  # the server ends it behind our back
    assert actor.who_am_i().login == office.tenant.users[Role.AUDITOR].login
    actor.sign_out()
    with pytest.raises(Refused):
        actor.who_am_i()


def test_a_wrong_password_is_refused(office: Office) -> None:
    with pytest.raises(Refused, match="sign_in"):
        office.connection.sign_in(Role.AUDITOR, password=office.make.wrong_password(), fresh=True)
    assert office.connection.sign_in(Role.AUDITOR, fresh=True).who_am_i().company == office.tenant.name


def test_a_credit_note_mirrors_its_invoice(office: Office) -> None:
    invoice = office.posted()
    note = office.credited(invoice)
    assert (note.net, note.tax, note.total) == (-invoice.net, -invoice.tax, -invoice.total)
    assert note.open == Money(0, note.net.currency)
    posting = office.connection.books().posting_of(note.ref)
    assert posting.debit == posting.credit
    assert posting.on_account(*office.tenant.policy.accounts.receivable) == note.total
    numbers = office.connection.books().invoice_numbers(office.today)
    assert invoice.number in numbers
    assert note.number not in numbers
