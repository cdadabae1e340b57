"""Two fingerprints in, their causes out: the smallest first, and what follows from one not told again.

1. What was renamed or merged is found and carried through the older fingerprint (`renaming`).
2. Every value that still differs becomes a change (`changes`).
3. A change that follows from another is folded under it; the same change of many records becomes one cause.
4. What the sums say that no change explains is a cause of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ringgate.fingerprint import words
from ringgate.fingerprint.change import CHANGED, LOST, NEW, RENAMED, BookChange
from ringgate.fingerprint.changes import changes
from ringgate.fingerprint.difference import Difference
from ringgate.fingerprint.model import ErpSetting, Fingerprint, Hours, LedgerLine, RoleRights, Sequence, Shipped
from ringgate.fingerprint.policy import Tolerances
from ringgate.fingerprint.renaming import carried, merged_parties
from ringgate.fingerprint.sections import shown

Sums = Mapping[tuple[str, str], Decimal]


def compare(before: Fingerprint, after: Fingerprint, tolerances: Tolerances | None = None) -> list[Difference]:
    """Why `after` is not `before`; empty if it is. Pure. Ledger first, then documents, configuration, rights."""
    allowed = tolerances or Tolerances()
    merged = merged_parties(before, after)
    told = carried(before, {each.party: each.into for each in merged}, after)
    found = [each for each in changes(told, after, allowed) if not _of_the_merged(each, {m.party for m in merged})]
    if before.series != after.series:
        own = _shipped(before, after)
        found = [each for each in found if not _came_with_the_series(each, own)]
    causes, folded = _fold(found)
    result = [words.merged(each) for each in merged]
    groups, single = words.grouped(causes)
    sums = _moved(told, after)
    result += [words.group(section, field, pattern, members) for (section, field, pattern), members in groups]
    result += [words.cause(each, _follows(each, folded, told, after)) for each in single]
    result += _extensions(before, after)
    return result + _unexplained(sums, causes, told, after, allowed)


def _of_the_merged(change: BookChange, merged: set[str]) -> bool:
    return change.section.attribute == "parties" and change.record.name in merged


def _shipped(before: Fingerprint, after: Fingerprint) -> Shipped:
    """What either series has of its own."""
    one, other = before.shipped, after.shipped
    return Shipped((*one.roles, *other.roles), (*one.settings, *other.settings))


def _came_with_the_series(change: BookChange, shipped: Shipped) -> bool:
    """New things of no effect that a release brings, and the other names it gives its own."""
    record = change.record
    if isinstance(record, Sequence):
        return change.what == NEW and record.next <= 1
    if isinstance(record, ErpSetting):
        return change.what == NEW and record.subject.startswith(shipped.settings)
    if isinstance(record, RoleRights):
        return record.role in shipped.roles and (
            change.field == "name" or (change.field == "" and change.what in (LOST, NEW))
        )
    if change.section.attribute == "users" and change.field == "roles":
        # What a role of the ERP's own allows is told by the rights; which of them there are is the release's.
        return str(change.before or change.after) in shipped.roles and set(change.was.rights) == set(change.is_.rights)
    return False


# --- what follows from what -----------------------------------------------------------------------------------------


def _fold(found: list[BookChange]) -> tuple[list[BookChange], dict[int, list[BookChange]]]:
    """The causes, and for each (by its id) the changes that follow from it."""
    causes = [each for each in found if not _may_follow(each)]
    folded: dict[int, list[BookChange]] = defaultdict(list)
    left: list[BookChange] = []
    for change in found:
        if not _may_follow(change):
            continue
        cause = next((each for each in causes if _explains(each, change)), None)
        if cause is None:
            left.append(change)
        else:
            folded[id(cause)].append(change)
    kept = {id(each) for each in (*causes, *left)}
    return [each for each in found if id(each) in kept], folded


def _may_follow(change: BookChange) -> bool:
    name, field = change.section.attribute, change.field
    if name == "entries":
        return (field == "" and bool(change.record.origin)) or field == "settled"
    if name == "users":
        return field == "rights"
    if name == "documents":
        # A draft that is posted gets its number with it.
        return field in ("reversed_by", "number") and change.what == CHANGED
    return name == "hours" and field == "billed"


def _explains(cause: BookChange, change: BookChange) -> bool:
    of, name = cause.section.attribute, change.section.attribute
    if name == "users":
        return _grants(cause, change)
    if name == "hours":
        of_it = of == "documents" and (cause.what in (LOST, NEW))
        return of_it and str(change.record.work).startswith(cause.record.description or "\0")
    if name == "documents":
        return of == name and (cause.is_ is change.is_ if change.field == "number" else cause.what in (LOST, NEW))
    if change.field == "settled":
        if of != "entries" or cause.what not in (LOST, NEW) or not isinstance(change.line, LedgerLine):
            return False
        return change.line.party in {line.party for line in cause.record.lines}
    numbers = {each.number or each.description for each in (cause.was, cause.is_) if each is not None} if (
        of == "documents") else set()  # fmt: skip
    return bool(numbers) and cause.field in ("", "state", "number") and change.record.origin in numbers


def _grants(cause: BookChange, change: BookChange) -> bool:
    """Whether a user's right came or went with what a role allows, or with a role of the user's."""
    if cause.what != change.what:
        return False
    right = change.before or change.after
    if cause.section.attribute == "roles":
        role = cause.record.role
        return (cause.before or cause.after) == right and (role in change.was.roles or role == "everybody")
    return cause.section.attribute == "users" and cause.field == "roles" and cause.was is change.was


# --- what the sums say ----------------------------------------------------------------------------------------------


def _moved(before: Fingerprint, after: Fingerprint) -> Sums:
    """(account, period) -> by how much it differs, where it does."""
    was, is_ = before.trial_balance(), after.trial_balance()
    keys = sorted({*was, *is_})
    return {k: is_.get(k, Decimal(0)) - was.get(k, Decimal(0)) for k in keys if is_.get(k, 0) != was.get(k, 0)}


def _touched(change: BookChange) -> set[tuple[str, str]]:
    """The (account, period) that a change of the ledger may have moved."""
    if change.section.attribute != "entries" or change.what == RENAMED:
        return set()
    records = [each for each in (change.was, change.is_) if each is not None]
    lines = [each for each in (change.line_was, change.line_is) if each is not None]
    periods = {record.period for record in records}
    accounts = {line.account for line in lines or [x for record in records for x in record.lines]
                if isinstance(line, LedgerLine)}  # fmt: skip
    return {(account, period) for account in accounts for period in periods}


def _unexplained(
    sums: Sums, causes: list[BookChange], before: Fingerprint, after: Fingerprint, allowed: Tolerances
) -> list[Difference]:
    """Balances that moved although no line did: small differences that add up, or an ERP that adds up wrongly."""
    explained = {key for change in causes for key in _touched(change)}
    # A posting that came or went with its document is folded under it, and moved its accounts all the same.
    explained |= {key for change in changes(before, after, allowed) for key in _touched(change)}
    was, is_ = before.trial_balance(), after.trial_balance()
    found = [
        words.balance(account, period, was.get((account, period)), is_.get((account, period)))
        for (account, period), by in sums.items()
        if abs(by) > allowed.balance and (account, period) not in explained
    ]
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    for (account, _), by in sums.items():
        by_account[account] += by
    stated, states = _stated(before), _stated(after)
    for account in sorted({*stated, *states}):
        one, other = stated.get(account, Decimal(0)), states.get(account, Decimal(0))
        if abs(other - one - by_account[account]) > allowed.balance and other != one:
            found.append(words.balance(account, "", one, other))
    return found


def _stated(fingerprint: Fingerprint) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in fingerprint.balances:
        sums[each.account] += each.amount
    return sums


def _follows(
    cause: BookChange, folded: Mapping[int, list[BookChange]], before: Fingerprint, after: Fingerprint
) -> Iterable[str]:
    """What differs because of a cause, in words: records first, then balances."""
    theirs = folded.get(id(cause), [])
    for change in theirs:
        yield words.follows(change)
    keys = sorted({key for change in (cause, *theirs) for key in _touched(change)})
    if keys:
        was, is_ = before.trial_balance(), after.trial_balance()
        for account, period in keys:
            one, other = was.get((account, period), Decimal(0)), is_.get((account, period), Decimal(0))
            if one != other:
                yield f"balance of {account} in {period}: {shown(one)} -> {shown(other)}"
    if isinstance(cause.record, Hours) and cause.what in (LOST, NEW, CHANGED):
        month = f"{cause.record.on:%Y-%m}"
        key = (cause.record.employee, cause.record.work, month)
        hours = before.hours_by_month().get(key, Decimal(0)), after.hours_by_month().get(key, Decimal(0))
        if hours[0] != hours[1]:
            yield f"hours of {cause.record.employee} in {month}: {shown(hours[0])} -> {shown(hours[1])}"


def _extensions(before: Fingerprint, after: Fingerprint) -> list[Difference]:
    lost = sorted(set(before.extensions) - set(after.extensions))
    new = sorted(set(after.extensions) - set(before.extensions)) if before.series == after.series else []
    return [words.extension(name, there=False) for name in lost] + [words.extension(name, there=True) for name in new]
