"""Takes up what crashed or unfinished runs left: `ringgate recover`, and the first thing a prober does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ringgate.domain.errors import ErpError, RinggateError
from ringgate.domain.events import RunRecovered, Sink
from ringgate.domain.model import Residue, Tenant
from ringgate.domain.terms import Channel, ResidueCause
from ringgate.drivers.protocol import Call, Driver
from ringgate.execution.undo import AT_ONCE, SETTLE, Patience, undo
from ringgate.host.undo_journal import Journal, RunJournal
from ringgate.integrations import Following


@dataclass(frozen=True, slots=True)
class Recovered:
    """One journal taken up: `undone` reversals were made, `left` could not be."""

    run_id: str
    tenant: str
    scenario: str
    undone: int
    left: tuple[Residue, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that was begun under `label` and waits to be finished; `writes` would be taken back."""

    run_id: str
    tenant: str
    scenario: str
    label: str
    writes: int


def waiting(journal: Journal, *, only: frozenset[str] | None = None) -> list[Waiting]:
    """All begun work of these tenants that waits, oldest first. Changes nothing."""
    found: list[Waiting] = []
    for each in journal.free(only):
        if each.waits:
            found.append(Waiting(each.run_id, each.tenant, each.scenario, each.label, len(each.pending())))
        each.release()
    return found


def recover(
    journal: Journal,
    tenants: Mapping[str, Tenant],
    drivers: Mapping[tuple[str, Channel], Driver],
    *,
    only: frozenset[str] | None = None,
    redact: Callable[[str], str] = str,
    settle: float = SETTLE,
    wait: bool = True,
    in_flight: bool = False,
    patience: Patience = AT_ONCE,
    sinks: Sequence[Sink] = (),
) -> list[Recovered]:
    """Undo what no living run holds, always over the API. Idempotent: may itself be killed and called again.

    `only` limits it to some tenants. A tenant that is not in the inventory, or cannot be reached, is residue. Where a
    process died while a write was on its way, it is waited for up to `settle` seconds after that write was sent;
    without `wait` it is residue until then, to be taken up by a later call. `patience` is what each journal's
    reversals have with an ERP that is slow. `sinks` are told of each journal, so that what was left is known as taken
    back.
    Documents that a run followed to integrations are followed there once more: their reversals must arrive.
    Begun work that waits to be finished is taken back only with `in_flight`; `waiting` lists it."""
    taken: list[Recovered] = []
    for crashed in journal.crashed(only, in_flight=in_flight):
        try:
            before = len(crashed.pending())
            tenant = tenants.get(crashed.tenant)
            driver = drivers.get((tenant.erp, Channel.API)) if tenant else None
            left = _take_up(crashed, tenant, driver, redact, settle, wait, patience)
            done = Recovered(crashed.run_id, crashed.tenant, crashed.scenario, before - len(left), tuple(left))
            taken.append(done)
            for sink in sinks:
                sink.on(RunRecovered(done.run_id, done.tenant, datetime.now(UTC), done.undone, done.left))
        finally:
            crashed.close()
    return taken


def _take_up(
    crashed: RunJournal,
    tenant: Tenant | None,
    driver: Driver | None,
    redact: Callable[[str], str],
    settle: float,
    wait: bool,
    patience: Patience,
) -> list[Residue]:
    if tenant is None or driver is None:
        reason = (
            "the inventory no longer has this tenant" if tenant is None else f"there is no api driver for {tenant.erp}"
        )
        left = [
            (seq, Residue(crashed.tenant, crashed.run_id, each.verb, each.marker, reason))
            for seq, each in crashed.pending()
        ]
        for seq, _ in left:
            crashed.left(seq, reason)
        return [residue for _, residue in left]
    call = Call(crashed.run_id, crashed.run_id.encode().hex()[:32].ljust(32, "0"))
    connection = driver.connect(tenant, call)
    try:
        left_behind = undo(crashed, connection, redact, settle=settle, limit=call.limit, patience=patience)
        on_its_way = max((crashed.unsettled(seq, settle) for seq, _ in crashed.pending()), default=0.0)
        if wait and on_its_way:
            time.sleep(on_its_way)
            left_behind = undo(crashed, connection, redact, settle=settle, limit=call.limit, patience=patience)
        return left_behind or (_not_arrived(crashed, tenant, redact) if wait else [])
    finally:
        connection.close()


def _not_arrived(crashed: RunJournal, tenant: Tenant, redact: Callable[[str], str]) -> list[Residue]:
    """What the run had sent to integrations, once it is taken back: its reversals must arrive, as those of any run."""
    following = Following(tenant)
    following.take_up(crashed.follows, at=datetime.now(UTC))
    try:
        following.taken_back()
    except RinggateError as error:
        cause = ResidueCause.REFUSED if isinstance(error, ErpError) else ResidueCause.SLOW
        marker = str(crashed.follows[0]["marker"])
        return [
            Residue(crashed.tenant, crashed.run_id, "what integrations received of", marker, redact(str(error)), cause)
        ]
    return []
