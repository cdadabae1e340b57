"""Finds what runs left in an ERP by its marker alone, where no journal says so: after a machine lost its disk.

    swept = find(tenants, drivers, before=now - timedelta(hours=1), known=journal.run_ids())
    rebuild(swept, journal)             # a journal for each run, as it would have kept one itself
    recover(journal, by_id, drivers)    # as after any crash

What a journal speaks of is left to it: runs that live, and begun work that waits. On other machines there may be such
runs, too: hence `before`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.domain.reversal import MarkedRecord
from ringgate.domain.terms import Capability, Channel
from ringgate.drivers.protocol import Call, Driver
from ringgate.host.undo_journal import Journal

SCENARIO = "(found by its marker)"
"""What a rebuilt journal has in place of the scenario, which no record names."""


@dataclass(slots=True)
class Swept:
    """What is open and carries a marker, by tenant, oldest first; and why some tenants could not be looked at."""

    found: dict[str, tuple[MarkedRecord, ...]] = field(default_factory=dict)
    not_looked_at: dict[str, str] = field(default_factory=dict)

    def left(self, *, taken_back: bool) -> bool:
        """Whether there is something that nobody takes back, or somewhere that nobody looked. What the tenant's own
        synthetic users did not make is not ours to take back."""
        ours = any(each.ours for records in self.found.values() for each in records)
        return bool(self.not_looked_at) or (ours and not taken_back)


def find(
    tenants: Iterable[Tenant],
    drivers: Mapping[tuple[str, Channel], Driver],
    *,
    before: datetime,
    known: Collection[str] = (),
) -> Swept:
    """Everything of these tenants that was made before that moment, but of the `known` runs. Reads only."""
    swept = Swept()
    for tenant in tenants:
        driver = drivers.get((tenant.erp, Channel.API))
        if driver is None or Capability.SWEEP not in driver.capabilities:
            swept.not_looked_at[tenant.id] = f"the api driver for {tenant.erp} cannot look for markers"
            continue
        connection = driver.connect(tenant, Call("sweep", "5" * 32))
        try:
            records = [each for each in connection.marked(before) if each.run_id not in known]
        except RinggateError as error:
            swept.not_looked_at[tenant.id] = str(error)
            continue
        finally:
            connection.close()
        if records:
            swept.found[tenant.id] = tuple(records)
    return swept


def rebuild(swept: Swept, journal: Journal) -> int:
    """A journal for each run of which something is left. Returns how many there are."""
    runs: dict[tuple[str, str], list[MarkedRecord]] = {}
    for tenant, records in swept.found.items():
        for each in records:
            if each.ours:
                runs.setdefault((tenant, each.run_id), []).append(each)
    for (tenant, run_id), left in runs.items():
        made = journal.begin(run_id, tenant, SCENARIO, Channel.API.value)
        for each in left:
            for reversal in each.reversals:
                made.register(reversal)
        made.release()
    return len(runs)
