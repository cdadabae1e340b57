"""Rings that are derived: the first rule of `[[ring_rules]]` that fits a tenant says its ring, unless a file sets one.

[[ring_rules]]
ring = "broad"
because = "a fault there costs most"
risk = ["high"]

[[ring_rules]]
ring = "canary"
because = "simple, and their support is ready"
regions = ["eu-west"]
complexity = ["low"]
extensions_at_most = 1
support_ready = true

[[ring_rules]]
ring = "early"
because = "everybody else"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import Field

from ringgate.inventory.files import checked
from ringgate.inventory.kinds import Name, Slug, StrictTable


class Grade(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class TraitsTable(StrictTable):
    """What rules for rings go by, and nothing else does."""

    profile: Slug = Field("usual", description="What kind of customer it is.", examples=["public-sector"])
    risk: Grade = Field(Grade.MEDIUM, description="What a fault of an upgrade would cost it.", examples=["high"])
    complexity: Grade = Field(Grade.MEDIUM, description="How involved its processes are.", examples=["low"])
    support_ready: bool = Field(
        False, strict=True, description="Whether its support knows of the next release and has people for it.",
        examples=[True],
    )  # fmt: skip


class RingRuleTable(StrictTable):
    """A condition that is left out always holds; all others must. A list holds where one of its words does."""

    ring: Slug = Field(description="The ring of the tenants that fit.", examples=["canary"])
    because: Name = Field(description="Why, in words.", examples=["simple, and their support is ready"])
    profiles: tuple[Slug, ...] = Field((), description="One of these traits.profile.", examples=[["advisory"]])
    regions: tuple[Slug, ...] = Field((), description="Hosted in one of these regions.", examples=[["eu-west"]])
    residencies: tuple[Slug, ...] = Field((), description="One of these residencies.", examples=[["eu"]])
    timezones: tuple[Name, ...] = Field((), description="One of these time zones.", examples=[["Europe/London"]])
    risk: tuple[Grade, ...] = Field((), description="One of these traits.risk.", examples=[["low"]])
    complexity: tuple[Grade, ...] = Field((), description="One of these traits.complexity.", examples=[["low"]])
    extensions_at_most: int | None = Field(
        None, ge=0, strict=True, description="Has at most so many extensions.", examples=[1]
    )
    extensions_at_least: int | None = Field(
        None, ge=0, strict=True, description="Has at least so many extensions.", examples=[3]
    )
    support_ready: bool | None = Field(
        None, strict=True, description="Its traits.support_ready is so.", examples=[True]
    )


@dataclass(frozen=True, slots=True)
class RingChoice:
    """Why a tenant is in its ring. `rule` counts from 1; `fits` says how each of its conditions holds, `passed` what
    kept each earlier rule from it, in words."""

    ring: str
    rule: int
    because: str
    fits: tuple[str, ...]
    passed: tuple[str, ...]


def choice(rules: Sequence[RingRuleTable], values: Mapping[str, Any]) -> RingChoice | str:
    """The ring that the rules give a tenant of these values (as written); why none does, in words."""
    passed = list[str]()
    for number, rule in enumerate(rules, 1):
        held = _conditions(rule, values)
        against = next((words for holds, words in held if not holds), "")
        if not against:
            return RingChoice(rule.ring, number, rule.because, tuple(words for _, words in held), tuple(passed))
        passed.append(f"rule {number} ({rule.ring}): {against}")
    return "; ".join(passed)


def _conditions(rule: RingRuleTable, values: Mapping[str, Any]) -> list[tuple[bool, str]]:
    """For each condition of the rule whether it holds, and the words for that."""
    traits = checked(TraitsTable, values.get("traits", {}))[0] or TraitsTable()
    found = list[tuple[bool, str]]()
    for name, wanted, has in (
        ("profile", rule.profiles, traits.profile),
        ("region", rule.regions, values.get("region", "default")),
        ("residency", rule.residencies, values.get("residency", "any")),
        ("timezone", rule.timezones, values.get("timezone", "UTC")),
        ("risk", rule.risk, traits.risk.value),
        ("complexity", rule.complexity, traits.complexity.value),
    ):
        if wanted:
            holds = has in wanted
            found.append((holds, f"{name} is {has}" + ("" if holds else f", not {' or '.join(wanted)}")))
    extensions = values.get("extensions")
    number = len(extensions) if isinstance(extensions, Mapping) else 0
    if (most := rule.extensions_at_most) is not None:
        found.append((number <= most, f"{number} extensions, at most {most}"))
    if (least := rule.extensions_at_least) is not None:
        found.append((number >= least, f"{number} extensions, at least {least}"))
    if (ready := rule.support_ready) is not None:
        words = "support is ready" if traits.support_ready else "support is not ready"
        found.append((traits.support_ready is ready, words))
    return found
