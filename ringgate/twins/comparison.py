"""A run's twin against what runs before it had in common: every difference that nothing explains is a finding.

Invoice Line 1: Unit is "Day", in the 5 runs before it was "Hour" (account.invoice.line.unit, aldgate)
one Account Move Line less than in the 5 runs before: account.move.line 6 is missing (aldgate)
Account Move has no field Post Number any more (account.move.post_number, aldgate)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringgate.twins.learning import is_empty
from ringgate.twins.model import NOTHING, LearnedField, LearnedRecord, LearnedTwin, Readings, Twin, TwinRecord


class TwinChange(StrEnum):
    """What differs. It begins the signature of a finding, which waivers name."""

    VALUE = "value"
    FEWER = "record missing"
    MORE = "record more"
    GONE = "field gone"
    CAME = "field new"


@dataclass(frozen=True, slots=True)
class TwinFinding:
    """One difference. `record` is `account.invoice.line 1`, "" where it is of all records of a model; `before` and
    `after` are the two values in words."""

    change: TwinChange
    tenant: str
    model: str
    field: str
    record: str
    title: str
    before: str
    after: str
    runs: int

    @property
    def signature(self) -> str:
        """What a waiver names: `value account.invoice.line.unit`, `record more account.move.line`."""
        return f"{self.change} {self.model}" + (f".{self.field}" if self.field else "")

    @property
    def path(self) -> str:
        return f"{self.record or self.model}" + (f", {self.field}" if self.field else "")

    @property
    def sentence(self) -> str:
        """For an accountant: what differs, and where."""
        where = f"({self.model}{'.' + self.field if self.field else ''}, {self.tenant})"
        ran = f"in {self.runs} runs before" if self.runs > 1 else "in the run before"
        match self.change:
            case TwinChange.VALUE:
                return f"{self.title} is {self.after}, {ran} it was {self.before} {where}"
            case TwinChange.FEWER:
                return f"{self.title} is missing, which was there {ran} {where}"
            case TwinChange.MORE:
                return f"{self.title} is there, which was not {ran} {where}"
            case TwinChange.GONE:
                return f"{self.title} is a field no more; {ran} it was {self.before} {where}"
            case _:
                return f"{self.title} is a new field, and holds {self.after} {where}"


def compare(learned: LearnedTwin, twin: Twin) -> tuple[TwinFinding, ...]:
    """All findings, in the order of the records' making. Raises nothing: who has learned too little is not asked."""
    return tuple(_Comparison(learned, twin).findings())


