"""What differs between two fingerprints is told by its smallest cause; what may differ is said, owned and ends."""

from __future__ import annotations

import string
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringgate.domain.waivers import Waiver
from ringgate.fingerprint import (
    ComparisonPolicy,
    ComparisonPolicyError,
    Tolerances,
    compare,
    files,
    judge,
    load,
    lost_documents,
)
from ringgate.fingerprint.files import UnreadableFingerprint
from ringgate.fingerprint.model import (
    Balance,
    Document,
    DocumentLine,
    ErpSetting,
    Fingerprint,
    Hours,
    LedgerAccount,
    LedgerEntry,
    LedgerLine,
    Party,
    RoleRights,
    Sequence,
    Shipped,
    TaxAmount,
    User,
    Work,
)

DAY = date(2026, 3, 12)
NIL = Decimal(0)


def entry(number: str, net: str = "100.00", origin: str = "", party: str = "Brown Group") -> LedgerEntry:
    amount = Decimal(net)
    tax = amount / 5
    lines = (
        LedgerLine("1100", amount + tax, NIL, party, "", DAY + timedelta(30)),
        LedgerLine("2200", NIL, tax, taxes=(TaxAmount("VAT", "tax", tax),)),
        LedgerLine("4000", NIL, amount, taxes=(TaxAmount("VAT", "base", amount),)),
    )
    return LedgerEntry(number, "posted", DAY, "2026-03", "REV", origin, "", lines)


def invoice(number: str, net: str = "100.00", state: str = "posted", party: str = "Brown Group") -> Document:
    amount = Decimal(net)
    line = DocumentLine(f"Work of {number}", Decimal(1), amount, amount, "4000", ("VAT",))
    return Document("invoice", number, state, party, DAY, amount * Decimal("1.2"), f"Project of {number}", "", (line,))


def time(day: int, hours: str, employee: str = "Ann", billed: bool = False) -> Hours:
    return Hours(employee, "Review\\Interviews", date(2026, 3, day), Decimal(hours), "", billed)


BOOKS = Fingerprint(
    tenant="aldgate",
    series="7.0",
    taken_at=datetime(2026, 3, 31, 12, tzinfo=UTC),
    seconds=1.0,
    as_of=date(2026, 3, 31),
    currency="GBP",
    parties=(Party("Brown Group", "2", True), Party("Watts Inc", "3", True), Party("Ann", "4", True)),
    accounts=(
        LedgerAccount("1100", "Receivable", "receivable", True),
        LedgerAccount("2200", "Tax", "", True),
        LedgerAccount("4000", "Revenue", "revenue", True),
    ),
    balances=(Balance("1100", Decimal("424.20")), Balance("2200", Decimal("-70.70")),
              Balance("4000", Decimal("-353.50"))),
    entries=(
        entry("2026/1", "100.50", "INV 1"),
        entry("2026/2", "120.50", "INV 2", "Watts Inc"),
        entry("2026/3", "132.50", "INV 3"),
    ),
    documents=(
        invoice("INV 1", "100.50"),
        invoice("INV 2", "120.50", party="Watts Inc"),
        invoice("INV 3", "132.50"),
        replace(invoice("", "80.00", "draft"), description="Project of a draft"),
    ),
    works=(
        Work("Review", "project", "Brown Group", "open", "timesheet", None, None),
        Work("Review\\Interviews", "task", "", "open", "", Decimal(120), Decimal(10)),
    ),
    hours=(time(2, "3.25"), time(3, "7.5"), time(4, "2.75"), time(9, "1.5")),
    sequences=(Sequence("Invoices 2026", "INV ", 4),),
    shipped=Shipped(("account.group_account",), ("payment term ",)),
    users=(User("ann", True, ("account.group_account",), ("invoices: post", "invoices: read")),
           User("bob", True, (), ("invoices: read",))),
    roles=(
        RoleRights("everybody", "everybody", ("invoices: read",)),
        RoleRights("account.group_account", "Account", ("invoices: post",)),
    ),
    settings=(ErpSetting("tax VAT", "rate", "0.2"), ErpSetting("period 2026-01", "state", "closed")),
    extensions=("account", "project"),
)  # fmt: skip


