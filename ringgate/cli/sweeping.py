"""What `ringgate recover --sweep` looks for, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ringgate.cli.common import UsageMistake, console
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Driver
from ringgate.execution.sweep import Swept, find, rebuild
from ringgate.host.undo_journal import Journal
from ringgate.inventory import Inventory
from ringgate.inventory.kinds import duration


def looked_for(
    known: Inventory,
    only: frozenset[str] | None,
    drivers: Mapping[tuple[str, Channel], Driver],
    journal: Journal,
    older: str,
    *,
    take_back: bool,
) -> Swept:
    """What is found; with `take_back` there is a journal of it afterwards, for `recover`. Raises UsageMistake."""
    try:
        before = datetime.now(UTC) - duration(older)
    except ValueError as error:
        raise UsageMistake(f"--older {error}") from None
    tenants = [each for each in known.tenants if only is None or each.id in only]
    swept = find(tenants, drivers, before=before, known=journal.run_ids())
    if take_back:
        rebuild(swept, journal)
    return swept


def print_swept(swept: Swept, *, taken_back: bool) -> None:
    screen = console()
    for tenant, reason in swept.not_looked_at.items():
        screen.print(f"{tenant}: not looked at: {reason}", style="red", soft_wrap=True)
    for tenant, records in swept.found.items():
        for each in records:
            whose = "" if each.ours else "; none of our users made it, so it is left alone"
            screen.print(f"{tenant}: {each.record}, {each.marker}, made {each.made_at:%Y-%m-%d %H:%M} UTC{whose}",
                         soft_wrap=True)  # fmt: skip
    if not swept.found and not swept.not_looked_at:
        screen.print("Nothing that carries a run's marker is open.")
    elif swept.left(taken_back=taken_back) and swept.found and not taken_back:
        screen.print("--yes takes back what our users made")


def swept_as_json(swept: Swept) -> dict[str, Any]:
    found = [
        {"tenant": tenant, "run": each.run_id, "record": each.record, "marker": each.marker,
         "made_at": each.made_at.isoformat(), "ours": each.ours}
        for tenant, records in swept.found.items()
        for each in records
    ]  # fmt: skip
    return {"found": found, "not_looked_at": swept.not_looked_at}