class _Comparison:
    def __init__(self, learned: LearnedTwin, twin: Twin) -> None:
        self.learned, self.twin = learned, twin
        self.labels = {**learned.labels, **twin.labels}
        self.there = twin.by_model()
        # Where there are more or fewer records of a model, places say nothing: links to them are not compared.
        self.shaken = {
            model
            for model in {**learned.records, **self.there}
            if len(self.there.get(model, ())) != len(learned.records.get(model, ()))
        }

    def findings(self) -> Iterator[TwinFinding]:
        for model in {**self.learned.records, **self.there}:
            yield from self._of_model(model, self.learned.records.get(model, ()), self.there.get(model, []))

    def _of_model(self, model: str, old: Sequence[LearnedRecord], new: Sequence[TwinRecord]) -> Iterator[TwinFinding]:
        pairs, missing, more = _paired(old, new)
        yield from self._fields_that_came_or_went(model, pairs)
        for before, now in pairs:
            lines = _lines(before, now)
            for name in {**now.fields, **before.fields}:
                if name in lines or (name in before.fields and name in now.fields):
                    yield from self._field(before, now, name)
        for place, lost in missing:
            if lost.always:
                yield self._finding(TwinChange.FEWER, model, "", f"{model} {place}", "there", "missing")
        for found in more:
            yield self._finding(TwinChange.MORE, model, "", found.name, NOTHING, "there")

    def _fields_that_came_or_went(
        self, model: str, pairs: Sequence[tuple[LearnedRecord, TwinRecord]]
    ) -> Iterator[TwinFinding]:
        """Once for all records of a model."""
        if not pairs:
            return
        before, now = pairs[0]
        lines = _lines(before, now)
        for name in sorted(before.fields.keys() - now.fields.keys() - lines):
            yield self._finding(TwinChange.GONE, model, name, "", _told(before.fields[name].expected), NOTHING)
        for name in sorted(now.fields.keys() - before.fields.keys() - lines):
            yield self._finding(TwinChange.CAME, model, name, "", NOTHING, _told(now.fields[name][0]))

    def _field(self, before: LearnedRecord, now: TwinRecord, name: str) -> Iterator[TwinFinding]:
        known = before.fields.get(name, LearnedField((frozenset({NOTHING}),), sometimes_empty=True))
        found = now.fields.get(name, (frozenset({NOTHING}),))
        if fits(known, found) or self._leads_to_shaken(known, found):
            return
        expected = known.expected
        told = self._as_entered(_told(expected)) if expected else "something"
        yield self._finding(TwinChange.VALUE, now.model, name, now.name, told, _told(found[0]))

    def _as_entered(self, told: str) -> str:
        """With what this run entered, which its reader knows, in place of the words for it."""
        for name, text in self.twin.texts.items():
            told = told.replace(name, text)
        return told

    def _leads_to_shaken(self, known: LearnedField, found: Readings) -> bool:
        texts = [*known.expected, *(found[0] if found else ())]
        return any(f"-> {model} " in text or text.endswith(" of them") for text in texts for model in self.shaken)

    def _finding(self, change: TwinChange, model: str, name: str, record: str, before: str, after: str) -> TwinFinding:
        place = record.rpartition(" ")[2] if record else ""
        base, _, line = name.partition(" line ")
        label = self.labels.get(f"{model}.{base}", base) + (f" line {line}" if line else "")
        title = " ".join(filter(None, (self.labels.get(model, model), place)))
        title += f": {label}" if name else ""
        tenant, runs = self.twin.key.tenant, self.learned.runs
        return TwinFinding(change, tenant, model, name, record, title, before, after, runs)


def fits(known: LearnedField, found: Readings) -> bool:
    """Whether a value agrees with the most exact readings that runs before had in common.

    Where they had none in common, it varies, and agrees; but what was never empty must not be empty now."""
    for rank, readings in enumerate(known.readings):
        if readings:
            return bool(rank < len(found) and readings & found[rank]) or _loosely(known, found, rank)
    return known.sometimes_empty or not is_empty(found)


def _loosely(known: LearnedField, found: Readings, rank: int) -> bool:
    """A text that has one rank alone, because it holds no digits, is its own shape."""
    return rank >= len(found) > 0 and bool(known.readings[rank] & found[-1])


def _lines(before: LearnedRecord, now: TwinRecord) -> set[str]:
    """Lines of printed documents, which may be more or fewer."""
    return {name for name in {**before.fields, **now.fields} if " line " in name}


def _told(readings: frozenset[str]) -> str:
    """Readings for people: the calendar's first, the rest in brackets; texts in quotes."""
    exact, *others = sorted(readings, key=lambda each: ("«" in each, not each[:1].isdigit(), len(each), each)) or ["?"]
    shown = exact if exact == NOTHING or exact.startswith("-> ") else f'"{exact}"'
    return shown + (f" ({others[0]})" if others else "")


def _paired(
    old: Sequence[LearnedRecord], new: Sequence[TwinRecord]
) -> tuple[list[tuple[LearnedRecord, TwinRecord]], list[tuple[int, LearnedRecord]], list[TwinRecord]]:
    """Records of one model: by place where they are as many, else by how many fields agree; and what is left over."""
    if len(old) == len(new):
        return list(zip(old, new, strict=True)), [], []
    free, pairs, missing = list(new), list[tuple[LearnedRecord, TwinRecord]](), list[tuple[int, LearnedRecord]]()
    # Those that every run makes choose first.
    for place, each in sorted(enumerate(old, start=1), key=lambda one: not one[1].always):
        if not free:
            missing.append((place, each))
            continue
        best = max(free, key=lambda other, mine=each: _alike(mine.fields, other.fields))  # type: ignore[misc]
        free.remove(best)
        pairs.append((each, best))
    return pairs, missing, free


def _alike(old: Mapping[str, LearnedField], new: Mapping[str, Readings]) -> int:
    return sum(fits(known, new[name]) for name, known in old.items() if name in new)
