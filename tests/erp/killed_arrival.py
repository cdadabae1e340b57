"""Runs one scenario in this process and kills it with SIGKILL once its document is made, before it is looked for at an
integration. Prints the document's marker.

    python -m tests.erp.killed_arrival INVENTORY TENANT SCENARIO
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringgate.domain.terms import Channel
from ringgate.execution import setup
from ringgate.execution.run_once import run_once
from ringgate.host.undo_journal import RunJournal
from ringgate.inventory import Inventory
from ringgate.scenario.discovery import load_scenarios


def main(inventory: str, tenant_id: str, scenario: str) -> None:
    follow = RunJournal.follow

    def followed(self: RunJournal, line: Mapping[str, Any]) -> None:
        follow(self, line)
        print(line["marker"], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    RunJournal.follow = followed  # type: ignore[method-assign]
    tenant = Inventory.load(Path(inventory)).tenant(tenant_id)
    with setup.engine([tenant], session="killed") as engine:
        result = run_once(load_scenarios(Path("scenarios"))[scenario], tenant, Channel.API, engine)
    sys.exit(f"{scenario} ended {result.outcome} before anything was followed: {result.failure or result.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