def with_entry(index: int, **changed: Any) -> Fingerprint:
    entries = list(BOOKS.entries)
    entries[index] = replace(entries[index], **changed)
    return replace(BOOKS, entries=tuple(entries))


def only(before: Fingerprint, after: Fingerprint, tolerances: Tolerances | None = None) -> Any:
    found = compare(before, after, tolerances)
    assert len(found) == 1, [each.cause for each in found]
    return found[0]


# --- values ---------------------------------------------------------------------------------------------------------


def test_equal_books_have_no_differences() -> None:
    assert compare(BOOKS, replace(BOOKS, taken_at=datetime(2026, 4, 1, tzinfo=UTC), seconds=9.0)) == []


def test_a_fingerprint_is_written_and_read_back(tmp_path: Path) -> None:
    for name in ("books.json", "books.json.gz"):
        files.write(BOOKS, tmp_path / name)
        assert files.read(tmp_path / name) == BOOKS
    assert b'"100.50"' in (tmp_path / "books.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "says"),
    [(b"{}", "tenant: field required"), (b"not json", "invalid JSON"), (b"\x1f\x8bxx", "cannot be unpacked")],
)
def test_a_file_that_is_no_fingerprint_is_refused(text: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text)
    with pytest.raises(UnreadableFingerprint, match=says) as error:
        files.read(path)
    assert str(path) in str(error.value)


def test_another_version_is_refused() -> None:
    with pytest.raises(UnreadableFingerprint, match="version 99"):
        files.loads(files.dumps(replace(BOOKS, schema=99)))


def test_sums_are_made_of_the_documents() -> None:
    assert BOOKS.trial_balance()["4000", "2026-03"] == Decimal("-353.50")
    assert BOOKS.tax_totals()["VAT", "tax", "2026-03"] == Decimal("70.70")
    assert BOOKS.ageing("receivable") == {("Brown Group", "not due"): Decimal("279.60"),
                                          ("Watts Inc", "not due"): Decimal("144.60")}  # fmt: skip
    late = BOOKS.ageing("receivable", date(2026, 6, 1))
    assert late["Watts Inc", "31-60 days"] == Decimal("144.60")
    assert BOOKS.hours_by_month() == {("Ann", "Review\\Interviews", "2026-03"): Decimal("15.00")}
    assert BOOKS.work_in_progress()["Review\\Interviews"] == (Decimal("15.00"), Decimal("1800.00"))


# --- causes ---------------------------------------------------------------------------------------------------------


def test_a_lost_line_is_the_cause_and_the_balance_follows() -> None:
    found = only(BOOKS, with_entry(0, lines=BOOKS.entries[0].lines[:2]))
    assert found.signature == "posting:line lost:2026/1:4000"
    assert found.path == ("4000", "2026-03", "posting 2026/1 (of INV 1)", "4000 credit 100.50")
    assert "no longer balances, by 100.50" in found.cause
    assert found.follows == ("balance of 4000 in 2026-03: -353.50 -> -253.00",)


def test_a_renumbered_document_is_neither_lost_nor_new() -> None:
    documents = (replace(BOOKS.documents[0], number="INV 99"), *BOOKS.documents[1:])
    entries = (replace(BOOKS.entries[0], origin="INV 99"), *BOOKS.entries[1:])
    found = only(BOOKS, replace(BOOKS, documents=documents, entries=entries))
    assert found.cause == "invoice INV 1 is now numbered INV 99."
    assert found.signature == "document:renumbered:INV 1"


