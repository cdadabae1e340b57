"""Runs one scenario in this process and kills it with SIGKILL at one of its writes: a crash without any clean-up.

    python -m tests.erp.killed_run INVENTORY TENANT CHANNEL SCENARIO WRITE sent|unsent

WRITE counts from 1. `unsent`: the reversal is on disk, the write was not sent. `sent`: the ERP has it, and its id is
not noted yet, so that recovery has to find it by its marker.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ringgate.domain.reversal import Reversal
from ringgate.domain.terms import Channel
from ringgate.execution import setup
from ringgate.execution.run_once import run_once
from ringgate.host.undo_journal import RunJournal
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios


def main(inventory: str, tenant_id: str, channel: str, scenario: str, write: str, moment: str) -> None:
    register, resolve = RunJournal.register, RunJournal.resolve

    def registered(self: RunJournal, reversal: Reversal) -> int:
        seq = register(self, reversal)
        if moment == "unsent" and seq == int(write):
            os.kill(os.getpid(), signal.SIGKILL)
        return seq

    def resolved(self: RunJournal, seq: int, ref: str) -> None:
        if moment == "sent" and seq == int(write):
            os.kill(os.getpid(), signal.SIGKILL)
        resolve(self, seq, ref)

    RunJournal.register, RunJournal.resolve = registered, resolved  # type: ignore[method-assign]
    tenant = Inventory.load(Path(inventory)).tenant(tenant_id)
    with setup.engine([tenant], session="killed") as engine:
        result = run_once(load_scenarios(Path("scenarios"))[scenario], tenant, Channel(channel), engine)
    sys.exit(f"{scenario} ended {result.outcome} before its write {write}: {result.failure or result.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
