"""Records as a driver reads them of a small run: an invoice with a line and its posting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ringgate.domain.terms import Channel, Role
from ringgate.twins.canonical import twin_of
from ringgate.twins.model import Twin, TwinKey
from ringgate.twins.records import PrintedText, RecordLink, RunRecord, RunRecords
from ringgate.twins.words import RunWords

KEY = TwinKey("aldgate", "project-to-cash", Channel.API)
LABELS = {
    "account.invoice": "Invoice",
    "account.invoice.number": "Number",
    "account.invoice.line": "Invoice Line",
    "account.invoice.line.unit": "Unit",
    "account.invoice.line.description": "Description",
    "account.move.line": "Account Move Line",
    "account.move.line.maturity_date": "Maturity Date",
}


def made(number: int = 45, run: str = "abcdefghjkmn", on: date = date(2026, 11, 28), **changed: Any) -> RunRecords:
    """What run number `number` made, with fields changed: `invoice={...}, line={...}, move_line={...}`."""
    text = f"Training for Hall [RG-{run}-1]"
    invoice: Mapping[str, Any] = {
        "number": f"AE2026-{number:04}",
        "description": text,
        "party": RecordLink("party.party", "4", "Synthetic Client"),
        "posted_by": RecordLink("company.employee", "9", "Synthetic Accountant"),
        "lines": (RecordLink("account.invoice.line", str(number * 10)),),
        "total": Decimal("1080.00"),
        "invoice_date": on,
        "create_date": datetime(2026, 11, 28, 3, 0, 1, tzinfo=UTC),
        "comment": None,
        "printed": PrintedText(f"Invoice AE2026-{number:04}\n{on:%Y-%m-%d}\n\nGBP 1080.00\n"),
    }
    line: Mapping[str, Any] = {
        "invoice": RecordLink("account.invoice", str(number)),
        "unit": RecordLink("product.uom", "7", "Hour"),
        "description": text,
        "quantity": Decimal("7.5"),
        "worked": timedelta(hours=7, minutes=30),
    }
    move_line: Mapping[str, Any] = {
        "origin": RecordLink("account.invoice", str(number)),
        "maturity_date": on + timedelta(days=30),
        "period": RecordLink("account.period", str(on.month), f"{on:%Y-%m}"),
    }
    records = (
        RunRecord("account.invoice", str(number), {**invoice, **changed.get("invoice", {})}),
        RunRecord("account.invoice.line", str(number * 10), {**line, **changed.get("line", {})}),
        RunRecord("account.move.line", str(number * 20), {**move_line, **changed.get("move_line", {})}),
    )
    return RunRecords(
        "7.0", datetime(2026, 11, 28, 3, 0, 0, tzinfo=UTC), records,
        people={RecordLink("company.employee", "9"): Role.ACCOUNTANT},
        numbers=frozenset({"account.invoice.number"}), labels=LABELS,
    )  # fmt: skip


def words(run: str = "abcdefghjkmn", on: date = date(2026, 11, 28), **more: Any) -> RunWords:
    return RunWords(run, (on,), on, datetime(2026, 11, 28, 3, 0, 0, tzinfo=UTC),
                    {"due date 1": on + timedelta(days=30)}, (f"Training for Hall [RG-{run}-1]",), **more)  # fmt: skip


def twin(
    number: int = 45, run: str = "abcdefghjkmn", on: date = date(2026, 11, 28), release: str = "", **changed: Any
) -> Twin:
    return twin_of(KEY, made(number, run, on, **changed), words(run, on), version="7.0.59", release=release)
