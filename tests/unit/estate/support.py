"""An estate that is written down but not started, for tests of what it decides without a server."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil

from ringgate.estate import Estate, tenant_set
from ringgate.estate.record import EstateRecord, Place
from ringgate.estate.tryton.kind import TrytonEstate

KIND = TrytonEstate()
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def noted(name: str, series: dict[str, str]) -> Estate:
    """The estate of that name with these tenants and their series; `RINGGATE_HOME` is a test's own folder."""
    estate = Estate(name)
    members = [each for each in tenant_set.members(KIND.tenants, 24) if each.id in series]
    places = {
        each.id: Place(archetype=each.archetype.id, port=9001 + index, series=series[each.id])
        for index, each in enumerate(members)
    }
    record = EstateRecord(name=name, erp="tryton", port_base=9000, image="x", tenants=places)
    record.write(estate.folder)
    estate.write_inventory(record, members)
    return estate


def running(pid_file: Path) -> None:
    """Has a pid file name this very process, so that its server counts as running."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    me = psutil.Process(os.getpid())
    pid_file.write_text(json.dumps({"pid": me.pid, "started": me.create_time()}))