def test_two_documents_that_swapped_numbers_are_two_renumberings() -> None:
    one, other, *rest = BOOKS.documents
    documents = (replace(one, number="INV 2"), replace(other, number="INV 1"), *rest)
    causes = {each.signature for each in compare(BOOKS, replace(BOOKS, documents=documents))}
    assert {"document:renumbered:INV 1", "document:renumbered:INV 2"} <= causes


def test_merged_customers_are_one_cause() -> None:
    def moved(text: str) -> str:
        return "Brown Group" if text == "Watts Inc" else text

    after = replace(
        BOOKS,
        parties=(BOOKS.parties[0], BOOKS.parties[2]),
        documents=tuple(replace(each, party=moved(each.party)) for each in BOOKS.documents),
        entries=tuple(
            replace(each, lines=tuple(replace(line, party=moved(line.party)) for line in each.lines))
            for each in BOOKS.entries
        ),
    )
    found = only(BOOKS, after)
    assert found.signature == "party:merged:Watts Inc"
    assert "was merged into Brown Group" in found.cause


def test_a_lost_document_takes_its_posting_with_it() -> None:
    after = replace(BOOKS, documents=BOOKS.documents[1:], entries=BOOKS.entries[1:])
    found = [each for each in compare(BOOKS, after) if each.section != "balances"]
    assert [each.signature for each in found] == ["document:lost:INV 1"]
    assert "posting 2026/1 (of INV 1) is lost" in found[0].follows


def test_a_draft_that_was_posted_is_one_cause() -> None:
    posted = replace(BOOKS.documents[3], state="posted", number="INV 4")
    found = only(BOOKS, replace(BOOKS, documents=(*BOOKS.documents[:3], posted)))
    assert "state is posted, was draft" in found.cause


def test_a_right_granted_names_the_role_and_folds_its_users() -> None:
    roles = (BOOKS.roles[0], replace(BOOKS.roles[1], rights=("invoices: delete", "invoices: post")))
    users = (replace(BOOKS.users[0], rights=("invoices: delete", "invoices: post", "invoices: read")), BOOKS.users[1])
    found = only(BOOKS, replace(BOOKS, roles=roles, users=users))
    assert found.signature == "role:granted:account.group_account:invoices:delete"
    assert found.follows == ("user ann may now delete invoices",)


def test_shifted_dates_doubled_hours_and_rounded_amounts_are_one_cause_each() -> None:
    shifted = tuple(replace(each, on=each.on - timedelta(1)) for each in BOOKS.hours)
    assert only(BOOKS, replace(BOOKS, hours=shifted)).signature == "hours:on:1 day earlier"
    doubled = tuple(replace(each, hours=each.hours * 2) for each in BOOKS.hours)
    assert only(BOOKS, replace(BOOKS, hours=doubled)).signature == "hours:hours:multiplied by 2"


def test_a_balance_that_no_line_explains_is_its_own_cause() -> None:
    balances = (replace(BOOKS.balances[0], amount=Decimal("424.21")), *BOOKS.balances[1:])
    found = only(BOOKS, replace(BOOKS, balances=balances))
    assert found.signature == "balance:1100:stated"


def test_small_differences_are_tolerated_until_they_add_up() -> None:
    def drifted(line: LedgerLine) -> LedgerLine:
        return replace(line, credit=line.credit + Decimal("0.01")) if line.account == "4000" else line

    entries = tuple(replace(each, lines=tuple(map(drifted, each.lines))) for each in BOOKS.entries)
    after = replace(BOOKS, entries=entries)
    assert compare(BOOKS, after, Tolerances(posting=Decimal("0.01"), balance=Decimal("0.05"))) == []
    found = only(BOOKS, after, Tolerances(posting=Decimal("0.01"), balance=Decimal("0.02")))
    assert (found.signature, found.before, found.after) == ("balance:4000:2026-03", "-353.50", "-353.53")


