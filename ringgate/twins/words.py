"""A run's own values as words: its dates, its texts and markers, its documents' numbers, its people.

words = RunWords(run_id="k3v9x2m7q4ta", days=(today,), dates={"due date 1": due}, texts=["Training for Hall [RG-..]"])
words.of_date(due)           # ({"2026-12-28", "today+30", "due date 1", "28, 1 month on"},)
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from ringgate.twins.model import NOTHING, Readings
from ringgate.twins.records import PlainValue

_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d")
"""How printed documents write dates."""

_FEWEST = 4
"""Characters of a number that is looked for in other texts: shorter ones stand in many by chance."""


@dataclass(frozen=True, slots=True)
class RunWords:
    """What is known of one run.

    `days` are the days that it may take for today: the tenant's when it began and when it ended. `server_day` is the
    ERP's day, in UTC. `dates` are days that the inventory decides, by their names. `texts` are what the run entered,
    in its order. `began` is when the ERP made the first record."""

    run_id: str
    days: Sequence[date]
    server_day: date | None = None
    began: datetime | None = None
    dates: Mapping[str, date] = field(default_factory=dict)
    texts: Sequence[str] = ()

    def entered(self) -> Mapping[str, str]:
        """What the run entered, by the words for it: `«text a»`."""
        return {f"«text {_letter(place)}»": text for place, text in enumerate(self.texts, start=1)}

    def of_value(self, value: PlainValue) -> Readings:
        """Of anything but texts and links."""
        if value is None:
            return (frozenset({NOTHING}),)
        if isinstance(value, bool):
            return (frozenset({"yes" if value else "no"}),)
        if isinstance(value, datetime):
            return self.of_moment(value)
        if isinstance(value, date):
            return self.of_date(value)
        if isinstance(value, timedelta):
            return (frozenset({f"{_plain(Decimal(value // timedelta(milliseconds=1)) / 3600000)} h"}),)
        return (frozenset({_plain(Decimal(value))}),)

    def of_date(self, value: date) -> Readings:
        """By the calendar, by days from today, by months from today and by the inventory's own dates."""
        found = {value.isoformat()}
        for day in self.days:
            found |= {f"today{_signed((value - day).days)}", _by_month(value, day)}
            found |= {f"month's end{_months(value, day)}"} if _is_last(value) else set()
        if self.server_day is not None:
            found.add(f"the server's day{_signed((value - self.server_day).days)}")
        found |= {name for name, each in self.dates.items() if each == value}
        return (frozenset(found),)

    def of_moment(self, value: datetime) -> Readings:
        if self.began is not None and self.began <= value <= self.began + timedelta(days=1):
            return (frozenset({"a time of the run"}),)
        return (frozenset({"a time before the run" if self.began and value < self.began else value.isoformat()}),)

    def of_text(self, text: str, numbers: Mapping[str, str] | None = None) -> Readings:
        """`numbers` are those of the run's documents, with their names: `AE2026-0045` -> `number of account.invoice 1`.

        An empty text is no value, as `None` is."""
        if not text:
            return (frozenset({NOTHING}),)
        exact = self._own(text, numbers or {})
        readings = {exact, *(dated for day in self.days if (dated := self._dated(exact, day)) != exact)}
        shape = re.sub(r"\d+", "#", exact)
        return (frozenset(readings), frozenset({shape})) if shape != exact else (frozenset(readings),)

    def _own(self, text: str, numbers: Mapping[str, str]) -> str:
        for name, each in sorted(self.entered().items(), key=lambda one: -len(one[1])):
            text = text.replace(each, name)
        text = re.sub(rf"RG-{re.escape(self.run_id)}-(\d+)", lambda m: f"«marker {_letter(int(m[1]))}»", text)
        text = text.replace(self.run_id, "«run»")
        for number, name in sorted(numbers.items(), key=lambda one: -len(one[0])):
            if len(number) >= _FEWEST and number in text:
                text = re.sub(rf"(?<![\w-]){re.escape(number)}(?![\w-])", f"«{name}»", text)
        return text

    def _dated(self, text: str, day: date) -> str:
        for name, each in {"today": day, **self.dates}.items():
            for form in _FORMS:
                text = text.replace(each.strftime(form), f"«{name}»")
        text = re.sub(rf"(?<!\d){day:%Y}-{day:%m}(?![-\d])", "«month of today»", text)
        return re.sub(rf"(?<!\d){day:%Y}(?!\d)", "«year of today»", text)


def _plain(value: Decimal) -> str:
    """120.00 -> 120, exact."""
    return f"{value.normalize():f}" if value else "0"


def of_links(names: Iterable[str]) -> Readings:
    """Of several links: which they are, else how many of each kind."""
    ordered = sorted(names)
    if not ordered:
        return (frozenset({NOTHING}),)
    return (frozenset({"; ".join(ordered)}), frozenset({f"{len(ordered)} of them"}))


def _signed(days: int) -> str:
    return f"{days:+d}" if days else ""


def _months(value: date, day: date) -> str:
    return _signed((value.year - day.year) * 12 + value.month - day.month)


def _by_month(value: date, day: date) -> str:
    return f"day {value.day} of this month{_months(value, day)}"


def _is_last(value: date) -> bool:
    return value.day == monthrange(value.year, value.month)[1]


def _letter(place: int) -> str:
    """1 -> a, 27 -> aa: no digits, which in a text stand for what may vary."""
    place, rest = divmod(place - 1, 26)
    return (_letter(place) if place else "") + chr(ord("a") + rest)
