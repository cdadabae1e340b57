"""`ringgate rehearse` in this process, killed with SIGKILL when it gets to a point, and its process group with it.

    python -m tests.erp.killed_rehearsal "migration: half-way" rehearse release.toml --platform estate=kills

The ERP's servers have sessions of their own and stay, as they do when an operator's machine dies. So does a migration
that was begun: who comes next has to stop it. To be started in a session of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import ringgate.rollout.stages.roll_back
from ringgate import cli
from ringgate.estate import Estate, processes
from ringgate.estate.backups import Backups
from ringgate.estate.postgres import Cluster
from ringgate.estate.processes import Daemon
from ringgate.estate.tryton.server import TrytonServer
from ringgate.estate.upgrading import Upgrades
from ringgate.host.undo_journal import RunJournal
from ringgate.rollout.platforms.estate import EstatePlatform
from ringgate.rollout.record import RecordKeeper
from ringgate.rollout.stages.context import StageContext
from ringgate.rollout.surface import Surfaces

HALF_WAY = 8.0
"""Seconds of processor time after which a migration is in the middle of its tables."""


def die() -> None:
    os.killpg(0, signal.SIGKILL)
    time.sleep(60)  # a thread may run on for a moment while the process ends


def before(owner: Any, name: str, fits: Callable[..., bool] = lambda *_: True) -> Callable[[], None]:
    """Dies instead of the first call that fits."""
    return lambda: _patch(owner, name, 1, fits, instead=True)


def after(owner: Any, name: str, times: int = 1) -> Callable[[], None]:
    """Dies when that many calls have been made."""
    return lambda: _patch(owner, name, times, lambda *_: True, instead=False)


def _patch(owner: Any, name: str, times: int, fits: Callable[..., bool], *, instead: bool) -> None:
    real, made = getattr(owner, name), count(1)

    def patched(*arguments: Any, **more: Any) -> Any:
        last = fits(*arguments) and next(made) == times
        if last and instead:
            die()
        found = real(*arguments, **more)
        if last:
            die()
        return found

    setattr(owner, name, patched)


def half_way() -> None:
    """Dies when the ERP's migration has worked for a while."""
    start = TrytonServer.migrate

    def watch(process: Daemon) -> None:
        while (running := process.process()) is None or running.cpu_times().user < HALF_WAY:
            time.sleep(0.05)
        die()

    def migrate(self: TrytonServer, database: str, process: Daemon) -> None:
        process.pid_file.unlink(missing_ok=True)
        threading.Thread(target=watch, args=[process], daemon=True).start()
        start(self, database, process)

    TrytonServer.migrate = migrate  # type: ignore[method-assign]


def _taken(when: str) -> Callable[..., bool]:
    return lambda *arguments: arguments[2] == when


def _is_of_migration(path: Path) -> bool:
    return path.name.startswith("migration-")


POINTS: dict[str, Callable[[], None]] = {
    "baseline: a run has written": after(RunJournal, "resolve", times=4),
    "baseline: work is begun": after(RunJournal, "wait", times=2),
    "baseline: the books are read": before(StageContext, "keep", _taken("before")),
    "drill: the backup is taken": after(EstatePlatform, "backup"),
    "drill: it is restored": after(Cluster, "load"),
    "upgrade: closed": after(Upgrades, "_close"),
    "upgrade: backed up": before(Upgrades, "_run_steps"),
    "upgrade: manual steps are done": before(Upgrades, "_migrate"),
    "migration: begun, not noted": before(processes, "write_atomically", lambda path, *_: _is_of_migration(path)),
    "migration: half-way": half_way,
    "upgrade: migrated": before(Upgrades, "_serve"),
    "upgrade: served": before(Upgrades, "_verify"),
    "upgrade: done, not noted": after(Estate, "upgrade"),
    "fingerprint: the books are read": before(StageContext, "keep", _taken("after")),
    "verification: a run has written": after(RunJournal, "resolve", times=4),
    "verification: begun work is gone on with": after(RunJournal, "go_on"),
    "verification: the surface is compared": after(Surfaces, "after"),
    "rollback: losses are noted": after(ringgate.rollout.stages.roll_back, "note_losses"),
    "rollback: closed": before(Backups, "restore"),
    "rollback: restored": after(Cluster, "rename"),
    "rollback: served": after(Upgrades, "roll_back"),
    "decision: not yet written": before(RecordKeeper, "decide"),
}
"""Where it can be killed -> what makes it die there, to be called before the command is."""


def main(point: str, *arguments: str) -> None:
    POINTS[point]()
    code = cli.run(list(arguments))
    sys.exit(f"ended with {code} before it got to: {point}")


if __name__ == "__main__":
    assert os.getpid() == os.getpgrp(), "start it in a session of its own, or others die with it"
    main(*sys.argv[1:])