def test_what_a_release_brings_is_no_alarm_and_what_it_takes_is() -> None:
    gifts = {
        "sequences": (*BOOKS.sequences, Sequence("Work Effort", "", 1)),
        "settings": (*BOOKS.settings, ErpSetting("payment term Net 10 days", "lines", "remainder in 10 days")),
        "roles": (BOOKS.roles[0], replace(BOOKS.roles[1], name="Accounting"), RoleRights("stock.new", "New", ())),
        "extensions": (*BOOKS.extensions, "chat"),
        "shipped": replace(BOOKS.shipped, roles=(*BOOKS.shipped.roles, "stock.new")),
    }
    assert compare(BOOKS, replace(BOOKS, series="8.0", **gifts)) == []
    assert len(compare(BOOKS, replace(BOOKS, **gifts))) == 5
    assert only(BOOKS, replace(BOOKS, series="8.0", extensions=("account",))).cause == (
        "The extension project is off, was on."
    )


def test_what_is_the_erps_own_is_for_its_driver_to_say() -> None:
    mine = replace(BOOKS, shipped=Shipped())
    roles = (*BOOKS.roles, RoleRights("stock.new", "New", ()))
    assert only(mine, replace(mine, series="8.0", roles=roles)).signature == "role:new:stock.new"


# --- any single change ------------------------------------------------------------------------------------------------

_SECTIONS = [each.name for each in fields(Fingerprint) if isinstance(getattr(BOOKS, each.name), tuple)]


def _other(value: Any, draw: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Decimal):
        return value + draw(st.integers(1, 10**6).map(lambda cents: Decimal(cents) / 100))
    if isinstance(value, date):
        return value + timedelta(draw(st.integers(1, 400)))
    if isinstance(value, int):
        return value + draw(st.integers(1, 99))
    if isinstance(value, str):
        return value + draw(st.text(string.ascii_letters, min_size=1, max_size=5))
    return Decimal(1) if value is None else value


def _changed(record: Any, draw: Any) -> Any:
    """The record with one value changed, at any depth."""
    if not is_dataclass(record):
        return _other(record, draw)
    name = draw(st.sampled_from([each.name for each in fields(record) if getattr(record, each.name) != ()]))
    value = getattr(record, name)
    if isinstance(value, tuple):
        index = draw(st.integers(0, len(value) - 1))
        return replace(record, **{name: (*value[:index], _changed(value[index], draw), *value[index + 1 :])})
    return replace(record, **{name: _other(value, draw)})


@settings(deadline=None)
@given(st.data())
def test_any_single_change_is_reported_and_names_its_section(data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(_SECTIONS))
    records = getattr(BOOKS, section)
    index = data.draw(st.integers(0, len(records) - 1))
    what = data.draw(st.sampled_from(["changed", "lost", "twice"]))
    new = {"changed": lambda: (_changed(records[index], data.draw),), "lost": tuple,
           "twice": lambda: (records[index], records[index])}[what]()  # fmt: skip
    after = replace(BOOKS, **{section: (*records[:index], *new, *records[index + 1 :])})
    if section == "extensions" and what == "twice":
        return  # a module is switched on once
    found = compare(BOOKS, after)
    assert found
    assert section in {each.section for each in found}
    assert all(each.path and all(each.path) and each.cause.endswith(".") for each in found)


@settings(deadline=None)
@given(st.data())
def test_the_order_of_records_says_nothing(data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(_SECTIONS))
    shuffled = tuple(data.draw(st.permutations(getattr(BOOKS, section))))
    assert compare(BOOKS, replace(BOOKS, **{section: shuffled})) == []


# --- policy -----------------------------------------------------------------------------------------------------------


def waiver(**changed: Any) -> Waiver:
    given = {"tenant": "aldgate", "signature": "sequence:next:*", "owner": "finance", "reason": "a new year",
             "expires": date(2027, 1, 31)}  # fmt: skip
    return Waiver(**{**given, **changed})


SEQUENCE = compare(BOOKS, replace(BOOKS, sequences=(Sequence("Invoices 2026", "INV ", 1),)))


