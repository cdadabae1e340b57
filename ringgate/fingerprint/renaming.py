"""What was only renamed is found first, and carried through the older fingerprint.

A customer that was merged into another changes every document of its own; an invoice that was renumbered changes the
origin of its posting. With the older fingerprint told the new names, only the renaming itself is left to be reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringgate.fingerprint.model import Fingerprint, Party
from ringgate.fingerprint.pairing import pair
from ringgate.fingerprint.sections import SECTIONS

_BY_ATTRIBUTE = {section.attribute: section for section in SECTIONS}
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """Two parties became one: `count` documents of the first are now of the other."""

    party: str
    into: str
    count: int


def merged_parties(before: Fingerprint, after: Fingerprint) -> list[Merged]:
    """Parties that are gone or no longer active, and whose documents all went to one other."""
    left = {party.name for party in after.parties if party.active}
    moved: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    stayed: set[str] = set()
    now = dict(_parties_of(after))
    for key, party in _parties_of(before):
        if key in now and now[key] != party:
            moved[party][now[key]] += 1
        elif key in now:
            stayed.add(party)
    return [
        Merged(party, next(iter(into)), sum(into.values()))
        for party, into in moved.items()
        if party not in left and party not in stayed and len(into) == 1 and next(iter(into)) in _names(before.parties)
    ]


def _names(parties: tuple[Party, ...]) -> set[str]:
    return {party.name for party in parties}


def _parties_of(fingerprint: Fingerprint) -> list[tuple[tuple[str, str], str]]:
    numbered = [((each.kind, each.number), each.party) for each in fingerprint.documents if each.number]
    works = [(("work", each.name), each.customer) for each in fingerprint.works if each.customer]
    entries = [
        (("posting", f"{each.number} {line.account}"), line.party)
        for each in fingerprint.entries
        if each.number
        for line in each.lines
        if line.party
    ]
    return [*numbered, *works, *entries]


def carried(before: Fingerprint, parties: Names, after: Fingerprint) -> Fingerprint:
    """`before` with the names that its records have in `after`; their own names stay, to be reported."""
    known = {**_renamed("parties", "name", before, after), **parties}
    before = _with_parties(before, known)
    accounts = _renamed("accounts", "account", before, after)
    if accounts:
        before = _with_accounts(before, accounts)
    works = _renamed("works", "name", before, after)
    if works:
        before = replace(before, hours=_replaced(before.hours, "work", works))
    numbers = _renamed("documents", "number", before, after)
    if numbers:
        before = replace(
            before,
            documents=_replaced(before.documents, "reversed_by", numbers),
            entries=_replaced(before.entries, "origin", numbers),
        )
    numbers = _renamed("entries", "number", before, after)
    return replace(before, entries=_replaced(before.entries, "origin", numbers)) if numbers else before


def _renamed(attribute: str, field: str, before: Fingerprint, after: Fingerprint) -> dict[str, str]:
    was, is_ = getattr(before, attribute), getattr(after, attribute)
    if was == is_:
        return {}
    pairs, _, _ = pair(was, is_, _BY_ATTRIBUTE[attribute].keys)
    names = ((getattr(one, field), getattr(other, field)) for one, other in pairs)
    return {one: other for one, other in names if one and other and one != other}


def _replaced(records: tuple[Any, ...], field: str, names: Names) -> tuple[Any, ...]:
    return tuple(
        replace(each, **{field: names[getattr(each, field)]}) if getattr(each, field) in names else each
        for each in records
    )


def _in_lines(records: tuple[Any, ...], field: str, names: Names) -> tuple[Any, ...]:
    return tuple(
        replace(each, lines=_replaced(each.lines, field, names))
        if any(getattr(line, field) in names for line in each.lines)
        else each
        for each in records
    )


def _with_parties(before: Fingerprint, names: Names) -> Fingerprint:
    if not names:
        return before
    return replace(
        before,
        documents=_replaced(before.documents, "party", names),
        entries=_in_lines(before.entries, "party", names),
        works=_replaced(before.works, "customer", names),
        hours=_replaced(before.hours, "employee", names),
    )


def _with_accounts(before: Fingerprint, names: Names) -> Fingerprint:
    return replace(
        before,
        documents=_in_lines(before.documents, "account", names),
        entries=_in_lines(before.entries, "account", names),
        balances=_replaced(before.balances, "account", names),
    )
