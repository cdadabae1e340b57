"""A twin: one run's documents in words, so that it can be compared with another run's.

A value has readings: everything that it could be said to be, the exact ones first.

    2026-12-28      [{"2026-12-28", "today+30", "due date 1"}]
    AE2026-0045     [{"AE2026-0045", "AE«year»-0045"}, {"AE#-#"}]
    120.00          [{"120"}]

Two runs agree on a value where the most exact kind of reading that the earlier ones had in common is also the other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringgate.domain.terms import Channel

Readings = tuple[frozenset[str], ...]
"""What a value can be read as, by exactness; those of one set are equally exact."""

NOTHING = "nothing"
"""How a field without a value reads."""


@dataclass(frozen=True, slots=True)
class TwinKey:
    """Whose twin it is. Runs of one key are expected to make the same."""

    tenant: str
    scenario: str
    channel: Channel

    def __str__(self) -> str:
        return f"{self.scenario} on {self.tenant} over {self.channel}"


@dataclass(frozen=True, slots=True)
class TwinRecord:
    """One record in words. `name` is `account.invoice 1`: its model, and its place among those of the run."""

    model: str
    name: str
    fields: Mapping[str, Readings]


@dataclass(frozen=True, slots=True)
class Twin:
    """All that one run made, in words. `version` is the server's; `labels` what the ERP calls models and fields;
    `texts` what the run entered, by the words for it."""

    key: TwinKey
    run_id: str
    series: str
    version: str
    release: str
    records: tuple[TwinRecord, ...]
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)

    def by_model(self) -> dict[str, list[TwinRecord]]:
        found: dict[str, list[TwinRecord]] = {}
        for each in self.records:
            found.setdefault(each.model, []).append(each)
        return found


@dataclass(frozen=True, slots=True)
class LearnedField:
    """What runs had in common in one field: `readings` is empty on every rank where nothing was common to all.

    `sometimes_empty`: some of them had no value there."""

    readings: Readings
    sometimes_empty: bool = False

    @property
    def expected(self) -> frozenset[str]:
        """The most exact readings that all runs had in common; empty where there were none: it varies."""
        return next((each for each in self.readings if each), frozenset())


@dataclass(frozen=True, slots=True)
class LearnedRecord:
    """One record that runs of a key make. `always`: every one of them did."""

    model: str
    fields: Mapping[str, LearnedField]
    always: bool = True


@dataclass(frozen=True, slots=True)
class LearnedTwin:
    """What passing runs of one key have in common. `runs` is how many, `last` the newest one's id.

    `release` and `version` are those that they were all of; `records` is by model, in the order of their making."""

    key: TwinKey
    series: str
    version: str
    release: str
    runs: int
    last: str
    records: Mapping[str, tuple[LearnedRecord, ...]]
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