def test_a_waiver_covers_its_tenant_and_signature_until_it_expires() -> None:
    policy = ComparisonPolicy(waivers=(waiver(),))
    kept = judge("aldgate", SEQUENCE, policy, date(2027, 1, 31))
    assert (kept.accepted, len(kept.waived)) == (True, 1)
    assert not judge("kyoto", SEQUENCE, policy, date(2027, 1, 30)).accepted
    late = judge("aldgate", SEQUENCE, policy, date(2027, 2, 1))
    assert (late.accepted, late.left) == (False, tuple(SEQUENCE))
    assert late.expired == (
        "The waiver of sequence:next:* for aldgate (finance, through 2027-01-31) has expired: a new year",
    )


def test_an_expired_waiver_fails_and_an_unused_one_is_remarked() -> None:
    assert not judge("aldgate", [], ComparisonPolicy(waivers=(waiver(),)), date(2027, 2, 1)).accepted
    unused = judge("aldgate", [], ComparisonPolicy(waivers=(waiver(),)), date(2027, 1, 1))
    assert unused.accepted
    assert "covered nothing" in unused.remarks[0]


def test_all_mistakes_of_a_policy_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        """
[tolerances]
posting = 0.01
balnce = "0.05"
hours = "-1"
[[waivers]]
tenant = "aldgate"
signature = ""
reason = "because"
expires = "soon"
"""
    )
    with pytest.raises(ComparisonPolicyError) as error:
        load(path)
    told = str(error.value)
    for words in (
        'tolerances.posting: must be in quotes, as "0.01"',
        "tolerances.balnce: is not a known key; did you mean balance?",
        "tolerances.hours: must be at least 0",
        "waivers[0].signature: must not be empty",
        "waivers[0].owner: is required",
        "waivers[0].expires: must be a date",
    ):
        assert f"{path}: {words}" in told
    assert len(error.value.problems) == 6


def test_a_policy_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        '[tolerances]\nbalance = "0.05"\n[[waivers]]\ntenant = "*"\nsignature = "x"\nowner = "o"\nreason = "r"\n'
        "expires = 2027-01-31\n"
    )
    assert load(path) == ComparisonPolicy(
        tolerances=Tolerances(balance=Decimal("0.05")),
        waivers=(Waiver(tenant="*", signature="x", owner="o", reason="r", expires=date(2027, 1, 31)),),
    )


# --- going back -------------------------------------------------------------------------------------------------------


def test_what_going_back_would_lose() -> None:
    note = replace(invoice("CN 1", "-70.00"), kind="credit note")
    now = replace(
        BOOKS,
        documents=(
            *BOOKS.documents[:3],
            replace(BOOKS.documents[3], state="posted", number="INV 4"),
            invoice("INV 5", "90.00"),
            replace(invoice("INV 6", "70.00", "paid"), reversed_by="CN 1"),
            note,
            replace(invoice("INV 7", "10.00"), description="Synthetic [RG-abc]"),
        ),
        entries=(*BOOKS.entries, entry("2026/4", "90.00", "INV 5"), entry("2026/5", "7.00")),
        hours=(*BOOKS.hours, time(20, "4")),
    )
    lost = {each.name: each for each in lost_documents(BOOKS, now)}
    assert lost["INV 5"].again
    assert (lost["INV 5"].amount, lost["INV 5"].party) == (Decimal("108.000"), "Brown Group")
    assert (lost["INV 4"].again, lost["INV 4"].reason) == (True, "must be done again: state was draft in the backup")
    assert (lost["INV 6"].again, lost["INV 6"].reason) == (False, "reversed to nil by its credit note")
    assert not lost["CN 1"].again
    assert (lost["INV 7"].again, lost["INV 7"].reason) == (False, "synthetic: Ringgate wrote it")
    assert "2026/4" not in lost  # it comes with its invoice
    assert lost["2026/5"].again
    assert lost["Review\\Interviews, 2026-03-20"].amount == Decimal(4)
    assert lost_documents(BOOKS, BOOKS) == []
