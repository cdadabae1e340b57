"""Tryton's server and its migrations."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import cast

from ringgate.estate.serving import Serving
from ringgate.estate.tryton.server import TrytonServer
from tests.unit.estate.support import KIND, SLEEP


def test_a_migration_is_ended_although_nobody_noted_its_process(tmp_path: Path) -> None:
    server = cast("TrytonServer", Serving(KIND, tmp_path, 9000).server("7.0"))
    migrations = {
        tenant: subprocess.Popen([*SLEEP, "-c", str(server.configuration), "-d", tenant, "--all"])
        for tenant in ("acme", "acme-two")
    }
    try:
        server.end_migrations("acme")
        assert migrations["acme"].poll() is not None
        assert migrations["acme-two"].poll() is None
    finally:
        for process in migrations.values():
            process.kill()
            process.wait()
