"""Causes in the words of a release manager: one sentence each, with both values, and a stable signature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ringgate.fingerprint.change import LOST, NEW, RENAMED, BookChange
from ringgate.fingerprint.difference import Difference
from ringgate.fingerprint.model import LedgerEntry, LedgerLine, Sequence
from ringgate.fingerprint.patterns import most_common
from ringgate.fingerprint.renaming import Merged
from ringgate.fingerprint.sections import WORDS, Section, line_label, shown

MANY = 3
"""Records with the same change that are told as one cause."""

Group = tuple[tuple[Section, str, str], list[BookChange]]
_AMOUNTS = {"debit": "amount", "credit": "amount"}


def subject(change: BookChange) -> str:
    """A record's name in a signature: short, and the same in every language of a label."""
    record = change.record
    for name in ("number", "login", "role", "account"):
        if getattr(record, name, ""):
            return str(getattr(record, name))
    return change.section.label(record)


def cause(change: BookChange, follows: Iterable[str] = ()) -> Difference:
    """One change as a difference."""
    sentence, what = _sentence(change)
    line = f":{change.line.account or line_label(change.line)}" if change.line else ""
    right = ":" + str(change.before or change.after).replace(": ", ":") if change.field in ("rights", "roles") else ""
    return Difference(
        signature=f"{change.section.word}:{what}:{subject(change)}{line}{right}",
        section=change.section.attribute,
        path=change.path,
        before=shown(change.before),
        after=shown(change.after),
        cause=sentence,
        follows=tuple(follows),
    )


def _sentence(change: BookChange) -> tuple[str, str]:  # noqa: PLR0911 - one for each kind of change
    """The sentence, and the middle of the signature."""
    label, word = change.label, WORDS.get(change.field, change.field.replace("_", " "))
    before, after = shown(change.before), shown(change.after)
    if change.field in ("rights", "roles"):
        return _right(change)
    if change.what == RENAMED:
        if change.field == "number":
            return f"{label} is now numbered {after}.", "renumbered"
        return f"{label} is now called {after}.", "renamed"
    if change.field == "line":
        verb = "lost its line" if change.what == LOST else "has a new line"
        return f"{label} {verb} {line_label(_line(change))}{_unbalanced(change)}.", f"line {change.what}"
    if change.what == LOST:
        return f"{label} is lost{_amount(change)}.", LOST
    if change.what == NEW:
        return f"{label} is new{_amount(change)}.", NEW
    if change.line is not None:
        named = f"the line {line_label(_line(change))}"
        return f"{label}: {word} of {named} is {after}, was {before}{_unbalanced(change)}.", change.field
    if isinstance(change.record, Sequence) and change.field == "next":
        threat = "numbers would be given twice" if change.after < change.before else "numbers would be left out"
        return f"The next number of {change.record.name} is {after}, was {before}: {threat}.", "next"
    if change.section.attribute == "settings":
        return f"{label} is {after}, was {before}.", change.field
    return f"{label}: {word} is {after}, was {before}.", change.field


def _right(change: BookChange) -> tuple[str, str]:
    label, gained = change.label, change.what == NEW
    value = str(change.before or change.after)
    if change.field == "roles":
        return f"{label} {'now has' if gained else 'no longer has'} the role {value}.", f"role {change.what}"
    what, _, verb = value.partition(": ")
    may = "may now" if gained else "may no longer"
    return f"{label} {may} {verb} {what}.", "granted" if gained else "withdrawn"


def _line(change: BookChange) -> Any:
    return change.line_was if change.line_was is not None else change.line_is


def _amount(change: BookChange) -> str:
    total = getattr(change.record, "total", None)
    if total is not None:
        return f" ({shown(total)} {change.record.party})"
    if isinstance(change.record, LedgerEntry):
        return f" ({shown(sum((line.debit for line in change.record.lines), Decimal(0)))} of {change.record.on})"
    return ""


def _unbalanced(change: BookChange) -> str:
    if not isinstance(change.line, LedgerLine) or change.is_ is None:
        return ""
    over = sum((line.debit - line.credit for line in change.is_.lines), Decimal(0))
    return f"; it no longer balances, by {shown(abs(over))}" if over else ""


def follows(change: BookChange) -> str:
    """What differs because of something else, in short."""
    if change.what in (LOST, NEW) and not change.field:
        return f"{change.label} is {change.what}"
    if change.field == "rights":
        return cause(change).cause.rstrip(".")
    return f"{change.label}: {change.field} {shown(change.before)} -> {shown(change.after)}"


def merged(found: Merged) -> Difference:
    return Difference(
        signature=f"party:merged:{found.party}",
        section="parties",
        path=(found.party,),
        before=found.party,
        after=found.into,
        cause=f"party {found.party} was merged into {found.into}: {found.count} of its records are now the other's.",
    )


def balance(account: str, period: str, before: Decimal | None, after: Decimal | None) -> Difference:
    """A balance that no line explains; without a period, what the ERP itself states."""
    one, other = shown(before or Decimal(0)), shown(after or Decimal(0))
    where = f" in {period}" if period else ", as the ERP states it,"
    return Difference(
        signature=f"balance:{account}:{period or 'stated'}",
        section="balances",
        path=(account, period) if period else (account,),
        before=one,
        after=other,
        cause=f"The balance of {account}{where} is {other}, was {one}, and no line of the ledger explains it.",
    )


def extension(name: str, there: bool) -> Difference:
    state = ("off", "on") if there else ("on", "off")
    cause = f"The extension {name} is {state[1]}, was {state[0]}."
    return Difference(f"extension:{NEW if there else LOST}:{name}", "extensions", (name,), *state, cause)


# --- the same change of many records --------------------------------------------------------------------------------


def grouped(causes: list[BookChange]) -> tuple[list[Group], list[BookChange]]:
    """Changes of many records that follow one pattern, and all others."""
    alike: dict[tuple[int, str, str], list[BookChange]] = defaultdict(list)
    for change, pattern in zip(causes, most_common(causes), strict=True):
        if pattern:
            alike[id(change.section), _AMOUNTS.get(change.field, change.field), pattern].append(change)
    groups = [
        ((members[0].section, field, pattern), members)
        for (_, field, pattern), members in alike.items()
        if len({id(each.was) for each in members}) >= MANY
    ]
    grouped = {id(each) for _, members in groups for each in members}
    return groups, [each for each in causes if id(each) not in grouped]


def group(section: Section, field: str, pattern: str, members: list[BookChange]) -> Difference:
    """One difference for all of them, which `follows` lists."""
    first, count = members[0], len(members)
    word = WORDS.get(field, field)
    of = {"hours": "time entries", "entries": "postings", "documents": "documents"}.get(
        section.attribute, f"records ({section.word})"
    )
    part = "lines of " if first.line is not None else ""
    example = f"for example {first.label}: {shown(first.before)} -> {shown(first.after)}"
    return Difference(
        signature=f"{section.word}:{field}:{pattern}",
        section=section.attribute,
        path=(f"{count} {part}{of}", field),
        before=shown(first.before),
        after=shown(first.after),
        cause=f"The {word} of {count} {part}{of} differs in the same way, {pattern}; {example}.",
        follows=tuple(f"{each.label}: {shown(each.before)} -> {shown(each.after)}" for each in members),
    )
