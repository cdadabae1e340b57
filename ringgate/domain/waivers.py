"""What somebody accepted: one class for differences of the books, changes of the surface, a gate's signals and a
release's exceptions, with one rule for when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

ANY = "*"
"""The pattern that fits everything, also what has no name."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Something that is accepted within a scope, for a time, and that somebody answers for.

    `signature` names what is accepted: a difference of the books, a change of the surface, a gate's signal, a
    failure's kind. `tenant`, `release` and `scenario` bound it. All four may be patterns, in which `*` stands for any
    characters and `?` for one. It is in force through the end of `expires`, a day in UTC.
    """

    signature: str
    owner: str
    reason: str
    expires: date
    tenant: str = ANY
    release: str = ANY
    scenario: str = ANY

    def in_force(self, today: date) -> bool:
        return holds(self.expires, today)

    def is_for(self, tenant: str = "", release: str = "", scenario: str = "") -> bool:
        """Whether its scope holds them. What is left out has no name: only a waiver of every one is for that."""
        return _fits(self.tenant, tenant) and _fits(self.release, release) and _fits(self.scenario, scenario)

    def covers(self, signature: str, tenant: str = "", release: str = "", scenario: str = "") -> bool:
        """Whether it accepts what has this signature, there."""
        return _fits(self.signature, signature) and self.is_for(tenant, release, scenario)

    def __str__(self) -> str:
        of = [f"for {each}" for each in (self.tenant, self.scenario) if each != ANY]
        within = [f"in {self.release}"] if self.release != ANY else []
        return " ".join([f"the waiver of {self.signature}", *of, *within, f"({self.owner}, through {self.expires})"])


def _fits(pattern: str, name: str) -> bool:
    """A name that holds `[` is also fitted by itself, which as a pattern it would not be."""
    return pattern == name or fnmatchcase(name, pattern)


def holds(expires: date, today: date) -> bool:
    """The one rule for what expires: it holds through the end of that day."""
    return today <= expires


def by_force(waivers: Iterable[Waiver], today: date) -> tuple[tuple[Waiver, ...], tuple[Waiver, ...]]:
    """Those in force on that day, and those that have expired."""
    every = tuple(waivers)
    return (
        tuple(each for each in every if each.in_force(today)),
        tuple(each for each in every if not each.in_force(today)),
    )
