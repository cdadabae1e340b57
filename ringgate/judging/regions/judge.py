"""The judge of a store that regions send to: the same verdict as on one machine, on the moment up to which all told
everything; inconclusive at best while one of the ring's regions is silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from ringgate.gate import Due, GatePolicy, Verdict, reasons, state_of
from ringgate.inventory import Inventory
from ringgate.judging.judge import Judge
from ringgate.judging.regions.feeds import Feeds, feeds_of
from ringgate.store import Store


class RegionalJudge(Judge):
    """As `Judge`; in a store that no region sends to it is one."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        inventory: Inventory,
        policy: GatePolicy,
        *,
        due: Due | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tenant: str = "",
    ) -> None:
        """See `Judge`."""
        super().__init__(open_store, inventory, policy, due=due, clock=lambda: self._moment, tenant=tenant)
        self._real, self._moment = clock, clock()

    def verdict(self, ring: str, release: str) -> Verdict:
        """See `Judge.verdict`. What its facts call `now` is the moment up to which all regions told everything."""
        chosen = self._inventory.select(rings=[ring], tenants=[self._tenant] if self._tenant else ())
        regions, now = {tenant.region for tenant in chosen}, self._real()
        self._moment = now
        try:
            feeds = self._feeds()
            self._moment = feeds.moment(regions, now)
        except Exception:
            feeds = Feeds()  # the store cannot be read, and what follows says so
        verdict = super().verdict(ring, release)
        if not (silent := feeds.silent(regions, now)):
            return verdict
        facts = replace(verdict.facts, silent_regions=tuple(silent))
        found = reasons(facts)
        return replace(verdict, facts=facts, reasons=found, state=state_of(found))

    def _feeds(self) -> Feeds:
        store = self._store = self._store or self._open()
        return feeds_of(store)
