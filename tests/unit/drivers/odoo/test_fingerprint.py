"""Odoo's records as a fingerprint: names instead of ids, our words for states and kinds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from ringgate.domain.money import Money
from ringgate.drivers.odoo import fingerprint
from ringgate.drivers.odoo.sessions import UserSession
from ringgate.fingerprint.model import (
    Balance,
    DocumentLine,
    ErpSetting,
    Fingerprint,
    Hours,
    LedgerAccount,
    LedgerLine,
    Sequence,
    TaxAmount,
    Work,
)
from tests.support.samples import GBP
from tests.unit.drivers.odoo.reading import ReadingSession, Tables

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INVOICE, NOTE = 50, 51
TABLES: dict[str, list[dict[str, Any]]] = {
    "res.partner": [{"id": 4, "name": "Acme", "ref": "C1", "active": True}, {"id": 5, "name": "Twin", "active": True},
                    {"id": 6, "name": "Twin", "ref": "T2", "active": False}],
    "hr.employee": [{"id": 2, "name": "Ada", "user_id": [301, "Ada"]}],
    "account.account": [
        {"id": 10, "code": "1100", "name": "Debtors", "account_type": "asset_receivable", "active": True},
        {"id": 11, "code": "4000", "name": "Sales", "account_type": "income", "internal_group": "income",
         "active": True},
        {"id": 12, "code": "2200", "name": "VAT", "account_type": "liability_current", "active": False},
    ],
    "account.tax": [{"id": 20, "name": "VAT 20%", "type_tax_use": "sale", "amount_type": "percent", "amount": 20,
                     "active": True}],
    "account.journal": [{"id": 30, "code": "INV", "type": "sale", "active": True}],
    "account.move": [
        {"id": INVOICE, "name": "INV/2026/00007", "state": "posted", "payment_state": "reversed",
         "move_type": "out_invoice", "date": "2026-03-01", "invoice_date": "2026-03-01", "journal_id": [30, "Sales"],
         "partner_id": [4, "Acme"], "ref": "Audit", "amount_total": Decimal(120), "sequence_prefix": "INV/2026/",
         "sequence_number": 7},
        {"id": NOTE, "name": "RINV/2026/00001", "state": "posted", "payment_state": "paid", "move_type": "out_refund",
         "date": "2026-03-02", "invoice_date": "2026-03-02", "journal_id": [30, "Sales"], "partner_id": [4, "Acme"],
         "amount_total": Decimal(120), "reversed_entry_id": [INVOICE, ""], "sequence_prefix": "RINV/2026/",
         "sequence_number": 1},
    ],
    "account.move.line": [
        {"id": 1, "move_id": [INVOICE, ""], "account_id": [11, ""], "credit": Decimal(100), "balance": Decimal(-100),
         "name": "Advice", "display_type": "product", "tax_ids": [20], "quantity": 2, "price_unit": 50,
         "price_subtotal": 100, "partner_id": [4, "Acme"]},
        {"id": 2, "move_id": [INVOICE, ""], "account_id": [12, ""], "credit": Decimal(20), "balance": Decimal(-20),
         "name": "VAT 20%", "display_type": "tax", "tax_ids": [], "tax_line_id": [20, ""]},
        {"id": 3, "move_id": [INVOICE, ""], "account_id": [10, ""], "debit": Decimal(120), "balance": Decimal(120),
         "display_type": "payment_term", "tax_ids": [], "date_maturity": "2026-03-31", "reconciled": True},
        {"id": 4, "move_id": [INVOICE, ""], "display_type": "line_note", "name": "A word", "tax_ids": []},
    ],
    "project.project": [{"id": 60, "name": "Audit", "partner_id": [4, "Acme"], "active": True}],
    "project.task": [{"id": 61, "name": "Review", "project_id": [60, ""], "sale_line_id": [70, ""],
                      "allocated_hours": 8, "state": "1_done"}],
    "sale.order.line": [{"id": 70, "order_id": [69, ""], "price_unit": Decimal("50.00"), "tax_ids": []}],
    "account.analytic.line": [{"id": 80, "project_id": [60, ""], "task_id": [61, ""], "employee_id": [2, ""],
                               "date": "2026-02-27", "unit_amount": Decimal("1.5"), "name": "Reading",
                               "timesheet_invoice_id": [INVOICE, ""]}],
    "purchase.order": [{"id": 90, "name": "P00001", "state": "to approve", "partner_id": [4, ""],
                        "date_order": "2026-02-01 10:00:00", "amount_total": 350, "origin": "Chairs"}],
    "res.company": [{"id": 1, "name": "Aldgate Ltd", "currency_id": [1, "GBP"], "po_double_validation": "two_step",
                     "po_double_validation_amount": Decimal("500.01000000000002"),
                     "tax_calculation_rounding_method": "round_globally"}],
    "res.currency": [{"id": 1, "decimal_places": 2}],
    "res.groups": [{"id": 100, "name": "Billing", "implied_ids": []}, {"id": 101, "name": "Buyers", "implied_ids": []},
                   {"id": 102, "name": "Managers", "implied_ids": [101]}],
    "ir.model.data": [
        {"id": 1, "module": "account", "name": "group_account_invoice", "model": "res.groups", "res_id": 100},
        {"id": 2, "module": "purchase", "name": "group_purchase_user", "model": "res.groups", "res_id": 101},
        {"id": 3, "module": "purchase", "name": "group_purchase_manager", "model": "res.groups", "res_id": 102},
    ],
    "ir.model": [{"id": 200, "model": "account.move"}, {"id": 201, "model": "purchase.order"},
                 {"id": 202, "model": "account.analytic.line"}],
    "ir.model.access": [
        {"id": 1, "model_id": 200, "group_id": [100, ""], "perm_read": True, "perm_create": True},
        {"id": 2, "model_id": 200, "group_id": [101, ""], "perm_read": True, "perm_create": True},
        {"id": 3, "model_id": 201, "group_id": [101, ""], "perm_read": True, "perm_create": True},
        {"id": 4, "model_id": 202, "group_id": False, "perm_create": True},
    ],
    "res.users": [
        {"id": 300, "login": "accountant", "active": True, "group_ids": [100]},
        {"id": 301, "login": "consultant", "active": True, "group_ids": [101]},
        {"id": 302, "login": "approver", "active": True, "group_ids": [102]},
    ],
}  # fmt: skip


def taken(tables: Tables = TABLES, series: str = "19.0") -> Fingerprint:
    session = cast(UserSession, ReadingSession(tables, series))
    return fingerprint.take(session, lambda: {"1100": Money(0, GBP), "4000": Money(-100, GBP)}, lambda: NOON)


def test_an_invoice_is_a_document_and_an_entry_under_the_names_that_people_know() -> None:
    books = taken()
    (invoice,) = (each for each in books.documents if each.kind == "invoice")
    assert (invoice.number, invoice.state, invoice.party) == ("INV/2026/00007", "paid", "Acme")
    assert (invoice.total, invoice.reversed_by) == (Decimal(120), "RINV/2026/00001")
    assert invoice.lines == (DocumentLine("Advice", Decimal(2), Decimal(50), Decimal(100), "4000", ("VAT 20%",)),)
    entry = next(each for each in books.entries if each.number == invoice.number)
    assert (entry.period, entry.journal, len(entry.lines)) == ("2026-03", "INV", 3)
    assert entry.lines[0] == LedgerLine("1100", Decimal(120), Decimal(0), due=date(2026, 3, 31), settled=True)
    assert entry.lines[1].taxes == (TaxAmount("VAT 20%", "tax", Decimal(-20)),)


def test_a_credit_note_is_negative_and_names_what_it_reverses() -> None:
    books = taken()
    (note,) = (each for each in books.documents if each.kind == "credit note")
    assert note.total == Decimal(-120)
    assert next(each for each in books.entries if each.number == note.number).origin == "INV/2026/00007"


def test_accounts_are_told_by_their_kind_and_whether_they_are_in_use() -> None:
    assert taken().accounts == (
        LedgerAccount("1100", "Debtors", "receivable", True),
        LedgerAccount("2200", "VAT", "", False),
        LedgerAccount("4000", "Sales", "revenue", True),
    )


def test_an_older_series_says_of_an_account_that_it_is_used_no_more() -> None:
    accounts = [{"id": 10, "code": "1100", "name": "Debtors", "internal_type": "receivable", "deprecated": True}]
    books = taken({"account.account": accounts}, "14.0")
    assert books.accounts == (LedgerAccount("1100", "Debtors", "receivable", False),)


def test_projects_time_and_requests_are_in_our_words() -> None:
    books = taken()
    assert Work("Audit / Review", "task", "Acme", "done", "", Decimal(50), Decimal(8)) in books.works
    assert books.hours == (Hours("Ada", "Audit / Review", date(2026, 2, 27), Decimal("1.5"), "Reading", True),)
    (request,) = (each for each in books.documents if each.kind == "request")
    assert (request.number, request.state, request.description) == ("P00001", "waiting", "Chairs")


def test_the_next_number_of_the_ledger_follows_the_last_of_its_journal() -> None:
    assert Sequence("journal INV", "INV/2026/", 8) in taken().sequences
    assert Sequence("journal INV", "RINV/2026/", 2) in taken().sequences


def test_partners_of_one_name_are_told_apart() -> None:
    assert [each.name for each in taken().parties] == ["Acme", "Twin [1]", "Twin [T2]"]


def test_settings_and_the_balances_that_the_erp_states_are_kept() -> None:
    books = taken()
    assert ErpSetting("tax VAT 20%", "rate", "0.2") in books.settings
    assert ErpSetting("approval rule purchases", "condition", "a total above 500.00") in books.settings
    assert ErpSetting("accounting", "tax rounding", "total") in books.settings
    assert books.balances == (Balance("1100", Decimal(0)), Balance("4000", Decimal(-100)))


def test_a_firm_that_needs_no_approvals_has_no_rule_for_it() -> None:
    (company,) = TABLES["res.company"]
    books = taken({**TABLES, "res.company": [{**company, "po_double_validation": "one_step"}]})
    assert not [each for each in books.settings if each.subject.startswith("approval rule")]


def test_rights_are_in_the_words_of_the_access_matrix() -> None:
    """Who buys may make entries of suppliers, and bills nobody; who is no employee enters no time."""
    rights = {each.login: set(each.rights) for each in taken().users}
    assert rights["accountant"] == {
        "invoices and postings: read", "invoices and postings: create", "invoices: read", "postings: read",
        "invoices: create", "invoices: post", "postings: post",
    }  # fmt: skip
    bought = {"invoices and postings: read", "invoices and postings: create", "invoices: read", "postings: read",
              "purchases: read", "purchases: create", "requests: read"}  # fmt: skip
    assert rights["consultant"] == {*bought, "requests: create", "requests: write", "time: create"}
    assert rights["approver"] == {*bought, "requests: approve", "requests: reject"}


def test_a_payment_term_reads_alike_in_series_that_say_it_otherwise() -> None:
    """14.0 knows a balance, 19.0 percents alone."""
    term = {"account.payment.term": [{"id": 7, "name": "30% now"}]}
    line = {"payment_id": [7, ""], "value": "percent", "value_amount": Decimal("30.0")}
    older = [{"id": 1, **line, "days": 0}, {"id": 2, **line, "value": "balance", "value_amount": 0, "days": 60}]
    later = [{"id": 1, **line, "nb_days": 0}, {"id": 2, **line, "value_amount": Decimal("70.0"), "nb_days": 60}]
    for series, lines in (("14.0", older), ("19.0", later)):
        alone = {model: rows for model, rows in TABLES.items() if model == "res.company"}
        books = taken({**alone, **term, "account.payment.term.line": lines}, series)
        assert ErpSetting("payment term 30% now", "lines", "30% in 0 days then 70% in 60 days") in books.settings
