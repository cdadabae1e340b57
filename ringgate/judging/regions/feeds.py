"""How far what each region sent was taken in, and which regions are silent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringgate.domain.labels import microseconds, moment_of
from ringgate.gate.words import moment, span
from ringgate.store import Store

BEHIND = timedelta(minutes=5)
"""How old the end of what a region sent may be. Verdicts are on the moment up to which every region has told
everything, so this is also how long they may lag."""

KEPT = "regions"


@dataclass(frozen=True, slots=True)
class RegionState:
    """One region: the number of the last segment that was taken in, the moment up to which it told everything (None
    where nothing came), and what is wrong with the next one."""

    region: str
    number: int = 0
    until: datetime | None = None
    problem: str = ""

    def why_silent(self, now: datetime) -> str:
        """Why what is known of it is too old to judge by; "" if it is not."""
        if self.until is not None and now - self.until <= BEHIND:
            return ""
        said = f" ({self.problem})" if self.problem else ""
        if self.until is None:
            return f"{self.region} has sent nothing{said}"
        return f"what {self.region} sent ends at {moment(self.until)}, {span(now - self.until)} ago{said}"


@dataclass(frozen=True, slots=True)
class Feeds:
    """All regions that ever sent anything into a store; none in a store of one machine."""

    feeds: tuple[RegionState, ...] = ()

    def silent(self, regions: Iterable[str], now: datetime) -> list[str]:
        """Why something is not known of these regions; nothing where nobody sends to this store."""
        if not self.feeds:
            return []
        known = {each.region: each for each in self.feeds}
        said = (known.get(each, RegionState(each)).why_silent(now) for each in sorted(set(regions)))
        return [each for each in said if each]

    def moment(self, regions: Collection[str], now: datetime) -> datetime:
        """Up to when everything is known of these regions. One that is silent is waited for no longer, so that it hides
        nothing that others tell."""
        told = [each.until for each in self.feeds if each.region in regions and not each.why_silent(now)]
        return min([now, *(each for each in told if each is not None)])


def feeds_of(store: Store) -> Feeds:
    kept = (store.figures(KEPT) or {}).get("feeds", {})
    return Feeds(
        tuple(
            RegionState(region, number, moment_of(until) if until is not None else None, problem)
            for region, (number, until, problem) in sorted(kept.items())
        )
    )


def keep_feeds(store: Store, feed: RegionState) -> None:
    """Notes how far a region is; the others stay as they are. One process takes in at a time."""
    others = [each for each in feeds_of(store).feeds if each.region != feed.region]
    rows = {
        each.region: [each.number, microseconds(each.until) if each.until is not None else None, each.problem]
        for each in (*others, feed)
    }
    store.keep_figures(KEPT, datetime.now(UTC), {"feeds": rows})
