"""How a user's web client writes numbers, dates and durations, and back again.

formats = Formats(decimal=",", group=".", day="%d.%m.%Y", seconds={"t": Decimal(28800)})
formats.number("1.234,50 €")     # -> Decimal("1234.50")
formats.date_of("22.11.2026")    # -> date(2026, 11, 22)
formats.hours("1t 01:30")        # -> Decimal("9.5")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ringgate.domain.errors import ErpMisbehaved

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of one signed-in user.

    `decimal` and `group` are the number's separators, `day` is a strftime pattern, `seconds` maps each unit of a
    duration as this user sees it ("d", or "t" in German) to its length.
    """

    decimal: str
    group: str
    day: str
    seconds: dict[str, Decimal]

    def number(self, text: str) -> Decimal:
        """The number in `text`, whatever currency symbol or spaces stand around it. Nothing shown is 0."""
        bare = text.replace(self.group, "") if self.group else text
        bare = re.sub(r"[^\d\-\u2212" + re.escape(self.decimal) + "]", "", bare).replace("\u2212", "-")
        bare = bare.replace(self.decimal, ".")
        if not bare:
            return Decimal(0)
        if not re.fullmatch(r"-?\d+(\.\d+)?", bare):
            raise ErpMisbehaved(f"The screen shows {text!r} where a number is expected.")
        return Decimal(bare)

    def date_of(self, text: str) -> date | None:
        """The date in `text`, None where the screen shows none."""
        if not text.strip():
            return None
        try:
            return datetime.strptime(text.strip(), self.day).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            raise ErpMisbehaved(f"The screen shows {text!r} where a date like {self.day} is expected.") from None

    def date_text(self, day: date) -> str:
        """`day` as this user would type it."""
        return day.strftime(self.day)

    def hours(self, text: str) -> Decimal:
        """The hours in a duration such as "07:30", "1d 01:00" or "2w 1d"."""
        total = Decimal(0)
        for part in text.split():
            sign, bare = (-1, part[1:]) if part.startswith("-") else (1, part)
            if re.fullmatch(r"\d+(:\d+){1,2}", bare):
                clock = [Decimal(each) for each in bare.split(":")]
                seconds = sum((v * Decimal(60) ** (2 - i) for i, v in enumerate(clock)), Decimal(0))
            elif (unit := re.fullmatch(r"(\d+)(\D+)", bare)) and unit[2] in self.seconds:
                seconds = Decimal(unit[1]) * self.seconds[unit[2]]
            else:
                raise ErpMisbehaved(f"The screen shows {text!r} where a duration is expected.")
            total += sign * seconds
        return total / SECONDS_PER_HOUR

    @staticmethod
    def hours_text(hours: Decimal) -> str:
        """`hours` as h:mm, which the client reads the same in every language."""
        seconds = int((hours * SECONDS_PER_HOUR).to_integral_value())
        whole, rest = divmod(seconds, SECONDS_PER_HOUR)
        return f"{whole}:{rest // 60:02d}" + (f":{rest % 60:02d}" if rest % 60 else "")


_MOMENT = (("YYYY", "%Y"), ("YY", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"))


def strftime_of(pattern: str) -> str:
    """The web client's date pattern ("DD.MM.YYYY") as Python's ("%d.%m.%Y")."""
    for moment, ours in _MOMENT:
        pattern = pattern.replace(moment, ours)
    return pattern
