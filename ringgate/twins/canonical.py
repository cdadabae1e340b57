"""A run's records and its words -> its twin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ringgate.twins.model import Readings, Twin, TwinKey, TwinRecord
from ringgate.twins.records import FieldValue, PrintedText, RecordLink, RunRecord, RunRecords
from ringgate.twins.words import RunWords, of_links

MOST_LINKS = 40
"""Links of one field that are named; of more it is said how many they are."""


def twin_of(key: TwinKey, made: RunRecords, words: RunWords, *, version: str = "", release: str = "") -> Twin:
    """`made` in words. Records are named by their model and their place in the order of their making."""
    named = _Naming(made, words)
    records = tuple(TwinRecord(each.model, named.names[each.link], dict(named.fields(each))) for each in made.records)
    return Twin(key, words.run_id, made.series, version, release, records, dict(made.labels), words.entered())


class _Naming:
    def __init__(self, made: RunRecords, words: RunWords) -> None:
        self.made, self.words = made, words
        places: Counter[str] = Counter()
        self.names: dict[RecordLink, str] = {}
        for each in made.records:
            places[each.model] += 1
            self.names[each.link] = f"{each.model} {places[each.model]}"
        self.numbers: dict[str, str] = {}
        for each in made.records:
            for name, value in each.fields.items():
                if f"{each.model}.{name}" in made.numbers and isinstance(value, str) and value:
                    self.numbers.setdefault(value, f"{name} of {self.names[each.link]}")

    def fields(self, record: RunRecord) -> Iterator[tuple[str, Readings]]:
        for name, value in record.fields.items():
            if isinstance(value, PrintedText):
                yield from self._printed(name, value)
            else:
                yield name, self._readings(value, own=f"{record.model}.{name}" in self.made.numbers)

    def _printed(self, name: str, value: PrintedText) -> Iterator[tuple[str, Readings]]:
        """A field for each line, so that a finding names the line."""
        lines = [line.strip() for line in value.text.splitlines() if line.strip()]
        yield name, self.words.of_value(len(lines))
        for place, line in enumerate(lines, start=1):
            yield f"{name} line {place}", self.words.of_text(line, self.numbers)

    def _readings(self, value: FieldValue, *, own: bool) -> Readings:
        """`own`: the field holds the document's own number, which is not to be said by itself."""
        if isinstance(value, str):
            return self.words.of_text(value, self._but(value) if own else self.numbers)
        if isinstance(value, RecordLink):
            return self._link(value)
        if isinstance(value, tuple):
            return self._links(value)
        return self.words.of_value(value)

    def _but(self, own: str) -> Mapping[str, str]:
        return {number: name for number, name in self.numbers.items() if number != own}

    def _link(self, link: RecordLink) -> Readings:
        if role := self.made.people.get(link):
            return (frozenset({f"the {role.replace('_', ' ')}"}),)
        if link in self.names:
            return (frozenset({f"-> {self.names[link]}"}),)
        return self.words.of_text(link.name or f"({link.model} without a name)", self.numbers)

    def _links(self, links: tuple[RecordLink, ...]) -> Readings:
        if len(links) > MOST_LINKS:
            return (frozenset({f"{len(links)} links"}),)
        if len(links) == 1:
            return self._link(links[0])
        return of_links(_plainest(self._link(each)) for each in links)


def _plainest(readings: Readings) -> str:
    """One reading, in words rather than by the calendar: next month it is the same."""
    return min(readings[0], key=lambda each: ("«" not in each, each))
