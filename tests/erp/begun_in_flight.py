"""Begins all work in flight on a tenant and dies by SIGKILL at once: nothing but the journals on disk is left.

python -m tests.erp.begun_in_flight INVENTORY TENANT LABEL
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ringgate.execution import setup
from ringgate.execution.two_phase import begin_in_flight
from ringgate.inventory import Inventory


def main(inventory: str, tenant_id: str, label: str) -> None:
    tenant = Inventory.load(Path(inventory)).tenant(tenant_id)
    with setup.engine([tenant], session=label) as engine:
        for result in begin_in_flight(tenant, engine, label):
            if result.error is not None:
                sys.exit(f"{result.scenario} could not be begun: {result.failure}")
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
