"""Faults of what Tryton runs on: its ledger's table, its queue, and the way to it."""

# What is put into statements here is written in this package, never given from outside.
# ruff: noqa: S608

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.noticing import BILLING
from ringgate.estate.faults.operations import Locked
from ringgate.estate.faults.switches import KEPT, FrontDoorFault, Trigger, keep
from ringgate.estate.frontdoor import NetworkFault as Rule

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate
    from ringgate.estate.tryton.server import TrytonServer

SLOWDOWN = 2.5
"""Seconds that posting takes longer: clearly more than it does, and no time-out."""


def _server(estate: Estate, tenant: str) -> TrytonServer:
    return cast("TrytonServer", estate.serving.server(estate.place(tenant).series))


class Unworked:
    """Nobody takes up the tasks that the ERP puts into its own queue. Switched off, they are worked off.

    The estate's Tryton has no worker of its own: who puts a task there runs it, by its number, once their transaction
    has ended. So the tasks get other numbers then."""

    _hidden = Trigger(
        "ir_queue",
        "AFTER INSERT",
        f"""
        UPDATE ir_queue SET id = nextval('ir_queue_id_seq') WHERE id = NEW.id;
        {keep("added", "ir_queue", "currval('ir_queue_id_seq')")}""",
        deferred=True,
    )

    def on(self, estate: Estate, tenant: str, fault: str) -> bool:
        return self._hidden.on(estate, tenant, fault)

    def off(self, estate: Estate, tenant: str, fault: str) -> bool:
        if not self.is_on(estate, tenant, fault):
            return False
        with estate.sql(tenant) as database:
            database.execute(f"DROP TRIGGER IF EXISTS {self._hidden.name(fault)} ON ir_queue")
            waiting = (
                f"SELECT FROM ir_queue JOIN {KEPT} k USING (id) WHERE k.fault = %s AND finished_at IS NULL LIMIT 1"
            )

            def done() -> bool:
                return database.execute(waiting, [fault]).fetchone() is None

            if not done():
                _server(estate, tenant).work_off(tenant, done)
            database.execute(f"DELETE FROM {KEPT} WHERE fault = %s", [fault])
        return self._hidden.off(estate, tenant, fault)

    def is_on(self, estate: Estate, tenant: str, fault: str) -> bool:
        return self._hidden.is_on(estate, tenant, fault)


PLATFORM = (
    Fault(
        id="slow-posting",
        title=f"Posting an invoice takes {SLOWDOWN} seconds longer",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(BILLING, "slower"),
        switch=FrontDoorFault(
            lambda _estate, tenant: Rule(tenant=tenant, rpc=r"^model\.account\.invoice\.post$", delay=SLOWDOWN)
        ),
        sign="slowness",
    ),
    Fault(
        id="lock-contention",
        title="Whoever writes into the ledger waits for a lock that nobody lets go",
        where="database",
        cause="environment",
        says=dict.fromkeys(BILLING, "did not answer in time"),
        switch=Locked("LOCK TABLE account_move IN SHARE MODE"),
        times_out=True,
    ),
    Fault(
        id="queue-stopped",
        title="Nobody takes up the tasks in the ERP's queue",
        where="sql",
        cause="environment",
        says=dict.fromkeys(("credit-and-payment", "project-to-cash"), "it was paid in full"),
        switch=Unworked(),
        sign="backlog",
    ),
)
